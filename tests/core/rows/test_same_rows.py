"""Of a table of some rows SQLite is asked first whether all are the same, exactly."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.rows import Pairing, compare_rows
from pytest_bbmigrate.rows.sql_prefilter import WORTH_ASKING, are_same, changed_columns
from pytest_bbmigrate.sqlite_files import open_contents, open_image, take_image
from tests.core.rows.test_rows import DIFFERENT_CELLS

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

ROWS = WORTH_ASKING + 20
PAIRING = Pairing("t", "t", (("id", "id"), ("a", "a")), ("id",))


def table_with(cell: Cell, declared: str, *, rows: int = ROWS) -> bytes:
    """Return a database with one table whose last row holds ``cell``."""
    with closing(open_image(b"")) as db:
        db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, a {declared})")
        db.executemany("INSERT INTO t VALUES (?, 'x')", [(number,) for number in range(rows - 1)])
        db.execute("INSERT INTO t VALUES (?, ?)", (rows, cell))
        return take_image(db)


@pytest.mark.parametrize(("one", "other"), DIFFERENT_CELLS)
@pytest.mark.parametrize("declared", ["", "TEXT", "NUMERIC", "TEXT COLLATE NOCASE"])
def test_rows_are_the_same_only_where_comparing_them_finds_nothing(
    one: Cell, other: Cell, declared: str
) -> None:
    with closing(open_contents(table_with(one, declared), table_with(other, declared))) as pair:
        is_same = are_same(pair, PAIRING)

        assert not (is_same and list(compare_cells(one, other, declared)))


def compare_cells(one: Cell, other: Cell, declared: str) -> list[object]:
    """Return what differs where a table is too short for SQLite to be asked."""
    few = [table_with(cell, declared, rows=2) for cell in (one, other)]
    with closing(open_contents(*few)) as pair:
        return [*compare_rows(pair, PAIRING)]


def test_rows_that_are_the_same_are_not_read() -> None:
    image = table_with("é", "TEXT")
    with closing(open_contents(image, image)) as pair:
        statements: list[str] = []
        pair.set_trace_callback(statements.append)

        assert list(compare_rows(pair, PAIRING)) == []
        assert not any("ORDER BY" in sql for sql in statements)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM t WHERE id = 3",
        "INSERT INTO t VALUES (-1, 'x')",
        "UPDATE t SET id = -1 WHERE id = 3",
        "UPDATE t SET a = 'X' WHERE id = 3",
        "UPDATE t SET a = NULL WHERE id = 3",
    ],
)
def test_a_row_or_cell_that_differs_is_found(change: str) -> None:
    before = table_with("y", "TEXT COLLATE NOCASE")
    with closing(open_image(before)) as db:
        db.execute(change)
        after = take_image(db)

    with closing(open_contents(before, after)) as pair:
        assert not are_same(pair, PAIRING)
        assert list(compare_rows(pair, PAIRING))


def test_where_a_zero_may_have_a_sign_sqlite_is_not_asked() -> None:
    image = table_with("y", "")
    with closing(open_contents(image, image)) as pair:
        assert not are_same(pair, PAIRING)


@pytest.mark.parametrize(("declared", "asked"), [("TEXT", False), ("INTEGER", True)])
def test_of_a_column_without_numbers_no_type_is_asked(declared: str, *, asked: bool) -> None:
    image = table_with("x", declared)
    pairing = Pairing("t", "t", (("id", "id"), ("a", "a")), ("id",))
    with closing(open_contents(image, image)) as pair:
        statements: list[str] = []
        pair.set_trace_callback(statements.append)

        changed_columns(pair, pairing)
        are_same(pair, pairing)

        assert any('typeof(b."a")' in sql for sql in statements) == asked
