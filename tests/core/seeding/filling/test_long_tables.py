"""A new column of a long table is filled by a few statements, and still holds what is odd."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.fill import fill_columns
from pytest_bbmigrate.seeding.filling.long_tables import LONG
from pytest_bbmigrate.seeding.model import Filling, Recipe
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    import sqlite3

ROWS = LONG + 1_000
TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"
TRIGGER = "CREATE TRIGGER seen AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (NEW.id); END"


def long_table(*statements: str) -> sqlite3.Connection:
    """Return a database with a table of many rows, in which ``statements`` have run."""
    db = open_image(b"")
    db.execute(TABLE)
    db.executemany("INSERT INTO t VALUES (?, 'x')", [(3 * number,) for number in range(ROWS)])
    for statement in statements:
        db.execute(statement)
    return db


def fill_column(db: sqlite3.Connection, definition: str) -> Filling:
    """Add a column to the table, and fill it."""
    db.execute(f"ALTER TABLE t ADD COLUMN {definition}")
    return fill_columns(db, read_schema(db), [("t", definition.split()[0])], Recipe())


def values(db: sqlite3.Connection, column: str) -> list[Any]:
    """Return what a column holds, by the key."""
    return [value for (value,) in db.execute(f"SELECT {column} FROM t ORDER BY id")]


@pytest.mark.parametrize(
    ("definition", "default"),
    [("memo TEXT", None), ("cents INTEGER NOT NULL DEFAULT 77", 77), ("anything", None)],
)
def test_two_of_three_rows_of_a_long_table_get_a_value(definition: str, default: object) -> None:
    with closing(long_table()) as db:
        filling = fill_column(db, definition)
        found = values(db, definition.split()[0])

        given = sum(value != default for value in found)
        assert filling == Filling({})
        assert 0.5 * ROWS < given < 0.72 * ROWS
        assert None not in (found[0], found[-1])
        assert len({repr(value) for value in found[200:-1]}) > 10


def test_what_is_odd_is_in_a_long_table_as_well() -> None:
    with closing(long_table()) as db:
        fill_column(db, "memo TEXT")

        assert {"", "nul\x00inside", "0042"} < set(values(db, "memo"))


def test_a_long_table_is_filled_by_few_statements_and_the_same_each_time() -> None:
    filled = []
    for _ in range(2):
        with closing(long_table()) as db:
            statements: list[str] = []
            db.set_trace_callback(statements.append)
            fill_column(db, "memo TEXT")
            db.set_trace_callback(None)
            filled.append(values(db, "memo"))
            assert len(statements) < 400

            assert db.execute("SELECT * FROM temp.sqlite_master").fetchall() == []

    assert filled[0] == filled[1]


@pytest.mark.parametrize(
    "definition",
    ["n INTEGER CHECK (n IS NULL OR n > id)", "code TEXT CHECK (code <> name || 'x')"],
)
def test_what_one_statement_cannot_give_is_given_row_by_row(definition: str) -> None:
    with closing(long_table()) as db:
        column = definition.split()[0]
        fill_column(db, definition)

        assert any(value is not None for value in values(db, column))
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_trigger_sees_each_row_of_a_long_table_once() -> None:
    with closing(long_table("CREATE TABLE log (id INTEGER)", TRIGGER)) as db:
        fill_column(db, "memo TEXT")

        (given,) = db.execute("SELECT count(*) - count(DISTINCT id) FROM log").fetchone()
        assert given == 0
        assert db.execute("SELECT count(*) FROM log").fetchone()[0] > ROWS // 2


def test_a_reference_of_a_long_table_holds() -> None:
    with closing(long_table("CREATE TABLE p (id INTEGER PRIMARY KEY)")) as db:
        db.executemany("INSERT INTO p VALUES (?)", [(number,) for number in range(5)])
        fill_column(db, "p_id INTEGER REFERENCES p (id)")

        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert len(set(values(db, "p_id"))) > 2
