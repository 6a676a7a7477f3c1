"""Values of real rows are in nothing that a session writes, unless --bb-show-values is given."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.real_database import change

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "Harbour47"
ACCOUNTS = """\
-- migrate:up
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, cents INTEGER CHECK (cents IS NULL OR cents < 99999)
);
-- migrate:down
DROP TABLE accounts;
"""
# What only real rows bring about, so that the checks before it pass.
IS_REAL = f"hex(name) = '{SECRET.encode().hex().upper()}'"
FAILS_IN_SQL = f"""\
-- bb: changes accounts.name where {IS_REAL}
-- bb: irreversible because it is a test
UPDATE accounts SET name = json_extract('{{}}', name) WHERE {IS_REAL};
"""
FAILS_IN_PYTHON = f"""\
# bb: irreversible because it is a test
import logging, sys, warnings

def up(db):
    for (name,) in db.execute("SELECT name FROM accounts WHERE {IS_REAL}").fetchall():
        print(name)
        sys.stderr.write(name)
        logging.getLogger(name).error(name)
        warnings.warn(name)
        raise type(name, (ValueError,), dict())("UNIQUE constraint failed: " + name)
"""
REQUIRES = f"""\
-- bb: requires accounts: CASE WHEN {IS_REAL} THEN json_extract('{{}}', name) END IS NULL
SELECT 1;
"""
HOOK = """\
import logging
import sqlite3

def prepare(db):
    if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'accounts'").fetchone()[0]:
        for (name,) in db.execute("SELECT name FROM accounts WHERE cents = 4711").fetchall():
            print(name)
            logging.getLogger(name).error(name)
            if {raises}:
                raise type(name, (ValueError,), dict())(name)
"""
SMOKE = """\
import sqlite3
import pytest

def names(path):
    db = sqlite3.connect(path)
    found = [name for (name,) in db.execute("SELECT name FROM accounts")]
    db.close()
    return found

@pytest.mark.bb_smoke
def test_app(bb_head_path, record_property):
    found = names(bb_head_path)
    record_property("names", found)
    print(found)
    assert found == ["other"], found
"""
REPORTS = """\
import os

def pytest_runtest_logreport(report):
    if "PYTEST_BBMIGRATE_SMOKE" in os.environ:
        return
    with open("reports.jsonl", "a") as file:
        file.write(repr(vars(report)) + "\\n")
"""


@pytest.fixture
def accounts(project: pytest.Pytester, made_once: Callable[..., None]) -> Path:
    """Return a database with real rows, and a conftest.py that writes every report to a file."""
    made_once(make_accounts)
    return project.path / "budget_buddy.db"


def make_accounts(project: pytest.Pytester) -> None:
    write(project, "001_accounts.sql", ACCOUNTS)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    path = project.path / "budget_buddy.db"
    change(path, "INSERT INTO accounts (name, cents) VALUES (?, ?)", [(SECRET, 4711), ("x", 1)])
    project.makeconftest(REPORTS)


def write(project: pytest.Pytester, name: str, text: str) -> None:
    folder = project.path / "migrations"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def written_by(project: pytest.Pytester, *options: str) -> str:
    """Run pytest in a process of its own, and return everything that it has said anywhere."""
    for name in ("reports.jsonl", "report.xml"):
        (project.path / name).unlink(missing_ok=True)
    result = project.runpytest("--bb-apply", "-rA", "-v", "--junitxml=report.xml", *options)
    assert result.ret != pytest.ExitCode.OK
    files = [project.path / name for name in ("reports.jsonl", "report.xml")]
    cache = (path for path in (project.path / ".pytest_cache").rglob("*") if path.is_file())
    texts = [path.read_text(errors="replace") for path in (*files, *cache) if path.exists()]
    return "\n".join([result.stdout.str(), result.stderr.str(), *texts])


def assert_hidden(project: pytest.Pytester, *options: str) -> str:
    hidden = written_by(project, *options)

    assert SECRET not in hidden
    assert SECRET in written_by(project, *options, "--bb-show-values")
    return hidden


def test_of_sqls_messages(project: pytest.Pytester, accounts: Path) -> None:
    write(project, "002_fails.sql", FAILS_IN_SQL)

    hidden = assert_hidden(project)

    assert "up does not run: SQLITE_ERROR (not shown" in hidden
    assert accounts.exists()


@pytest.mark.usefixtures("accounts")
def test_of_what_python_says_in_any_way(project: pytest.Pytester) -> None:
    write(project, "002_fails.py", FAILS_IN_PYTHON)

    hidden = assert_hidden(project, "-p", "logging", "-o", "log_level=DEBUG", "-W", "default")

    assert "up does not run: an exception (not shown" in hidden


@pytest.mark.usefixtures("accounts")
def test_of_requirements(project: pytest.Pytester) -> None:
    write(project, "002_fails.sql", REQUIRES)

    hidden = assert_hidden(project)

    assert "cannot be asked of the database as it is then (SQLITE_ERROR (not shown" in hidden
    assert "four copies" not in hidden


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("raises", every(2, ["True", "False"]))
def test_of_the_apps_hook(project: pytest.Pytester, raises: str) -> None:
    project.makepyfile(canary_app=HOOK.replace("{raises}", raises))
    write(project, "002_fails.sql", FAILS_IN_SQL)
    options = ("-o", "bb_connection=canary_app:prepare", "-o", "log_cli=true")

    assert_hidden(project, *options)


@pytest.mark.usefixtures("accounts")
def test_of_smoke_tests(project: pytest.Pytester) -> None:
    write(project, "002_any.sql", "SELECT 1;\n")
    project.makepyfile(test_smoke=SMOKE)

    hidden = assert_hidden(project)

    assert "test_smoke.py::test_app failed" in hidden


def test_the_parameters_of_a_smoke_test_are_values(
    project: pytest.Pytester, accounts: Path
) -> None:
    write(project, "002_any.sql", "SELECT 1;\n")
    project.makepyfile(
        test_smoke=f"""
        import pytest

        @pytest.mark.bb_smoke
        @pytest.mark.parametrize("name", ["{SECRET[:4]}" + "{SECRET[4:]}"])
        def test_app(name):
            assert not name
        """
    )

    hidden = project.runpytest("--bb-apply")

    hidden.stdout.fnmatch_lines(["test_smoke.py::test_app?..? failed"])
    assert accounts.exists()


OWN_BASE = f"""\
CREATE TABLE categories (name TEXT PRIMARY KEY, color TEXT);
WITH RECURSIVE c (n) AS (VALUES (10) UNION ALL SELECT n + 1 FROM c WHERE n < 21)
    INSERT INTO categories SELECT '{SECRET}' || n, '#112233' FROM c;
"""
LEDGER = """\
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY, category TEXT REFERENCES categories (name), cents INTEGER, note TEXT
);
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
"""


def check(project: pytest.Pytester, *options: str) -> str:
    """Check the folder, and return everything that was said of it anywhere."""
    result = project.runpytest(
        "--bb-check-migrations", "-rA", "--junitxml=report.xml", "-W", "default", *options
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED, result.stdout.str()
    xml = (project.path / "report.xml").read_text()
    return "\n".join([result.stdout.str(), result.stderr.str(), xml])


def use_base(project: pytest.Pytester) -> None:
    (project.path / "base.sql").write_text(OWN_BASE)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_base = base.sql\n")


OWN = {
    "002_changes.sql": "UPDATE categories SET name = name || '!', color = 'red';",
    "002_changes_later.sql": (
        "CREATE TABLE copies AS SELECT name AS n FROM categories;\n"
        "UPDATE categories SET name = upper(name);"
    ),
    "002_deletes.sql": "DELETE FROM categories;",
    "002_raises.py": (
        "def up(db):\n    import logging\n    name = db.execute("
        '"SELECT name FROM categories ORDER BY rowid LIMIT 1").fetchone()[0]\n'
        "    print(name); logging.error(name)\n    import warnings; warnings.warn(name)\n"
        "    raise ValueError(name)\n"
    ),
    "002_quotes.sql": (
        "UPDATE ledger SET note = json_extract('{}', (SELECT name FROM categories "
        "ORDER BY rowid LIMIT 1));"
    ),
    "002_carries.sql": (
        "UPDATE notes SET body = (SELECT name FROM categories ORDER BY rowid LIMIT 1);"
    ),
}


@pytest.mark.parametrize("name", every(2, OWN))
def test_rows_of_the_base_are_somebodys_own(project: pytest.Pytester, name: str) -> None:
    write(project, "001_ledger.sql", LEDGER)
    write(project, name, OWN[name])
    use_base(project)

    hidden, shown = check(project), check(project, "--bb-show-values")

    assert not re.search(SECRET, hidden, re.IGNORECASE)
    assert re.search(SECRET, shown, re.IGNORECASE)
    assert "but for your own, of bb_base; --bb-show-values shows the values" in hidden
    assert "but for your own, of bb_base\n" in shown
    assert "none of them real" not in hidden + shown


def test_own_rows_stay_own_in_later_migrations(project: pytest.Pytester) -> None:
    write(project, "001_ledger.sql", LEDGER)
    write(
        project,
        "002_moves.sql",
        "-- bb: changes categories.name\n-- bb: irreversible because of the case\n"
        "CREATE TABLE labels (label TEXT PRIMARY KEY);\n"
        "INSERT INTO labels SELECT reverse_less FROM "
        "(SELECT replace(name, 'H', 'h-') AS reverse_less FROM categories);\n",
    )
    write(project, "003_loses.sql", "DELETE FROM labels;")
    use_base(project)

    hidden = check(project)

    assert "labels lost 24 of 24 rows" in hidden
    assert "label=<text of " in hidden
    assert SECRET[1:] not in hidden


def test_generated_rows_are_shown_beside_own_ones(project: pytest.Pytester) -> None:
    write(project, "001_ledger.sql", LEDGER)
    write(project, "002_drops.sql", "UPDATE ledger SET cents = cents + 1000; DELETE FROM notes;")
    use_base(project)

    hidden = check(project)

    assert re.search(r"id=\d+: \d+ -> \d+", hidden)
    assert re.search(r"id=\d+, body='", hidden)
    assert SECRET not in hidden


def test_rows_that_are_given_are_somebodys_own(project: pytest.Pytester) -> None:
    write(project, "001_ledger.sql", f"{OWN_BASE.partition('WITH')[0]}{LEDGER}")
    write(project, "002_changes.sql", "UPDATE categories SET color = color || name;")
    (project.mkdir("rows") / "categories.json").write_text(
        json.dumps([{"name": SECRET, "color": SECRET}])
    )
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_rows_from = rows\n")

    hidden, shown = check(project), check(project, "--bb-show-values")

    assert SECRET not in hidden
    assert SECRET in shown
    assert "but for your own, of bb_rows_from; --bb-show-values" in hidden


@pytest.mark.parametrize(
    "rows", [[{"name": SECRET}, {"name": SECRET}], [{"name": SECRET, "parent": SECRET * 2}]]
)
def test_own_rows_that_do_not_fit_are_not_quoted(
    project: pytest.Pytester, rows: list[dict[str, str]]
) -> None:
    write(
        project,
        "001_made.sql",
        "CREATE TABLE made (name TEXT PRIMARY KEY, parent TEXT REFERENCES made (name));",
    )
    (project.mkdir("rows") / "made.json").write_text(json.dumps(rows))
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_rows_from = rows\n")

    hidden = check(project)

    assert SECRET not in hidden
    assert "made.json" in hidden


def test_own_rows_are_hidden_in_assertions_too(project: pytest.Pytester) -> None:
    write(project, "001_ledger.sql", LEDGER)
    use_base(project)
    project.makepyfile(
        """
        from pytest_bbmigrate import assert_preserved

        def test_preserved(bb_head, bb_snapshot):
            before = bb_snapshot(bb_head)
            bb_head.conn.execute("UPDATE categories SET name = lower(name) || name")
            bb_head.conn.commit()
            assert_preserved(before, bb_head)
        """
    )

    hidden = project.runpytest()
    shown = project.runpytest("--bb-show-values")

    hidden.assert_outcomes(failed=1)
    assert SECRET not in hidden.stdout.str()
    assert SECRET in shown.stdout.str()
