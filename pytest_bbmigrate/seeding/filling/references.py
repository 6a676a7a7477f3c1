"""Foreign keys: which table is filled first, which parents there are, and no loose end left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, row_key, select
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key


def fill_order(
    schema: Schema, names: Collection[str]
) -> list[tuple[Table, tuple[ForeignKey, ...]]]:
    """Return the tables called ``names`` (case-folded), parents first.

    With each come those of its foreign keys whose parents are filled only with or after it: keys
    to the table itself and, in a circle, keys that NULL can stand in for where there are any.
    """
    waiting = [table for table in schema.tables if fold_name(table.name) in names]
    order: list[tuple[Table, tuple[ForeignKey, ...]]] = []
    while waiting:
        unfilled = {fold_name(table.name) for table in waiting}
        blocked = {table.name: _blocking(table, unfilled) for table in waiting}
        table = min(waiting, key=lambda one: _hindrance(one, blocked[one.name]))
        waiting.remove(table)
        order.append((table, tuple(blocked[table.name])))
    return order


def _blocking(table: Table, unfilled: Collection[str]) -> list[ForeignKey]:
    return [key for key in table.foreign_keys if fold_name(key.parent) in unfilled]


def _hindrance(table: Table, blocking: Iterable[ForeignKey]) -> int:
    """Return 0 when nothing but itself stands in the table's way, 1 when NULLs can, else 2."""
    others = [key for key in blocking if not same_name(key.parent, table.name)]
    if not others:
        return 0
    return 1 if all(nullable_columns(table, key) for key in others) else 2


def nullable_columns(table: Table, key: ForeignKey) -> list[str]:
    """Return the columns of ``key`` that may be NULL, any of which makes it refer to nothing."""
    primary = {fold_name(name) for name in table.primary_key}
    columns = [column for name in key.columns if (column := table.column(name))]
    return [
        column.name
        for column in columns
        if not column.not_null and not column.generated and fold_name(column.name) not in primary
    ]


def missing_parent(schema: Schema, key: ForeignKey) -> str | None:
    """Return what a foreign key lacks so that no row can satisfy it, or None."""
    parent = schema.table(key.parent)
    if parent is None:
        return f"its foreign key refers to {key.parent}, which is not there"
    if len(key.parent_columns) != len(key.columns):
        return f"its foreign key refers to {key.parent}, which has no such key"
    for name in key.parent_columns:
        if not any(same_name(name, column.name) for column in parent.columns):
            return f"its foreign key refers to {key.parent}.{name}, which is not there"
    return None


def parent_keys(db: sqlite3.Connection, key: ForeignKey) -> list[Key]:
    """Return the keys there are for ``key`` to refer to, those with a NULL left out."""
    columns = listed(key.parent_columns)
    found = select(
        db, f"SELECT DISTINCT {columns} FROM main.{quote_name(key.parent)} ORDER BY {columns}"
    )
    return [one for one in found if all(value is not None and storable(value) for value in one)]


def dangling(db: sqlite3.Connection, table: Table, key: ForeignKey) -> list[Key]:
    """Return the keys of the rows of ``table`` whose ``key`` refers to no parent.

    The child's value is compared as it is, without its column's affinity, and takes on the
    parent's affinity and collation (https://sqlite.org/foreignkeys.html, 2).
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
