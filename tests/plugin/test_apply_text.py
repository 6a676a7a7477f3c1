"""One text is checked, rehearsed and applied: what is written meanwhile stops the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask, names

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
ROWS = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300)
INSERT INTO tx SELECT i, i FROM n;
"""
KEEPS = "-- migrate:up\nDELETE FROM tx WHERE amount > 90000;\n-- migrate:down\nSELECT 1;\n"
IMPORTS = """\
from app.money import column
from _names import table

def up(db):
    db[table].add_column(column, str)

def down(db):
    db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
"""
EDITS = """
import pytest
from pathlib import Path

@pytest.mark.bb_migration("002_step")
def test_edits():
    root = Path(__file__).parent
    EDIT
"""


@pytest.fixture
def money(project: pytest.Pytester) -> Path:
    """Return a database of 300 rows, to which a migration with helpers is pending."""
    folder = write(project, m001_tx=TX, m002_step__py=IMPORTS)
    (folder / "_names").mkdir()
    (folder / "_names" / "__init__.py").write_text("table = 'tx'\n")
    (folder / "rates.csv").write_text("EUR,1\n")
    app = project.mkdir("app")
    (app / "__init__.py").touch()
    (app / "money.py").write_text("from .words import column\n")
    (app / "words.py").write_text("column = 'note'\n")
    (project.path / "app" / "other.py").touch()
    return database(project, TX + ROWS, "001_tx")


@pytest.mark.parametrize(
    ("edit", "named"),
    every(
        2,
        [
            ("(root / 'migrations/001_tx.sql').write_text('-- a word')", "migrations/001_tx.sql"),
            (
                "(root / 'migrations/_names/__init__.py').write_text('table=1')",
                "_names/__init__.py",
            ),
            ("(root / 'migrations/rates.csv').write_text('EUR,2')", "migrations/rates.csv"),
            ("(root / 'app/words.py').write_text('column = 1')", "app/words.py"),
            ("(root / 'tox.ini').write_text('[pytest]')", "tox.ini"),
        ],
    ),
)
def test_a_file_that_is_changed_during_the_session_stops_the_run_and_is_named(
    project: pytest.Pytester, money: Path, edit: str, named: str
) -> None:
    project.makepyfile(test_it=EDITS.replace("EDIT", edit))
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", "-p", "no:cacheprovider")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*{named} was changed", "*run again"])
    assert money.read_bytes() == before


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("(root / 'migrations/003_new.sql').write_text('SELECT 1;')", "was not there before"),
        ("(root / 'migrations/rates.csv').unlink()", "is gone"),
    ],
)
def test_a_file_that_comes_or_goes_during_the_session_stops_the_run(
    project: pytest.Pytester, money: Path, edit: str, what: str
) -> None:
    project.makepyfile(test_it=EDITS.replace("EDIT", edit))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*migrations/* {what}"])
    assert names(money) == ["001_tx"]


def test_contract_lines_outside_the_files_are_of_what_was_checked(
    project: pytest.Pytester, money: Path
) -> None:
    edit = "(root / 'c.toml').write_text('002_step = []')"
    project.makepyfile(test_it=EDITS.replace("EDIT", edit))
    project.path.joinpath("c.toml").write_text("002_step = ['foreign_keys on']\n")
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", "-p", "no:cacheprovider", "-o", "bb_contracts=c.toml")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*c.toml was changed", "*run again"])
    assert money.read_bytes() == before


def test_a_contract_that_is_written_during_the_session_allows_nothing(
    project: pytest.Pytester,
) -> None:
    write(project, m001_tx=TX, m002_step=KEEPS)
    money = database(project, TX + ROWS + "UPDATE tx SET amount = 90001", "001_tx")
    edit = "f = root / 'migrations/002_step.sql'; f.write_text('-- bb: deletes tx\\n' + {})"
    project.makepyfile(test_it=EDITS.replace("EDIT", edit.format("f.read_text()")))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*migrations/002_step.sql was changed"])
    assert ask(money, "SELECT count(*) FROM tx") == [(300,)]
    assert names(money) == ["001_tx"]


def test_what_no_migration_imports_may_be_edited_meanwhile(
    project: pytest.Pytester, money: Path
) -> None:
    edit = "(root / 'app/other.py').write_text('x = 1'); (root / 'migrations/README.md').touch()"
    project.makepyfile(test_it=EDITS.replace("EDIT", edit))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT count(*), count(note) FROM tx") == [(300, 0)]
    assert names(money) == ["001_tx", "002_step"]


WORKER = """
import os

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        from pathlib import Path
        Path(__file__).with_name("migrations").joinpath("002_step.sql").write_text("SELECT 2;")

def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput"):
        from pathlib import Path
        Path(__file__).with_name("migrations").joinpath("002_step.sql").write_text(TEXT)
"""


def test_workers_that_judged_another_text_prove_nothing(project: pytest.Pytester) -> None:
    write(project, m001_tx=TX, m002_step=KEEPS)
    money = database(project, TX + ROWS, "001_tx")
    project.makeconftest(WORKER.replace("TEXT", repr(KEEPS)))

    result = project.runpytest_subprocess("-p", "xdist", "--bb-apply", "-n1")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["002_step: * judged another text than the one that is to be *"])
    assert names(money) == ["001_tx"]
