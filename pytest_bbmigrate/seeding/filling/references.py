"""Foreign keys: in which order tables are filled, which parents there are, which are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, row_key, select
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key


def fill_order(
    schema: Schema, names: Collection[str]
) -> list[tuple[Table, tuple[ForeignKey, ...]]]:
    """Return the tables called ``names`` (folded), parents first.

    With each come those of its foreign keys whose parents are filled with it or later: keys to the
    table itself and keys in a circle, which is cut where a key may be NULL if there is such a key.
    """
    waiting = [table for table in schema.tables if fold_name(table.name) in names]
    unfilled = {fold_name(table.name) for table in waiting}
    order: list[tuple[Table, tuple[ForeignKey, ...]]] = []
    while waiting:
        place, blocking = _next(waiting, unfilled)
        table = waiting.pop(place)
        unfilled.discard(fold_name(table.name))
        order.append((table, blocking))
    return order


def _next(
    waiting: Sequence[Table], unfilled: Collection[str]
) -> tuple[int, tuple[ForeignKey, ...]]:
    """Return which of ``waiting`` is filled next, and its keys to what is not filled yet.

    It is the first that waits for no other one, which is looked for no further: where parents are
    made first, as they mostly are, that is the first of all.
    """
    found: list[tuple[int, int, tuple[ForeignKey, ...]]] = []
    for place, table in enumerate(waiting):
        blocking = tuple(_blocking(table, unfilled))
        obstacle = _obstacle(table, blocking)
        if not obstacle:
            return place, blocking
        found.append((obstacle, place, blocking))
    _, place, blocking = min(found, key=lambda each: each[:2])
    return place, blocking


def _blocking(table: Table, unfilled: Collection[str]) -> list[ForeignKey]:
    return [key for key in table.foreign_keys if fold_name(key.parent) in unfilled]


def _obstacle(table: Table, blocking: Iterable[ForeignKey]) -> int:
    """Return 0 if the table waits for no other one, 1 if keys that may be NULL do, else 2."""
    others = [key for key in blocking if not same_name(key.parent, table.name)]
    if not others:
        return 0
    return 1 if all(nullable_columns(table, key) for key in others) else 2


def nullable_columns(table: Table, key: ForeignKey) -> list[str]:
    """Return the columns of ``key`` that may be NULL; if one is, the key refers to nothing."""
    primary = {fold_name(name) for name in table.primary_key}
    columns = [column for name in key.columns if (column := table.column(name))]
    return [
        column.name
        for column in columns
        if not column.not_null and not column.generated and fold_name(column.name) not in primary
    ]


def missing_parent(schema: Schema, key: ForeignKey) -> str | None:
    """Return why no row can satisfy a foreign key, or None."""
    parent = schema.table(key.parent)
    if parent is None:
        return f"its foreign key refers to {key.parent}, which is not there"
    if len(key.parent_columns) != len(key.columns):
        return f"its foreign key refers to {key.parent}, which has no such key"
    for name in key.parent_columns:
        if not any(same_name(name, column.name) for column in parent.columns):
            return f"its foreign key refers to {key.parent}.{name}, which is not there"
    return None


def parent_keys(db: sqlite3.Connection, key: ForeignKey, parent: Table | None = None) -> list[Key]:
    """Return the keys that ``key`` can refer to: different ones, without NULL.

    ``parent`` is the table that they are in, where it is known.
    """
    columns = listed(key.parent_columns)
    keys = select(
        db, f"SELECT DISTINCT {columns} FROM main.{quote_name(key.parent)} ORDER BY {columns}"
    )
    alias = parent.rowid_alias if parent else None
    if alias and len(key.parent_columns) == 1 and same_name(alias, key.parent_columns[0]):
        return keys  # integers, whatever is in the rows
    return [key for key in keys if all(value is not None and storable(value) for value in key)]


def dangling_rows(db: sqlite3.Connection, table: Table, key: ForeignKey) -> list[Key]:
    """Return the row keys of ``table`` where ``key`` refers to a parent that is not there.

    The child's value is compared with the affinity and collation of the parent's column, not of its
    own (https://sqlite.org/foreignkeys.html, 2).
    """
    where = " AND ".join(f"child.{quote_name(column)} IS NOT NULL" for column in key.columns)
    same = " AND ".join(
        f"parent.{quote_name(theirs)} = +child.{quote_name(ours)}"
        for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
    )
    names = ", ".join(f"child.{column}" for column in row_key(table))
    return select(
        db,
        f"SELECT {names} FROM main.{quote_name(table.name)} AS child WHERE {where}"
        f" AND NOT EXISTS (SELECT 1 FROM main.{quote_name(key.parent)} AS parent WHERE {same})",
    )
