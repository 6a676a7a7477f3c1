"""``pytest --bb-rollback``: roll back on a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.real_database import (
    NAMED_ACCOUNTS,
    SECRET,
    ask,
    change,
    names,
    run_sql,
    write_steps,
)

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = """\
-- migrate:up
ALTER TABLE accounts ADD COLUMN trip TEXT;
-- migrate:down
ALTER TABLE accounts DROP COLUMN trip;
"""
BY_NAME = """\
-- migrate:up
CREATE INDEX by_name ON accounts (name);
-- migrate:down
DROP INDEX by_name;
"""
SHORTENS = """\
-- migrate:up
CREATE INDEX by_name ON accounts (name);
-- migrate:down
DROP INDEX by_name;
DELETE FROM accounts WHERE length(name) > 90000;
"""


def make_money(project: pytest.Pytester) -> None:
    """Make a database that got one migration, a row, and two more migrations in one apply."""
    path = project.path / "budget_buddy.db"
    write_steps(project, NAMED_ACCOUNTS)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    change(path, "INSERT INTO accounts (name) VALUES (?)", [(SECRET,)])
    write_steps(project, NAMED_ACCOUNTS, TRIPS, BY_NAME)
    assert project.runpytest("--bb-apply").ret == pytest.ExitCode.OK


def test_the_last_apply_is_taken_back_and_rows_written_since_stay(
    project: pytest.Pytester, money: Path
) -> None:
    run_sql(money, "INSERT INTO accounts (name) VALUES ('written since')")

    result = project.runpytest("--bb-rollback", "-v")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db::rehearsal PASSED*",
            "budget_buddy.db::verify PASSED*",
            "rolled back 003_step, 002_step",
            "changed   accounts: without trip",
            "backup    budget_buddy.db.backup.*",
        ]
    )
    assert names(money) == ["001_step"]
    assert ask(money, "SELECT * FROM accounts") == [(1, SECRET), (2, "written since")]
    assert ask(money, "SELECT name FROM sqlite_master WHERE type = 'index'") == [
        ("sqlite_autoindex__bb_migrations_1",)
    ]


@pytest.mark.parametrize(
    ("which", "left"),
    [("1", ["001_step", "002_step"]), ("002_step", ["001_step", "002_step"]), ("2", ["001_step"])],
)
def test_a_number_or_a_name_says_how_far(
    project: pytest.Pytester, money: Path, which: str, left: list[str]
) -> None:
    result = project.runpytest(f"--bb-rollback={which}")

    assert result.ret == pytest.ExitCode.OK
    assert names(money) == left


def test_values_that_would_go_are_counted_and_want_a_flag(
    project: pytest.Pytester, money: Path
) -> None:
    change(money, "UPDATE accounts SET trip = ?", [(SECRET,)])
    before = money.read_bytes()

    refused = project.runpytest("--bb-rollback")
    kept = money.read_bytes()
    forced = project.runpytest("--bb-rollback", "--bb-discard-changes")

    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    refused.stdout.fnmatch_lines(
        [
            "what would go with the migrations holds values:",
            "  1 value in accounts.trip",
            "not rolled back: rehearsal failed; budget_buddy.db is as it was",
        ]
    )
    assert not any(SECRET in line for line in refused.outlines)
    assert kept == before
    assert forced.ret == pytest.ExitCode.OK
    assert names(money) == ["001_step"]


def test_a_way_back_that_loses_a_real_row_is_not_published(
    project: pytest.Pytester, money: Path
) -> None:
    project.runpytest("--bb-rollback=1")
    write_steps(project, NAMED_ACCOUNTS, TRIPS, SHORTENS)
    project.runpytest("--bb-apply")
    change(money, "INSERT INTO accounts (name) VALUES (?)", [(SECRET * 5000,)])
    before = money.read_bytes()

    result = project.runpytest("--bb-rollback")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*003_step: rolls_back: accounts lost 1 of 2 rows*"])
    assert not any(SECRET in line for line in result.outlines)
    assert money.read_bytes() == before


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("9", "--bb-rollback=9: 3 migrations are applied*"),
        ("0", "--bb-rollback=0: *; or give how many to roll back, at most 3"),
        ("-1", "--bb-rollback=-1: no migration is called '-1'; the nearest there is: 00*"),
        ("009_nothing", "--bb-rollback=009_nothing: no migration is called '009_nothing'; *"),
    ],
)
def test_a_value_that_names_no_version_is_a_usage_error(
    project: pytest.Pytester, money: Path, which: str, message: str
) -> None:
    before = money.read_bytes()

    result = project.runpytest(f"--bb-rollback={which}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert money.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--bb-rollback", "--bb-db=typo.db"], "*typo.db: no such database file*")],
)
def test_bad_input_is_one_clear_message(
    project: pytest.Pytester, money: Path, arguments: list[str], message: str
) -> None:
    before = money.read_bytes()

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])
    assert money.read_bytes() == before


def test_what_has_no_way_back_is_not_taken_back(project: pytest.Pytester, money: Path) -> None:
    write_steps(project, NAMED_ACCOUNTS, TRIPS, BY_NAME, "CREATE INDEX another ON accounts (trip);")
    project.runpytest("--bb-apply")
    before = money.read_bytes()

    result = project.runpytest("--bb-rollback")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["cannot be rolled back: 004_step", "004_step has no down part; *"])
    assert money.read_bytes() == before
