"""The history table."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import astuple
from datetime import datetime, timedelta

import pytest

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.batches import (
    backups_of,
    contents_of,
    record_backup,
    record_contents,
    remove,
)
from pytest_bbmigrate.history.table import (
    CREATE_HISTORY,
    has_history,
    lacks_history,
    last_batch,
    make_history,
    read_history,
    record,
    rename,
    utc_now,
)
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE
from tests.core.history.recorded import FIRST, SECOND, THIRD

DEEP = "[" * 5000
ENDLESS = '{"t": [1e400, "x"]}'
OLDER = """\
CREATE TABLE _bb_migrations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    batch INTEGER NOT NULL,
    statements INTEGER NOT NULL
)"""


def test_reading_creates_nothing(db: sqlite3.Connection) -> None:
    assert read_history(db) == ()
    assert contents_of(db, 1) == {}
    assert backups_of(db) == {}
    assert not has_history(db)
    assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_what_is_recorded_is_read_in_the_order_applied(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record(db, SECOND)

    assert read_history(db) == (FIRST, SECOND)


def test_the_order_outlives_a_row_taken_out_and_a_vacuum(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record(db, SECOND)
    remove(db, "001_a")
    db.execute("VACUUM")
    record(db, FIRST)

    assert read_history(db) == (SECOND, FIRST)


def test_an_empty_history_is_read_as_such(db: sqlite3.Connection) -> None:
    db.execute(CREATE_HISTORY)

    assert read_history(db) == ()
    assert has_history(db)


def test_a_record_is_part_of_the_transaction_that_is_open(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    record(db, FIRST)
    record_contents(db, 1, [("t", 1, "aa")])
    record_backup(db, 1, "x.db.backup")
    db.execute("ROLLBACK")

    assert read_history(db) == ()
    assert not has_history(db)


def test_a_migration_is_recorded_once(db: sqlite3.Connection) -> None:
    record(db, FIRST)

    with pytest.raises(sqlite3.IntegrityError):
        record(db, FIRST)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "CREATE TABLE _bb_migrations (id, name, batch)",
            "no column checksum, applied_at, seconds, statements",
        ),
        ("CREATE TABLE _BB_Migrations (id, name, batch)", "no column checksum"),
        ("CREATE VIEW _bb_migrations AS SELECT 1 AS id", "it is no ordinary table"),
        (f"CREATE VIRTUAL TABLE {HISTORY_TABLE} USING fts5(name)", "it is no ordinary table"),
    ],
)
def test_a_table_of_that_name_that_is_not_ours_is_told(
    db: sqlite3.Connection, script: str, reason: str
) -> None:
    db.execute(script)

    for use in (read_history, has_history, lacks_history, lambda db: record(db, FIRST)):
        with pytest.raises(BBMigrateError, match=f"{reason}.*; rename the table if it is yours"):
            use(db)


@pytest.mark.parametrize(
    ("column", "value"),
    [("name", b"001_a"), ("batch", "two"), ("seconds", "long"), ("applied_at", b"\xff")],
)
def test_a_row_that_does_not_read_is_told(
    db: sqlite3.Connection, column: str, value: object
) -> None:
    record(db, FIRST)
    db.execute(f"UPDATE {HISTORY_TABLE} SET {column} = ?", [value])

    with pytest.raises(BBMigrateError, match=rf"a value in its column {column} .*; correct it"):
        read_history(db)


def test_the_schema_leaves_out_the_table_that_the_history_makes(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record_contents(db, 1, [("t", 1, "aa")])

    assert read_schema(db).tables == ()


@pytest.mark.parametrize(
    ("script", "lacking"),
    [
        ("", False),
        ("CREATE TABLE t (a)", True),
        ("CREATE VIEW v AS SELECT 1", True),
        (f"CREATE TABLE t (a); {CREATE_HISTORY}", False),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE t", False),
    ],
)
def test_tables_without_a_history_are_told(
    db: sqlite3.Connection,
    script: str,
    lacking: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    db.executescript(script)

    assert lacks_history(db) is lacking


def test_the_last_batch_is_the_highest(db: sqlite3.Connection) -> None:
    assert last_batch(read_history(db)) == 0
    for applied in (THIRD, FIRST):
        record(db, applied)

    assert last_batch(read_history(db)) == 2


def test_a_time_is_in_utc_to_the_second() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", utc_now())
    assert datetime.fromisoformat(utc_now()).utcoffset() == timedelta(0)


def test_a_renamed_file_has_its_new_name_in_its_old_place(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record(db, SECOND)
    rename(db, "001_a", "001_accounts")

    assert [applied.name for applied in read_history(db)] == ["001_accounts", "000_b"]
    with pytest.raises(sqlite3.IntegrityError):
        rename(db, "000_b", "001_accounts")


def test_what_is_not_there_is_neither_renamed_nor_removed_nor_added_to(
    db: sqlite3.Connection,
) -> None:
    with pytest.raises(LookupError, match="no migration 001_a"):
        rename(db, "001_a", "b")
    with pytest.raises(LookupError, match="no migration 001_a"):
        remove(db, "001_a")
    with pytest.raises(LookupError, match="no batch 1"):
        record_contents(db, 1, [])
    with pytest.raises(LookupError, match="no batch 1"):
        record_backup(db, 1, "x")


def test_an_older_table_is_read_and_given_what_it_lacks_on_the_first_record(
    db: sqlite3.Connection,
) -> None:
    db.execute(OLDER)
    db.execute(f"INSERT INTO {HISTORY_TABLE} VALUES (7, ?, ?, ?, ?, ?, ?)", astuple(FIRST))

    assert read_history(db) == (FIRST,)
    assert contents_of(db, 1) == {}
    assert backups_of(db) == {}
    assert db.execute("SELECT sql FROM sqlite_schema").fetchone() == (OLDER,)

    record(db, SECOND)
    record_contents(db, 1, [("t", 1, "x")])

    assert read_history(db) == (FIRST, SECOND)
    assert contents_of(db, 1) == {"t": (1, "x")}


def test_an_older_table_is_altered_within_the_transaction(db: sqlite3.Connection) -> None:
    db.execute(OLDER)
    db.execute("BEGIN")
    make_history(db)
    db.execute("ROLLBACK")

    assert db.execute("SELECT sql FROM sqlite_schema").fetchone() == (OLDER,)
