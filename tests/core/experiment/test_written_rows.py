"""Rows that an app might write are read together, and are given what other rows have."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.experiment.written_rows import Distinct, read_row, read_rows
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell


@pytest.mark.parametrize(
    "created",
    [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
        "CREATE TABLE t (a, id)",
        "CREATE TABLE t (id TEXT PRIMARY KEY, a) WITHOUT ROWID",
    ],
)
def test_rows_read_together_are_those_read_one_by_one(created: str) -> None:
    with closing(open_image(b"")) as db:
        db.execute(created)
        db.executemany("INSERT INTO t (id, a) VALUES (?, ?)", [(1, "x"), (2, None), (5, b"\x00")])
        table = read_schema(db).table("t")
        assert table is not None
        texts, numbers = [("5",), ("4",), ("1",)], [(3,), (9,), (1,), (2,)]
        keys: list[tuple[Cell, ...]] = [*texts] if table.without_rowid else [*numbers]

        found = read_rows(db, table, keys)

        one_by_one = [(key, row) for key in keys if (row := read_row(db, table, key)) is not None]
        assert one_by_one
        assert list(found.items()) == one_by_one


def test_rows_known_by_their_rowid_are_read_by_one_statement() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
        db.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x") for number in range(40)])
        table = read_schema(db).table("t")
        assert table is not None
        statements: list[str] = []
        db.set_trace_callback(statements.append)

        found = read_rows(db, table, [(number,) for number in range(40)])

        assert len(found) == 40
        assert len(statements) == 1


@pytest.mark.parametrize("own", [1, 1.0, "1", None, -0.0, b"1", "else"])
@pytest.mark.parametrize("number", range(5))
def test_another_value_is_taken_in_even_steps_of_those_that_differ(own: Cell, number: int) -> None:
    values: list[Cell] = ["1", 1, 1.0, None, 0.0, -0.0, b"1", "1", 1]
    different = list({exact_key(value): value for value in values}.values())

    found = Distinct(values).other_than(own, number, 5)

    others = [each for each in different if exact_key(each) != exact_key(own)]
    assert [exact_key(each) for each in found] == [exact_key(others[number * len(others) // 5])]


def test_where_all_have_the_same_value_there_is_no_other() -> None:
    assert Distinct(["a", "a"]).other_than("a", 0, 5) == []
