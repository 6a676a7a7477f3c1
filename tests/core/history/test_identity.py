"""The table that says which database this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.identity import (
    CREATE_IDENTITY,
    Identity,
    new_id,
    read_identity,
    write_identity,
)
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE, IDENTITY_TABLE, OWN_TABLES

if TYPE_CHECKING:
    import sqlite3

HOUSEHOLD = Identity("4f1c", {"app.db.backup.20260102_080000": "ab12"})


def test_reading_creates_nothing(db: sqlite3.Connection) -> None:
    assert read_identity(db) == Identity("", {})
    assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


def test_what_was_written_last_is_read(db: sqlite3.Connection) -> None:
    write_identity(db, Identity("0000", {"earlier": "ff"}))
    write_identity(db, HOUSEHOLD)

    assert read_identity(db) == HOUSEHOLD
    assert db.execute(f"SELECT id FROM {IDENTITY_TABLE}").fetchall() == [("4f1c",)]


def test_it_is_part_of_the_transaction_that_is_open(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    write_identity(db, HOUSEHOLD)
    db.execute("ROLLBACK")

    assert read_identity(db) == Identity()


def test_no_two_databases_get_the_same_id() -> None:
    assert len({new_id() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (f"CREATE TABLE {IDENTITY_TABLE} (id)", "not one that this version can read; rename"),
        ("CREATE TABLE _BB_Database (name)", "not one that this version can read; rename"),
        (f"CREATE VIEW {IDENTITY_TABLE} AS SELECT 1 AS id, '{{}}' AS digests", "can read; rename"),
        (f"CREATE VIRTUAL TABLE {IDENTITY_TABLE} USING fts5(id, digests)", "can read; rename"),
        (CREATE_IDENTITY, "does not say which database this is"),
        (f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES ('a', '{{')", "does not say"),
        (f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES (x'ff', '{{}}')", "does not say"),
        (f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES ('a', '[]')", "does not say"),
        (
            f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES ('a', '{'[' * 5000}')",
            "does not say",
        ),
        (
            f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES ('a', '{{}}'), ('b', '{{}}')",
            "does not say",
        ),
        (
            f"{CREATE_IDENTITY}; INSERT INTO {IDENTITY_TABLE} VALUES ('a', '{{\"x\": 1}}')",
            "does not say",
        ),
    ],
)
def test_a_table_that_does_not_read_is_told(
    db: sqlite3.Connection, script: str, message: str
) -> None:
    db.executescript(script)

    with pytest.raises(BBMigrateError, match=rf"the table {IDENTITY_TABLE} .*{message}"):
        read_identity(db)


def test_a_table_that_is_not_ours_is_not_written(db: sqlite3.Connection) -> None:
    db.execute(f"CREATE TABLE {IDENTITY_TABLE} (name)")
    db.execute(f"INSERT INTO {IDENTITY_TABLE} VALUES ('mine')")

    with pytest.raises(BBMigrateError, match="rename the table if it is yours"):
        write_identity(db, HOUSEHOLD)

    assert db.execute(f"SELECT * FROM {IDENTITY_TABLE}").fetchall() == [("mine",)]


def test_our_tables_are_no_part_of_what_is_judged(db: sqlite3.Connection) -> None:
    write_identity(db, HOUSEHOLD)

    assert {HISTORY_TABLE, IDENTITY_TABLE} == OWN_TABLES
    assert read_schema(db).tables == ()
    assert content_of(db) == ()
