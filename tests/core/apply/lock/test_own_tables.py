"""What is written after the last look at the rows: our own tables, and no other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.lock.own_tables import writing_ours
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import Identity, read_identity, write_identity
from pytest_bbmigrate.history.table import Applied, make_history, read_history, record

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = Applied("001", "c", "2026-01-05T10:00:00+00:00", 0.1, 1, 1)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("CREATE TABLE tx (id INTEGER PRIMARY KEY, of INTEGER)")
        db.execute("INSERT INTO tx VALUES (1, 1), (2, 1)")
        make_history(db)
        yield db


def test_the_history_and_the_identity_are_written(db: sqlite3.Connection) -> None:
    with writing_ours(db):
        record(db, FIRST)
        write_identity(db, Identity("4f1c"))
        write_identity(db, Identity("4f1c", {"a": "b"}))

    assert read_history(db) == (FIRST,)
    assert read_identity(db).digests == {"a": "b"}
    db.execute("DELETE FROM tx")  # afterwards it may be written to again


@pytest.mark.parametrize(
    "body", ["UPDATE tx SET of = 0", "DELETE FROM tx", "UPDATE _bb_migrations SET name = '9'"]
)
def test_what_a_trigger_would_write_is_refused(db: sqlite3.Connection, body: str) -> None:
    db.execute(f"CREATE TRIGGER t AFTER INSERT ON _bb_migrations BEGIN {body}; END")

    with pytest.raises(StepFailed, match="would change rows when"), writing_ours(db):
        record(db, FIRST)

    assert read_history(db) == ()
    assert db.execute("SELECT of FROM tx").fetchall() == [(1,), (1,)]


def test_what_a_foreign_key_would_take_along_is_refused(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    db.execute("CREATE TABLE kin (id INTEGER REFERENCES _bb_migrations (id) ON DELETE CASCADE)")
    db.execute("INSERT INTO kin SELECT id FROM _bb_migrations")

    with pytest.raises(StepFailed, match="would change rows when"), writing_ours(db):
        db.execute("DELETE FROM _bb_migrations")

    assert db.execute("SELECT count(*) FROM kin").fetchall() == [(1,)]


def test_another_fault_is_no_trigger(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), writing_ours(db):
        db.execute("DELETE FROM absent")
