"""What SQLite says that is in a database, and which of its tables are the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.own_tables import OWN_TABLES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    Row = tuple[str, str, str, str]  # of sqlite_master: type, name, tbl_name, sql
    Entry = tuple[str, str, str, str, int]  # the same, and rootpage


def fetch_all(db: sqlite3.Connection, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of ``sql`` as plain tuples, whatever row factory ``db`` has."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters).fetchall()


def read_entries(db: sqlite3.Connection) -> list[Entry]:
    """Return (type, name, tbl_name, sql, rootpage) of every object in ``main`` with a CREATE."""
    columns = "type, name, tbl_name, sql, rootpage"
    return fetch_all(db, f"SELECT {columns} FROM main.sqlite_master WHERE sql IS NOT NULL")


def tables_left_out(db: sqlite3.Connection, rows: Sequence[Row]) -> frozenset[str]:
    """Return the case-folded names of the tables that are no part of the user's schema.

    Only SQLite knows which table is the shadow of a virtual one (``PRAGMA table_list``, 3.37).
    """
    names = {fold_name(row[1]) for row in rows if row[0] == "table"}
    left_out = {name for name in names if name.startswith("sqlite_")} | OWN_TABLES
    if any(is_virtual(sql) for kind, _, _, sql in rows if kind == "table"):
        shadows = fetch_all(
            db, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
        )
        left_out |= {fold_name(name) for (name,) in shadows}
    return frozenset(left_out)


def is_virtual(sql: str) -> bool:
    """Return whether ``sql``, from sqlite_master, makes a virtual table."""
    return sql[:14].upper() == "CREATE VIRTUAL"  # as SQLite writes it, whatever was typed
