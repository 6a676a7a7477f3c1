"""Rows that others refer to are known without deleting them one by one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.experiment.held_rows import held_rows
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from pytest_bbmigrate.rows import Key

KEYS = [(number,) for number in range(1, 7)]
PLAIN = "p REFERENCES p"
GOES = "BEFORE DELETE ON p BEGIN DELETE FROM c WHERE p = old.id; END"
CHILDREN = {
    "rows that refer": "p REFERENCES p (id)",
    "deferred": "p REFERENCES p DEFERRABLE INITIALLY DEFERRED",
    "restricted": "p TEXT REFERENCES p ON DELETE RESTRICT",
    "a text": "p TEXT REFERENCES p (name)",
    "no such column": "p REFERENCES p (gone)",
    "no key": "p REFERENCES p (loose)",
    "cascade": "p REFERENCES p ON DELETE CASCADE",
    "set null": "p REFERENCES p ON DELETE SET NULL",
    "two ways": "p REFERENCES p, q DEFAULT 2 REFERENCES p ON DELETE CASCADE",
    "no reference": "p",
    "a trigger": PLAIN,
    "a temporary trigger": PLAIN,
}
TRIGGERS = {
    "a trigger": f"CREATE TRIGGER g {GOES}",
    "a temporary trigger": f"CREATE TEMP TRIGGER g {GOES}",
}
HOLDING = ("rows that refer", "deferred", "restricted")


def filled(name: str) -> sqlite3.Connection:
    """Return a database of six parents with the children of that name, keys enforced."""
    db = open_image(b"")
    db.execute(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, loose,"
        " up REFERENCES p)"
    )
    db.execute(f"CREATE TABLE c (id INTEGER PRIMARY KEY, {CHILDREN[name]})")
    db.executescript(TRIGGERS.get(name, ""))
    rows = [(number, "abcdef"[number - 1], number, None) for number in range(1, 6)]
    db.executemany("INSERT INTO p VALUES (?, ?, ?, ?)", [*rows, (6, "f", 6, 6)])
    db.executemany("INSERT INTO c (p) VALUES (?)", [("1",), ("4",), (None,), ("B",)])
    db.execute("PRAGMA foreign_keys = ON")
    return db


def is_deleted(db: sqlite3.Connection, key: Key) -> bool:
    """Return whether the parent ``key`` can be deleted; everything is as it was afterwards."""
    db.execute("SAVEPOINT s")
    try:
        db.execute("DELETE FROM p WHERE id = ?", key)
        db.execute("RELEASE s")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK TO s")
            db.execute("RELEASE s")
        return False
    return True


@pytest.mark.parametrize("name", CHILDREN)
def test_no_row_that_is_held_can_be_deleted(name: str) -> None:
    with closing(filled(name)) as db:
        schema = read_schema(db)
        table = schema.table("p")
        assert table is not None

        held = held_rows(db, schema, table, KEYS)

        assert not [key for key in held if is_deleted(db, key)]


@pytest.mark.parametrize("name", HOLDING)
def test_each_row_that_a_plain_reference_holds_is_known(name: str) -> None:
    with closing(filled(name)) as db:
        schema = read_schema(db)
        table = schema.table("p")
        assert table is not None

        assert held_rows(db, schema, table, KEYS) == {(1,), (4,)}


def test_texts_are_compared_as_the_parent_compares_them() -> None:
    with closing(filled("a text")) as db:
        schema = read_schema(db)
        table = schema.table("p")
        assert table is not None

        assert held_rows(db, schema, table, KEYS) == {(2,)}
        assert not is_deleted(db, (2,))


@pytest.mark.parametrize(
    "name", ["cascade", "set null", "two ways", "a trigger", "a temporary trigger"]
)
def test_nothing_is_said_where_what_refers_may_go(name: str) -> None:
    with closing(filled(name)) as db:
        schema = read_schema(db)
        table = schema.table("p")
        assert table is not None

        assert held_rows(db, schema, table, KEYS) == frozenset()
