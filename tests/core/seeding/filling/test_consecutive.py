"""The keys of rows that are numbered without a gap are known without reading the rows."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.queries import row_keys, select
from pytest_bbmigrate.sqlite_files import open_image

TABLES = {
    "an alias": "CREATE TABLE t (id INTEGER PRIMARY KEY, a)",
    "a rowid": "CREATE TABLE t (rowid, id, a)",
    "a text": "CREATE TABLE t (id TEXT PRIMARY KEY, a) WITHOUT ROWID",
}
NUMBERS: tuple[list[int], ...] = (
    [],
    [7],
    [1, 2, 3],
    [-1, 0, 1],
    [3, 1, 2],
    [1, 3],
    [2**63 - 2, 2**63 - 1],
)


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("created", TABLES.values(), ids=TABLES)
def test_the_keys_are_those_that_reading_the_rows_gives(created: str, numbers: list[int]) -> None:
    with closing(open_image(b"")) as db:
        db.execute(created)
        db.executemany("INSERT INTO t (id, a) VALUES (?, 'x')", [(number,) for number in numbers])
        table = read_schema(db).table("t")
        assert table is not None
        column = "oid" if "(rowid" in created else "id"

        keys = row_keys(db, table)

        read = select(db, f"SELECT {column} FROM t ORDER BY {column}")
        assert [*keys] == read
        assert len(keys) == len(read)
        assert [keys[place] for place in range(-len(read), len(read))] == read * 2
        assert [*keys[1:]] == read[1:]
        assert all(key in keys for key in read)
        assert (10**9,) not in keys


def test_no_row_is_read_where_no_number_is_left_out() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
        db.executemany("INSERT INTO t VALUES (?, 'x')", [(number,) for number in range(5)])
        table = read_schema(db).table("t")
        assert table is not None
        statements: list[str] = []
        db.set_trace_callback(statements.append)

        keys = row_keys(db, table)

        assert len(keys) == 5
        assert not any("ORDER BY" in sql for sql in statements)
