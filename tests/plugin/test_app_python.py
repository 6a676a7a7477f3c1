"""With ``bb_python`` the migrations run by the app's Python, with the app's packages or none."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from pytest_bbmigrate.plugin.testing import Databases
from pytest_bbmigrate.processes.app_python import AppPython
from tests.matrix.pythons import Python, find_pythons, numbers

NEW_SYNTAX = (3, 12)  # has the statement `type`
# It finds what the app has, which is nothing but a module that pytest's Python has not.
MIGRATION = """\
import sys, sqlite3
from apps_own import WHOSE
{statement}

def up(db):
    assert WHOSE == "the app's", WHOSE
    assert "{version}" == ".".join(map(str, sys.version_info[:3]))
    for name in ("faker", "pytest", "sqlite_utils", "psutil"):
        try:
            __import__(name)
        except ImportError:
            continue
        raise AssertionError(name + " is there")
    db["t"].add_column("b", int)

def down(db):
    db["t"].transform(drop=["b"])
"""
SCRIPT = """\
# bb: script
import sqlite3, sys
from apps_own import WHOSE
{statement}
if __name__ == "__main__":
    db = sqlite3.connect("budget_buddy.db")
    db.execute("CREATE TABLE u (a INTEGER)")
    db.execute("INSERT INTO u SELECT app_number()")
    db.execute("DELETE FROM u")
    db.commit()
"""
HOOK = """\
from apps_own import WHOSE

def prepare(db):
    db.create_function("app_number", 0, lambda: 7)
"""
TESTS = """\
def test_head(bb_at):
    with open("rows", "w") as file:
        file.write(repr(list(bb_at("001_t").execute("SELECT * FROM t"))))
"""


@cache
def newest_python() -> Python:
    """Return the newest Python of this machine."""
    pythons = [python for python in find_pythons() if not python.lack]
    return pythons[-1] if pythons else pytest.skip("no Python is found on this machine")


@pytest.fixture
def newest(project: pytest.Pytester) -> tuple[Path, str]:
    """Return an environment without packages of the newest Python there is, and its version."""
    python = newest_python()
    place = project.path / "app"
    project.run(python.path, "-m", "venv", "--without-pip", place)
    (site,) = place.glob("lib/*/site-packages")
    (site / "apps_own.py").write_text('WHOSE = "the app\'s"\n')
    return place / "bin" / "python", python.version


def test_migrations_run_by_the_apps_python_and_are_applied(
    project: pytest.Pytester, newest: tuple[Path, str]
) -> None:
    version = newest[1]
    statement = "type Row = int" if numbers(version) >= NEW_SYNTAX else ""
    migrations = project.mkdir("migrations")
    (migrations / "001_t.sql").write_text("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);\n")
    text = MIGRATION.format(statement=statement, version=version)
    (migrations / "002_b.py").write_text(text)
    (migrations / "003_u.py").write_text(SCRIPT.format(statement=statement))
    project.makepyfile(apps_hook=HOOK)
    project.makeini(
        "[pytest]\nbb_rows = 12\nbb_connection = apps_hook:prepare\nbb_python = app/bin/python\n"
    )

    applied = project.runpytest("--bb-apply", "--bb-create", "-v")

    assert applied.ret == pytest.ExitCode.OK
    applied.stdout.fnmatch_lines([f"bbmigrate: *, app's Python {version}, SQLite * (bb_python), *"])
    with closing(sqlite3.connect(project.path / "budget_buddy.db")) as db:
        assert db.execute("SELECT count(*), count(b) FROM t").fetchone() == (0, 0)
        assert db.execute("SELECT count(*) FROM u").fetchone() == (0,)


def test_generated_rows_are_the_same_by_either_python(
    project: pytest.Pytester, newest: tuple[Path, str]
) -> None:
    migrations = project.mkdir("migrations")
    (migrations / "001_t.sql").write_text(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, merchant TEXT, amount REAL, at DATE);\n"
    )
    project.makepyfile(TESTS)
    rows = []
    for arguments in ([], ["-o", f"bb_python={newest[0]}"]):
        assert project.runpytest(*arguments).ret == pytest.ExitCode.OK
        rows.append((project.path / "rows").read_bytes())

    assert rows[0] == rows[1]


@pytest.mark.parametrize("arguments", [["--bb-check-migrations"], ["migrations"]])
def test_an_interpreter_that_is_none_ends_the_session_with_one_line(
    project: pytest.Pytester, arguments: list[str]
) -> None:
    project.mkdir("migrations")

    result = project.runpytest(*arguments, "-o", "bb_python=/bin/ls")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bb_python = /bin/ls: it is no Python: *"])


def test_a_debugger_reaches_no_migration_of_another_python(project: pytest.Pytester) -> None:
    project.mkdir("migrations")

    result = project.runpytest(
        "--bb-check-migrations", "--bb-in-process", "-o", f"bb_python={sys.executable}"
    )

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --bb-in-process runs migrations in pytest's own Python, *"]
    )


def test_a_fixture_says_both_versions_where_this_sqlite_does_not_read_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from pytest_bbmigrate.errors import SettingsError
    from pytest_bbmigrate.plugin import testing

    newer = AppPython("python", "3.99.0", "3.99.1", (), "")
    monkeypatch.setattr(testing, "app_python", lambda _: newer)
    path = tmp_path / "made.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_schema VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS NEW')")
        db.commit()
    project = SimpleNamespace(settings=SimpleNamespace(python=Path("app/bin/python")))

    with (
        Databases(project, None) as databases,  # type: ignore[arg-type]
        pytest.raises(SettingsError) as caught,
    ):
        databases.open(path.read_bytes())

    assert "bb_python = app/bin/python: malformed database schema (v)" in str(caught.value)
    assert "SQLite 3.99.1 of the app's Python (bb_python) can make what SQLite " in str(
        caught.value
    )
