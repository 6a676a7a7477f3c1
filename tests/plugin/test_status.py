from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.history.table import Applied, make_history, record
from tests.plugin.sample import UNFINISHED, write_migrations

if TYPE_CHECKING:
    from pathlib import Path

RENAMES = """\
-- Migration: Notes become memos
-- bb: renames transactions.note -> transactions.memo
ALTER TABLE transactions RENAME COLUMN note TO memo;
"""


def make_database(project: pytest.Pytester, *names: str, journal: str = "delete") -> Path:
    """Write a database whose history has the migrations called ``names``; return its path."""
    path = project.path / "budget_buddy.db"
    catalogue = read_catalogue(project.path / "migrations")
    checksums = {migration.name: migration.checksum for migration in catalogue.migrations}
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        for name in names:
            checksum = checksums.get(name, "0")
            record(db, Applied(name, checksum, "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
    return path


def files_of(project: pytest.Pytester) -> dict[str, bytes]:
    """Return the content of every file at the root of the project."""
    return {path.name: path.read_bytes() for path in project.path.iterdir() if path.is_file()}


def test_without_a_database_the_catalogue_is_listed(project: pytest.Pytester) -> None:
    write_migrations(project)
    before = files_of(project)

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == [
        "budget_buddy.db is not there yet: 0 of 3 migrations applied, 3 pending",
        "",
        "pending       001_accounts: Accounts and their transactions",
        "pending       002_trip_tags: A tag for the trip that a transaction belongs to",
        "pending       003_funds",
    ]
    assert files_of(project) == before


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_what_is_applied_and_what_is_pending_is_told(
    project: pytest.Pytester, journal: str
) -> None:
    write_migrations(project, _004_memo__sql=RENAMES)
    make_database(project, "001_accounts", "002_trip_tags", "003_funds", journal=journal)
    before = files_of(project)

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == [
        "budget_buddy.db: 3 of 4 migrations applied, 1 pending",
        "",
        "applied       001_accounts: 2026-01-05T10:00:00+00:00",
        "applied       002_trip_tags: 2026-01-05T10:00:00+00:00",
        "applied       003_funds: 2026-01-05T10:00:00+00:00",
        "pending       004_memo: Notes become memos",
        "              renames transactions.note -> transactions.memo",
    ]
    assert files_of(project) == before


def test_verbosely_the_statements_are_shown(project: pytest.Pytester) -> None:
    write_migrations(project, _004_memo__sql=RENAMES)
    make_database(project, "001_accounts", "002_trip_tags", "003_funds")

    result = project.runpytest("--bb-status", "-v")

    assert result.outlines[5:] == [
        "pending       004_memo: Notes become memos",
        "              renames transactions.note -> transactions.memo",
        "                   3  ALTER TABLE transactions RENAME COLUMN note TO memo",
    ]


def test_what_is_not_as_it_was_applied_is_told(project: pytest.Pytester) -> None:
    folder = write_migrations(project)
    make_database(project, "002_trip_tags", "003_funds", "009_gone")
    with (folder / "003_funds.py").open("a") as file:
        file.write("\n\nFUNDS = 1\n")

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines[0] == (
        "budget_buddy.db: 2 of 3 migrations applied, 1 pending, 1 changed since, 1 out of order, "
        "1 missing"
    )
    assert [line.split(":")[0] for line in result.outlines[2:]] == [
        "out of order  001_accounts",
        "applied       002_trip_tags",
        "changed       003_funds",
        "missing       009_gone",
    ]


def test_a_database_that_has_no_history_is_told(project: pytest.Pytester) -> None:
    write_migrations(project)
    make_database(project)

    result = project.runpytest("--bb-status", "--bb-db=budget_buddy.db")

    assert result.outlines[0].startswith("budget_buddy.db has no history: 0 of 3 ")


def test_a_history_without_a_migration_is_one(project: pytest.Pytester) -> None:
    write_migrations(project)
    with closing(sqlite3.connect(make_database(project))) as db, db:
        make_history(db)

    result = project.runpytest("--bb-status", "--bb-db=budget_buddy.db")

    assert result.outlines[0] == "budget_buddy.db: 0 of 3 migrations applied, 3 pending"


def test_a_database_elsewhere_is_named_in_full(project: pytest.Pytester, tmp_path: Path) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-status", f"--bb-db={tmp_path}/../elsewhere.db")

    assert result.outlines[0].startswith(f"{tmp_path.parent}/elsewhere.db is not there yet: ")


def test_a_writer_at_work_is_not_in_the_way(project: pytest.Pytester) -> None:
    write_migrations(project)
    path = make_database(project, "001_accounts", journal="wal")

    with closing(sqlite3.connect(path)) as db:
        record(db, Applied("002_trip_tags", "0", "2026-01-06T10:00:00+00:00", 0.1, 2, 1))
        result = project.runpytest("--bb-status")

    assert result.outlines[0] == "budget_buddy.db: 1 of 3 migrations applied, 2 pending"


def test_an_unfinished_write_is_looked_past_and_left_to_the_app(project: pytest.Pytester) -> None:
    write_migrations(project)
    path = make_database(project, "001_accounts")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
        db.execute("CREATE TABLE t (a)")
        db.execute("BEGIN")
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999) "
            "INSERT INTO t SELECT randomblob(999) FROM n"
        )
        crashed = files_of(project)
    for name, content in crashed.items():
        (project.path / name).write_bytes(content)

    result = project.runpytest("--bb-status")

    assert "budget_buddy.db-journal" in crashed
    assert result.ret == pytest.ExitCode.OK
    assert result.outlines[0] == "budget_buddy.db: 1 of 3 migrations applied, 2 pending"
    assert files_of(project) == crashed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Dear diary, " * 99, "*budget_buddy.db: cannot be read as an SQLite database (*)"),
        (None, "*budget_buddy.db: *"),
    ],
)
def test_what_is_no_database_is_a_usage_error(
    project: pytest.Pytester, content: bytes | None, message: str
) -> None:
    write_migrations(project)
    path = project.path / "budget_buddy.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_table_that_is_no_history_of_ours_is_a_usage_error(project: pytest.Pytester) -> None:
    write_migrations(project)
    with closing(sqlite3.connect(project.path / "budget_buddy.db")) as db, db:
        db.execute("CREATE TABLE _bb_migrations (version)")

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the table _bb_migrations is not a history that *"])


def test_a_folder_that_does_not_read_is_a_usage_error(project: pytest.Pytester) -> None:
    write_migrations(project, _004_broken__sql=UNFINISHED)

    result = project.runpytest("--bb-status")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *004_broken.sql:1: *"])


def test_two_commands_at_once_are_refused(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-status", "--bb-new=accounts")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --bb-status and --bb-new are two commands; *"])


def test_nothing_is_collected(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile("raise SystemExit('imported')")

    assert project.runpytest("--bb-status").ret == pytest.ExitCode.OK
