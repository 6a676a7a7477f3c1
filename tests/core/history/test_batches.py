"""What the history records of each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.batches import (
    backups_of,
    contents_of,
    objects_of,
    record_backup,
    record_contents,
    remove,
)
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE
from tests.core.history.recorded import FIRST, SECOND, THIRD

if TYPE_CHECKING:
    import sqlite3

DEEP = "[" * 5000
ENDLESS = '{"t": [1e400, "x"]}'


def test_what_each_batch_left_is_read_back(db: sqlite3.Connection) -> None:
    for applied in (FIRST, SECOND, THIRD):
        record(db, applied)
    record_contents(db, 1, [("accounts", 3, "a1"), ('odd "name"\udcff', 0, "b2")])
    record_contents(db, 2, iter([("accounts", 4, "c3")]))

    assert contents_of(db, 1) == {"accounts": (3, "a1"), 'odd "name"\udcff': (0, "b2")}
    assert contents_of(db, 2) == {"accounts": (4, "c3")}
    assert contents_of(db, 3) == {}


def test_what_a_batch_left_is_written_anew(db: sqlite3.Connection) -> None:
    record(db, FIRST)
    record_contents(db, 1, [("a", 1, "x")])
    record(db, SECOND)
    record_contents(db, 1, [("b", 2, "y")])

    assert contents_of(db, 1) == {"b": (2, "y")}
    assert db.execute(f"SELECT count(contents) FROM {HISTORY_TABLE}").fetchone() == (1,)


def test_what_a_batch_left_is_not_known_once_a_part_of_it_is_taken_out(
    db: sqlite3.Connection,
) -> None:
    record(db, FIRST)
    record(db, SECOND)
    record_contents(db, 1, [("a", 1, "x")])
    remove(db, SECOND.name)

    assert contents_of(db, 1) == {}


@pytest.mark.parametrize(
    "text", ["no json", "[]x", '{"t": 1}', '{"t": ["x", "y"]}', "7", DEEP, ENDLESS]
)
def test_contents_that_do_not_read_are_told(db: sqlite3.Connection, text: str) -> None:
    record(db, FIRST)
    record_contents(db, 1, [])
    db.execute(f"UPDATE {HISTORY_TABLE} SET contents = ?", [text])

    with pytest.raises(BBMigrateError, match="a value in its column contents"):
        contents_of(db, 1)


@pytest.mark.parametrize("text", ["x", DEEP, "1"])
def test_objects_that_do_not_read_are_told(db: sqlite3.Connection, text: str) -> None:
    record(db, FIRST)
    record_contents(db, 1, [], {})
    db.execute(f"UPDATE {HISTORY_TABLE} SET objects = ?", [text])

    with pytest.raises(BBMigrateError, match="a value in its column objects"):
        objects_of(db, 1)


@pytest.mark.parametrize("text", ["x", DEEP])
def test_backups_that_do_not_read_are_told(db: sqlite3.Connection, text: str) -> None:
    record(db, FIRST)
    record_backup(db, 1, "x")
    db.execute(f"UPDATE {HISTORY_TABLE} SET backups = ?", [text])

    with pytest.raises(BBMigrateError, match="a value in its column backups"):
        backups_of(db)


def test_backups_are_known_by_batch(db: sqlite3.Connection) -> None:
    for applied in (FIRST, SECOND, THIRD):
        record(db, applied)
    record_backup(db, 1, "one")
    record_backup(db, 2, "two")
    record_backup(db, 2, "another")
    record_backup(db, 2, "two")

    assert backups_of(db) == {1: ("one",), 2: ("two", "another")}


def test_a_backup_outlives_its_batch_in_the_one_before(db: sqlite3.Connection) -> None:
    for applied in (FIRST, SECOND, THIRD):
        record(db, applied)
    record_backup(db, 1, "one")
    record_backup(db, 2, "two")
    remove(db, THIRD.name)
    record_backup(db, 1, "three")

    assert backups_of(db) == {1: ("one", "two", "three")}


@pytest.mark.parametrize(
    ("taken_out", "left"),
    [
        ((SECOND, FIRST), {2: ("one",)}),
        ((FIRST,), {1: ("one",)}),
        ((FIRST, SECOND, THIRD), {}),
    ],
)
def test_a_backup_is_known_as_long_as_there_is_a_row(
    db: sqlite3.Connection, taken_out: tuple[Applied, ...], left: dict[int, tuple[str, ...]]
) -> None:
    for applied in (FIRST, SECOND, THIRD):
        record(db, applied)
    record_backup(db, 1, "one")
    for applied in taken_out:
        remove(db, applied.name)

    assert backups_of(db) == left
