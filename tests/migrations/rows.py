"""Rows that the tests of Budget Buddy's migrations start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pytest_bbmigrate.sql.values import Cell


def add_row(db: Database, table: str, **values: Cell) -> int:
    """Insert a row with its defaults and return its id."""
    columns, places = ", ".join(values), ", ".join("?" * len(values))
    cursor = db.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def add_account(db: Database, **values: Cell) -> int:
    """Insert an account at a bank of its own and return its id."""
    if "institution_id" not in values:
        values["institution_id"] = add_row(db, "institutions", name="Old Mill Bank")
    return add_row(db, "accounts", name="Everyday", account_type="checking", **values)


def add_transaction(db: Database, **values: Cell) -> int:
    """Insert a transaction on an account of its own, if none is given, and return its id."""
    if "account_id" not in values:
        values["account_id"] = add_account(db)
    values.setdefault("date", "1970-01-15")
    return add_row(db, "transactions", **values)


def value(db: Database, table: str, row: int, column: str) -> Cell:
    """Return one cell of the row with that id."""
    ((cell,),) = values(db, f"SELECT {column} FROM {table} WHERE id = ?", row)
    return cell


def values(db: Database, sql: str, *parameters: Cell) -> list[tuple[Cell, ...]]:
    """Return the rows that ``sql`` selects."""
    return db.execute(sql, list(parameters)).fetchall()
