"""Which database a database is, through everything that is done to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.plugin.real_database import NAMED_ACCOUNTS, ask, write_steps

if TYPE_CHECKING:
    from pathlib import Path

OWNER = """\
-- migrate:up
ALTER TABLE accounts ADD COLUMN owner TEXT;
-- migrate:down
ALTER TABLE accounts DROP COLUMN owner;
"""
MEDDLES = """\
-- migrate:up
UPDATE _bb_database SET id = 'another', digests = '{"x": "y"}';
CREATE TABLE trips (id INTEGER PRIMARY KEY);
"""


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    result = project.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.OK, [*result.outlines, *result.errlines]
    return result


def id_of(path: Path) -> str:
    ((identity,),) = ask(path, "SELECT id FROM _bb_database")
    assert len(identity) == 32
    return str(identity)


def make_money(project: pytest.Pytester) -> None:
    """Make a database with one migration applied."""
    write_steps(project, NAMED_ACCOUNTS)
    run(project, "--bb-apply", "--bb-create")


def test_a_database_keeps_the_id_that_its_first_apply_gave_it(
    project: pytest.Pytester, money: Path
) -> None:
    made = id_of(money)
    write_steps(project, NAMED_ACCOUNTS, OWNER)
    run(project, "--bb-apply")
    applied = id_of(money)
    run(project, "--bb-rollback")
    rolled_back = id_of(money)
    run(project, "--bb-rollback")

    assert [applied, rolled_back, id_of(money)] == [made] * 3
    assert ask(money, "SELECT count(*) FROM _bb_migrations") == [(0,)]


def test_a_history_from_before_there_were_ids_is_read_and_completed(
    project: pytest.Pytester, money: Path
) -> None:
    with closing(sqlite3.connect(money)) as db:
        db.execute("DROP TABLE _bb_database")
    status = run(project, "--bb-status")
    write_steps(project, NAMED_ACCOUNTS, OWNER)
    run(project, "--bb-apply")

    status.stdout.fnmatch_lines(["budget_buddy.db: 1 of 1 migrations applied, 0 pending"])
    assert id_of(money)
    assert ask(money, "SELECT name FROM _bb_migrations") == [("001_step",), ("002_step",)]


def test_a_rollback_completes_it_too(project: pytest.Pytester, money: Path) -> None:
    with closing(sqlite3.connect(money)) as db:
        db.execute("DROP TABLE _bb_database")
    run(project, "--bb-rollback")

    assert id_of(money)


def test_an_adopted_database_gets_an_id(project: pytest.Pytester) -> None:
    write_steps(project, NAMED_ACCOUNTS)
    path = project.path / "budget_buddy.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    run(project, "--bb-adopt=auto")

    assert id_of(path)


def test_two_databases_have_two_ids(project: pytest.Pytester, money: Path) -> None:
    run(project, "--bb-apply", "--bb-create", "--bb-db=other.db")

    assert id_of(money) != id_of(project.path / "other.db")


def test_a_migration_cannot_make_it_another_database(project: pytest.Pytester, money: Path) -> None:
    made = id_of(money)
    write_steps(project, NAMED_ACCOUNTS, MEDDLES)
    project.runpytest("--bb-apply")

    assert id_of(money) == made
    assert "y" not in ask(money, "SELECT digests FROM _bb_database")[0][0]


PATCHES = """\
from pytest_bbmigrate.apply.rehearsal import working_copy
from pytest_bbmigrate.history.identity import Identity, write_identity

def patch(db):
    working_copy.write_identity = lambda db, _: write_identity(db, Identity("another"))
"""
UP = """

def up(db):
    db.execute("CREATE TABLE trips (id INTEGER PRIMARY KEY)")
    patch(db)
"""


def test_what_the_app_forges_in_the_rehearsal_is_not_published(
    project: pytest.Pytester, money: Path
) -> None:
    before = money.read_bytes()
    (project.path / "migrations" / "002_step.sql").write_text("CREATE TABLE trips (id INTEGER);")
    (project.path / "app.py").write_text(PATCHES)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:patch\n")

    result = project.runpytest_subprocess("--bb-apply")  # what is patched stays so

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*a migration has written to _bb_database, and the result*"])
    assert money.read_bytes() == before


def test_what_a_migration_patches_ends_with_its_process(
    project: pytest.Pytester, money: Path
) -> None:
    (project.path / "migrations" / "002_step.py").write_text(PATCHES + UP)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT count(*) FROM _bb_database WHERE id = 'another'") == [(0,)]
