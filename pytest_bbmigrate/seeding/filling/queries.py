"""Short pieces of SQL that all of filling uses: rows, their keys, names in quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.consecutive import ConsecutiveKeys
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name
from pytest_bbmigrate.sqlite_files.in_time import CALLS_OF_A_WRITE, LEAST_CALLS, given_up_after

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.sql.values import Cell

    Key = tuple[Cell, ...]


def select(
    db: sqlite3.Connection, sql: str, parameters: Sequence[Cell] = ()
) -> list[tuple[Cell, ...]]:
    """Return all rows of a query as tuples, whatever row factory the connection has."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters).fetchall()


def listed(columns: Iterable[str]) -> str:
    """Return column names in quotes, with commas between them."""
    return ", ".join(quote_name(column) for column in columns)


def row_key(table: Table) -> tuple[str, ...]:
    """Return the columns (quoted) that identify a row: the rowid, where a name for it is free."""
    if table.without_rowid:
        return tuple(quote_name(name) for name in table.primary_key)
    if table.rowid_alias:
        return (quote_name(table.rowid_alias),)
    names = {fold_name(column.name) for column in table.columns}
    free = tuple(name for name in ROWID_NAMES if name not in names)
    return free[:1] or tuple(quote_name(column.name) for column in table.columns)


def row_keys(db: sqlite3.Connection, table: Table) -> Sequence[Key]:
    """Return the keys of all rows, in order."""
    if table.virtual is None and is_known_by_rowid(table):
        first, last = _ends(db, table)
        if last >= first and row_count(db, table) == last - first + 1:
            return ConsecutiveKeys(range(first, last + 1))
    names = ", ".join(row_key(table))
    keys = select(db, f"SELECT {names} FROM main.{quote_name(table.name)} ORDER BY {names}")
    if is_known_by_rowid(table):  # an integer, whatever is in the row
        return keys
    return [key for key in keys if all(storable(value) for value in key)]


def _ends(db: sqlite3.Connection, table: Table) -> tuple[int, int]:
    """Return the first and the last number of the rows of ``table``; (0, -1) without any."""
    (name,), target = row_key(table), quote_name(table.name)
    first, last = (f"(SELECT {which}({name}) FROM main.{target})" for which in ("min", "max"))
    ((low, high),) = select(db, f"SELECT {first}, {last}")
    return (low, high) if isinstance(low, int) and isinstance(high, int) else (0, -1)


def is_known_by_rowid(table: Table) -> bool:
    """Return whether ``row_key`` is the rowid, by whatever name."""
    return bool(table.rowid_alias) or row_key(table)[0] in ROWID_NAMES  # a column is in quotes


def new_keys(db: sqlite3.Connection, table: Table, there: Sequence[Key]) -> list[Key]:
    """Return the keys of the rows that were added since, in order.

    ``there`` are those of all rows before, in order. Without triggers none of them has gone: rows
    behind the last one are all that are new if there are just so many more.
    """
    triggers = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' LIMIT 1"
    if there and is_known_by_rowid(table) and not select(db, triggers):
        (name,), target = row_key(table), quote_name(table.name)
        later = f"SELECT {name} FROM main.{target} WHERE {name} > ? ORDER BY {name}"
        keys = select(db, later, there[-1])
        if row_count(db, table) == len(there) + len(keys):
            return keys
    known = frozenset(there)
    return [key for key in row_keys(db, table) if key not in known]


def matching(columns: Iterable[str]) -> str:
    """Return the condition that each of ``columns`` (quoted) is what a parameter says."""
    return " AND ".join(f"{column} IS ?" for column in columns)


def or_abort(table: Table) -> str:
    """Return the conflict clause of an INSERT or UPDATE: '' or 'OR ABORT '.

    OR ABORT overrules ON CONFLICT clauses of the table, which would drop or replace rows unseen.
    Without such clauses it is left out, since it would overrule those in triggers as well
    (https://sqlite.org/lang_createtrigger.html).
    """
    has_clauses = table.conflicts or any(index.conflict for index in table.indexes)
    return "OR ABORT " if has_clauses else ""


def insert_row(db: sqlite3.Connection, table: Table, fields: Mapping[str, Cell]) -> None:
    """Add a row with ``fields``, by the names of their columns.

    Raises: what is among REFUSALS, where SQLite refuses it.
    """
    sql = (
        f"INSERT {or_abort(table)}INTO main.{quote_name(table.name)}"
        f" ({listed(fields)}) VALUES ({', '.join('?' * len(fields))})"
    )
    with given_up_after(db, CALLS_OF_A_WRITE):
        db.execute(sql, tuple(fields.values()))


def set_cells(db: sqlite3.Connection, table: Table, key: Key, values: Mapping[str, Cell]) -> bool:
    """Set ``values`` in the row with ``key``; return whether it was there. Raises likewise."""
    assigned = ", ".join(f"{quote_name(column)} = ?" for column in values)
    sql = (
        f"UPDATE {or_abort(table)}main.{quote_name(table.name)}"
        f" SET {assigned} WHERE {matching(row_key(table))}"
    )
    with given_up_after(db, CALLS_OF_A_WRITE):
        return db.execute(sql, (*values.values(), *key)).rowcount == 1


def delete_row(db: sqlite3.Connection, table: Table, key: Key) -> bool:
    """Delete the row with ``key``; return whether it was there. Raises likewise."""
    sql = f"DELETE FROM main.{quote_name(table.name)} WHERE {matching(row_key(table))}"
    with given_up_after(db, CALLS_OF_A_WRITE):
        return db.execute(sql, key).rowcount == 1


def delete_rows(db: sqlite3.Connection, table: Table, keys: Iterable[Key]) -> None:
    """Delete the rows with ``keys``. Raises likewise."""
    sql = f"DELETE FROM main.{quote_name(table.name)} WHERE {matching(row_key(table))}"
    with given_up_after(db, LEAST_CALLS):
        db.executemany(sql, keys)


def row_count(db: sqlite3.Connection, table: Table) -> int:
    """Return how many rows ``table`` holds."""
    (count,) = select(db, f"SELECT count(*) FROM main.{quote_name(table.name)}")[0]
    return int(count or 0)
