"""The order in which tables are filled: parents first, and found without asking all for each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.schema import Schema, read_schema
from pytest_bbmigrate.seeding.filling import references
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import pytest

    from pytest_bbmigrate.schema import ForeignKey, Table

Key = tuple[int, int, bool]  # the table, its parent, and whether it may be NULL


def schema_of(count: int, keys: list[Key]) -> Schema:
    """Return ``count`` tables with foreign keys between them."""
    with closing(sqlite3.connect(":memory:")) as db:
        for table in range(count):
            columns = "".join(
                f", k{at} {'' if may_be_null else 'NOT NULL'} REFERENCES t{parent % count:03} (id)"
                for at, (child, parent, may_be_null) in enumerate(keys)
                if child % count == table
            )
            db.execute(f"CREATE TABLE t{table:03} (id INTEGER PRIMARY KEY{columns})")
        return read_schema(db)


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=9),
)
def test_of_those_with_the_least_in_their_way_the_first_is_next(
    count: int, keys: list[Key]
) -> None:
    schema = schema_of(count, keys)
    waiting = list(schema.tables)
    for table, blocking in references.fill_order(schema, schema.table_names):
        unfilled = {fold_name(each.name) for each in waiting}
        obstacles = [
            references._obstacle(each, references._blocking(each, unfilled)) for each in waiting
        ]

        assert table == waiting.pop(obstacles.index(min(obstacles)))
        assert blocking == tuple(references._blocking(table, unfilled))
    assert not waiting


def test_where_parents_are_made_first_each_table_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = schema_of(50, [(child, child - 1, False) for child in range(1, 50)])
    asked: list[str] = []
    blocking = references._blocking

    def counted(table: Table, unfilled: set[str]) -> list[ForeignKey]:
        asked.append(table.name)
        return blocking(table, unfilled)

    monkeypatch.setattr(references, "_blocking", counted)

    order = references.fill_order(schema, schema.table_names)

    assert [table.name for table, _ in order] == [f"t{number:03}" for number in range(50)]
    assert len(asked) == 50
