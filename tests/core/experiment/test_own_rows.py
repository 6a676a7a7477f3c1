"""Which tables may hold the user's own rows, and which values are theirs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.experiment.own_rows import NOBODYS, RowOwner, own_after, own_of_base
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.schema.read.row_presence import has_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell

BASE = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, number INTEGER, part AS (upper(name)));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, person INTEGER REFERENCES people (id));
    CREATE TABLE rates (id INTEGER PRIMARY KEY, rate REAL);
"""
ROWS = "INSERT INTO people (name, number) VALUES ('Smith', 1234567), (NULL, 3);"
OWN = RowOwner(frozenset({"people"}), frozenset({"Smith"}))


def image_of(*scripts: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        for script in scripts:
            db.executescript(script)
        return db.serialize()


def schema_of(image: bytes) -> Schema:
    return snapshot_of(image).schema


def own_tables(tmp_path: Path, text: str, *, suffix: str = ".sql", own: RowOwner = OWN) -> set[str]:
    """Return which tables may hold own rows after a migration with ``text``."""
    (tmp_path / f"001_step{suffix}").write_text(text)
    (migration,) = read_catalogue(tmp_path).migrations
    before = image_of(BASE)
    run, after = run_part(migration, migration.up, before, RunEnvironment())
    assert run.succeeded, run.failure
    return set(own_after(own, migration, run, schema_of(before), schema_of(after)).tables)


def test_the_rows_of_a_base_are_own_and_so_are_its_distinctive_values() -> None:
    image = image_of(BASE, ROWS)

    own = own_of_base(image, schema_of(image), {})

    assert own == RowOwner(frozenset({"people"}), frozenset({"Smith", 1234567}))
    assert has_rows(image)


def test_a_base_without_rows_is_nobodys() -> None:
    image = image_of(BASE)

    assert own_of_base(image, schema_of(image), {}) == NOBODYS
    assert not has_rows(image)
    assert not has_rows(b"")


def test_given_rows_are_own_once_their_table_is_there() -> None:
    image = image_of(BASE)
    given: dict[str, list[dict[str, Cell]]] = {"rates": [{"rate": 2.5}], "later": [{"x": "Jones"}]}

    own = own_of_base(image, schema_of(image), given)

    assert own == RowOwner(frozenset({"rates"}), frozenset({2.5, "Jones"}))


BY_A_TABLE = """
    CREATE TEMP TABLE t AS SELECT name FROM people;
    INSERT INTO notes (body) SELECT name FROM t;
    DROP TABLE t;
"""
BY_A_TRIGGER = """
    CREATE TRIGGER r AFTER INSERT ON rates BEGIN
        INSERT INTO notes (body) SELECT name FROM people;
    END;
    INSERT INTO rates VALUES (1, 1);
"""
BY_A_VIEW = """
    CREATE VIEW v AS SELECT name FROM people;
    INSERT INTO notes (body) SELECT * FROM v;
"""


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("UPDATE notes SET body = 'x';", {"people"}),
        ("DELETE FROM notes WHERE person IN (SELECT id FROM people);", {"people"}),
        ("CREATE TABLE more (id, person REFERENCES people (id));", {"people"}),
        ("INSERT INTO notes (body) SELECT name FROM people;", {"people", "notes"}),
        ("UPDATE notes SET body = (SELECT name FROM People);", {"people", "notes"}),
        ("CREATE TABLE more AS SELECT * FROM people;", {"people", "more"}),
        ("ALTER TABLE people RENAME TO persons;", {"people", "persons"}),
        (BY_A_TABLE, {"people", "notes", "t"}),
        (BY_A_VIEW, {"people", "notes", "v"}),
        (BY_A_TRIGGER, {"people", "notes", "rates", "r"}),
    ],
)
def test_own_rows_are_followed_to_where_a_statement_can_copy_them(
    tmp_path: Path, text: str, tables: set[str]
) -> None:
    assert own_tables(tmp_path, text) == tables


def test_python_can_copy_them_anywhere(tmp_path: Path) -> None:
    text = "def up(db):\n    db.execute('SELECT 1')\n"

    assert own_tables(tmp_path, text, suffix=".py") == {"people", "notes", "rates"}
    assert own_tables(tmp_path, text, suffix=".py", own=NOBODYS) == set()


@pytest.mark.parametrize("cell", ["Smith", "to SMITH, with love"])
def test_a_value_is_own_by_itself_or_with_an_own_text_in_it(cell: str) -> None:
    assert OWN.holds(cell)
    assert not replace(OWN, values=frozenset()).holds(cell)


@pytest.mark.parametrize("cell", ["Smi", None, 7, b"Smith"])
def test_no_other_value_is_own(cell: Cell) -> None:
    assert not OWN.holds(cell)
