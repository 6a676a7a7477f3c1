"""Short SQL that all of filling uses: rows, their keys, names in quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.model import Cell

    Key = tuple[Cell, ...]

ROWID_NAMES = ("rowid", "oid", "_rowid_")


def select(
    db: sqlite3.Connection, sql: str, parameters: Sequence[Cell] = ()
) -> list[tuple[Cell, ...]]:
    """Return all rows of a query as tuples, whatever the connection makes of rows."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters).fetchall()


def listed(columns: Iterable[str]) -> str:
    """Return column names quoted, with commas between them."""
    return ", ".join(quote_name(column) for column in columns)


def row_key(table: Table) -> tuple[str, ...]:
    """Return the columns, quoted, that tell a table's rows apart: the rowid where it has a name."""
    if table.without_rowid:
        return tuple(quote_name(name) for name in table.primary_key)
    if table.rowid_alias:
        return (quote_name(table.rowid_alias),)
    taken = {fold_name(column.name) for column in table.columns}
    free = tuple(name for name in ROWID_NAMES if name not in taken)
    return free[:1] or tuple(quote_name(column.name) for column in table.columns)


def row_keys(db: sqlite3.Connection, table: Table) -> list[Key]:
    """Return the keys of all rows, in their order."""
    names = ", ".join(row_key(table))
    keys = select(db, f"SELECT {names} FROM main.{quote_name(table.name)} ORDER BY {names}")
    return [one for one in keys if all(storable(value) for value in one)]


def matching(columns: Iterable[str]) -> str:
    """Return a condition that ``columns``, quoted, are each a parameter."""
    return " AND ".join(f"{column} IS ?" for column in columns)


def or_abort(table: Table) -> str:
    """Return what to say after INSERT or UPDATE so that a refused row is refused and no more.

    OR ABORT overrules the table's own ON CONFLICT clauses, which would drop or replace rows
    unseen; where it has none it is left out, for it would overrule those in triggers as well
    (https://sqlite.org/lang_createtrigger.html).
    """
    own = table.conflicts or any(index.conflict for index in table.indexes)
    return "OR ABORT " if own else ""


def row_count(db: sqlite3.Connection, table: Table) -> int:
    """Return how many rows ``table`` holds."""
    (count,) = select(db, f"SELECT count(*) FROM main.{quote_name(table.name)}")[0]
    return int(count or 0)
