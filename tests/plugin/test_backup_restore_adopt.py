"""--bb-backup, --bb-restore and --bb-adopt on a real database."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.history.table import Applied, record
from tests.plugin.real_database import SECRET, ask, backups, run_sql, write_steps

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNERS = "ALTER TABLE accounts ADD COLUMN owner TEXT;\n"
TIDY = "-- bb: changes accounts.name\nUPDATE accounts SET name = trim(name);\n"


@pytest.fixture
def money(project: pytest.Pytester) -> Path:
    """Return a database that three migrations made by hand, with rows and without a history."""
    write_steps(project, ACCOUNTS, OWNERS)
    path = project.path / "budget_buddy.db"
    run_sql(path, ACCOUNTS, OWNERS, f"INSERT INTO accounts VALUES (1, 'checking', '{SECRET}')")
    return path


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_backup_holds_what_the_database_holds(
    project: pytest.Pytester, money: Path, journal: str
) -> None:
    money.chmod(0o640)
    with closing(sqlite3.connect(money, isolation_level=None)) as app:  # the app goes on with it
        app.execute(f"PRAGMA journal_mode = {journal}")
        app.execute("INSERT INTO accounts VALUES (2, 'savings', NULL)")
        result = project.runpytest("--bb-backup")

    (backup,) = backups(project)
    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == [f"backed up to {backup.name}"]
    assert ask(backup, "SELECT * FROM accounts") == [(1, "checking", SECRET), (2, "savings", None)]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("command", ["--bb-restore", "--bb-backup", "--bb-new=next"])
def test_who_asks_for_help_has_nothing_done(
    project: pytest.Pytester, money: Path, command: str, option: str
) -> None:
    assert project.runpytest("--bb-backup").ret == pytest.ExitCode.OK
    run_sql(money, "DELETE FROM accounts")
    before = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}

    result = project.runpytest(command, "--bb-discard-changes", option)

    assert result.ret == pytest.ExitCode.OK
    assert {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bb-backup", "--bb-db=typo.db"], "*typo.db: no such *"),
        (["--bb-backup", "--bb-db=migrations"], "*migrations*"),
        (["--bb-restore"], "*no backup*"),
        (["--bb-restore=nowhere.db"], "*nowhere.db: no such file*"),
        (["--bb-restore=budget_buddy.db"], "*that is the database itself*"),
        (["--bb-adopt", "--bb-backup"], "*are two commands; give one of them"),
        (["--bb-adopt=009_nothing"], "*009_nothing*"),
    ],
)
def test_bad_input_is_one_clear_message_and_nothing_is_written(
    project: pytest.Pytester, money: Path, arguments: list[str], message: str
) -> None:
    before, files = money.read_bytes(), sorted(project.path.iterdir())

    result = project.runpytest(*arguments)

    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR)
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert not any("Traceback" in line for line in [*result.outlines, *result.errlines])
    assert money.read_bytes() == before
    assert sorted(project.path.iterdir()) == files


def test_a_database_migrated_by_hand_is_recognised_and_nothing_is_written(
    project: pytest.Pytester, money: Path
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-adopt")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == [
        "budget_buddy.db: it is at the version 002_step",
        "there      001_step, 002_step",
        "--bb-adopt=auto records that; nothing was written",
    ]
    assert money.read_bytes() == before


def test_adopting_may_still_be_called_bb_baseline(project: pytest.Pytester, money: Path) -> None:
    by_its_earlier_name = project.runpytest("--bb-baseline")
    recorded = project.runpytest("--bb-baseline=auto")

    assert by_its_earlier_name.outlines[-1] == "--bb-adopt=auto records that; nothing was written"
    assert recorded.ret == pytest.ExitCode.OK
    assert money.is_file()


def test_it_is_adopted_and_then_migrated(project: pytest.Pytester, money: Path) -> None:
    adopted = project.runpytest("--bb-adopt=auto")
    status = project.runpytest("--bb-status")
    write_steps(project, ACCOUNTS, OWNERS, "CREATE INDEX by_owner ON accounts (owner);\n")
    applied = project.runpytest("--bb-apply")

    assert adopted.ret == pytest.ExitCode.OK
    adopted.stdout.fnmatch_lines(["2 migrations recorded as applied; --bb-apply goes on *"])
    status.stdout.fnmatch_lines(["budget_buddy.db: 2 of 2 migrations applied, 0 pending"])
    assert applied.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT name FROM _bb_migrations") == [
        ("001_step",),
        ("002_step",),
        ("003_step",),
    ]
    assert ask(money, "SELECT * FROM accounts") == [(1, "checking", SECRET)]


def test_versions_that_differ_in_data_alone_are_for_the_user_to_tell_apart(
    project: pytest.Pytester, money: Path
) -> None:
    write_steps(project, ACCOUNTS, OWNERS, TIDY)

    guessed = project.runpytest("--bb-adopt=auto")
    named = project.runpytest("--bb-adopt=002_step")

    assert guessed.ret == pytest.ExitCode.TESTS_FAILED
    guessed.stderr.fnmatch_lines(["*it is at one of the versions 002_step*003_step*"])
    assert named.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT name FROM _bb_migrations") == [("001_step",), ("002_step",)]


def test_a_database_with_a_history_is_not_adopted_again(
    project: pytest.Pytester, money: Path
) -> None:
    project.runpytest("--bb-adopt=auto")
    before = money.read_bytes()

    result = project.runpytest("--bb-adopt=auto")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines(["ERROR: *has a history already*"])
    assert money.read_bytes() == before


def history_of_two(project: pytest.Pytester, path: Path) -> None:
    catalogue = read_catalogue(project.path / "migrations")
    with closing(sqlite3.connect(path)) as db, db:
        for migration in catalogue.migrations:
            at = "2026-01-05T10:00:00+00:00"
            record(db, Applied(migration.name, migration.checksum, at, 0.1, 1, 1))


def test_right_after_an_apply_a_restore_needs_no_flag(
    project: pytest.Pytester, money: Path
) -> None:
    history_of_two(project, money)
    write_steps(project, ACCOUNTS, OWNERS, "CREATE TABLE trips (id INTEGER PRIMARY KEY);\n")
    applied = project.runpytest("--bb-apply")
    result = project.runpytest("--bb-restore")

    assert applied.ret == result.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT name FROM sqlite_master WHERE name = 'trips'") == []
    assert ask(money, "SELECT * FROM accounts") == [(1, "checking", SECRET)]
    result.stdout.fnmatch_lines(
        ["budget_buddy.db holds what budget_buddy.db.backup.* holds", "what it held before is in *"]
    )


def test_a_newer_backup_that_no_apply_recorded_is_told_and_not_taken(
    project: pytest.Pytester, money: Path
) -> None:
    history_of_two(project, money)
    write_steps(project, ACCOUNTS, OWNERS, "CREATE TABLE trips (id INTEGER PRIMARY KEY);\n")
    project.runpytest("--bb-apply")
    (recorded,) = backups(project)
    left = recorded.with_name("budget_buddy.db.backup.29990101_000000")
    left.write_bytes(money.read_bytes())

    result = project.runpytest("--bb-restore")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"note      {left.name} is newer, and not recorded by an apply: *{recorded.name}",
            f"budget_buddy.db holds what {recorded.name} holds",
        ]
    )
    assert ask(money, "SELECT name FROM sqlite_master WHERE name = 'trips'") == []


def test_a_restore_refuses_to_lose_what_was_written_and_says_where(
    project: pytest.Pytester, money: Path
) -> None:
    history_of_two(project, money)
    write_steps(project, ACCOUNTS, OWNERS, "CREATE TABLE trips (id INTEGER PRIMARY KEY);\n")
    project.runpytest("--bb-apply")
    (backup,) = backups(project)
    run_sql(money, "INSERT INTO accounts VALUES (2, 'savings', NULL)")
    run_sql(money, "CREATE VIEW kinds AS SELECT DISTINCT name FROM accounts")
    before = money.read_bytes()

    refused = project.runpytest("--bb-restore")
    kept = money.read_bytes()
    forced = project.runpytest(f"--bb-restore={backup.name}", "--bb-discard-changes")

    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    refused.stderr.fnmatch_lines(
        [
            "*would lose what was written or defined since:",
            "  accounts: 1 row more since the apply",
            "  view kinds: made since the apply",
        ]
    )
    assert not any(SECRET in line for line in [*refused.outlines, *refused.errlines])
    assert kept == before
    assert forced.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT * FROM accounts") == [(1, "checking", SECRET)]
    (safety,) = [path for path in backups(project) if path != backup]
    assert ask(safety, "SELECT id FROM accounts") == [(1,), (2,)]
    assert ask(money, "SELECT name FROM sqlite_master WHERE type = 'view'") == []


def test_a_database_that_is_gone_is_restored(project: pytest.Pytester, money: Path) -> None:
    money.chmod(0o640)
    project.runpytest("--bb-backup")
    money.unlink()

    result = project.runpytest("--bb-restore")

    assert result.ret == pytest.ExitCode.OK
    assert ask(money, "SELECT * FROM accounts") == [(1, "checking", SECRET)]
    assert stat.S_IMODE(money.stat().st_mode) == 0o640
    assert len(backups(project)) == 1


def test_a_restore_while_somebody_has_it_open_is_refused(
    project: pytest.Pytester, money: Path
) -> None:
    project.runpytest("--bb-backup")
    before = money.read_bytes()
    code = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "db.execute('SELECT * FROM accounts').fetchall(); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(money)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as app:
        assert app.stdout is not None
        app.stdout.readline()
        result = project.runpytest("--bb-restore", "--bb-discard-changes")
        app.kill()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines([f"ERROR: *pid {app.pid}*"])
    assert money.read_bytes() == before
