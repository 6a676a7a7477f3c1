"""The history table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history import CREATE_HISTORY, HISTORY_TABLE, Applied, read_history, record
from pytest_bbmigrate.schema import HISTORY_TABLE as HISTORY_TABLE_OF_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = Applied("001_a", "abc", "2026-01-02T03:04:05Z", 0.25, 1, 3)
SECOND = Applied("000_b", "def", "2026-01-02T03:04:06Z", 1.5, 1, 0)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def test_reading_creates_nothing(db: sqlite3.Connection) -> None:
    assert read_history(db) == ()
    assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_what_is_recorded_is_read_in_the_order_applied(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record(db, SECOND)

    assert read_history(db) == (FIRST, SECOND)


def test_the_order_outlives_a_row_taken_out_and_a_vacuum(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record(db, SECOND)
    db.execute(f"DELETE FROM {HISTORY_TABLE} WHERE name = '001_a'")
    db.execute("VACUUM")
    record(db, FIRST)

    assert read_history(db) == (SECOND, FIRST)


def test_an_empty_history_is_read_as_such(db: sqlite3.Connection) -> None:
    db.execute(CREATE_HISTORY)

    assert read_history(db) == ()


def test_a_record_is_part_of_the_transaction_that_is_open(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    record(db, FIRST)
    db.execute("ROLLBACK")

    assert read_history(db) == ()


def test_a_migration_is_recorded_once(db: sqlite3.Connection) -> None:
    record(db, FIRST)

    with pytest.raises(sqlite3.IntegrityError):
        record(db, FIRST)


def test_a_table_of_that_name_that_is_not_ours_is_told(db: sqlite3.Connection) -> None:
    db.execute(f"CREATE TABLE {HISTORY_TABLE} (id, name, batch)")

    with pytest.raises(
        BBMigrateError, match="no column checksum, applied_at, seconds, statements; rename the"
    ):
        read_history(db)


def test_the_schema_leaves_out_the_table_that_the_history_makes() -> None:
    assert HISTORY_TABLE == HISTORY_TABLE_OF_SCHEMA
