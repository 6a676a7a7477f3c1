# Migration: Transactions in whole cents
# Date: 2025-04-14
# Author: Budget Buddy
# Purpose: Sums of REAL dollars drifted by a cent; whole cents add up.
# bb: drops transactions.amount
# bb: derives transactions.amount_cents = CAST(round(amount * 100) AS INTEGER)
# What the way back needs, and all it needs: cents give each amount back to the last bit. An amount
# such as 1.005 has no cents to become. The bound leaves room for adding them up in 64 bits.
# bb: requires transactions: amount IS CAST(round(amount * 100) AS INTEGER) / 100.0
# bb: requires transactions: abs(amount) < 1e12

"""Hold the amounts of transactions as whole cents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

TABLE = """
CREATE TABLE transactions_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON UPDATE CASCADE ON DELETE CASCADE,
    external_id TEXT,
    date TEXT NOT NULL CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    {money},
    merchant_name TEXT,
    description TEXT NOT NULL DEFAULT '',
    bb_category TEXT COLLATE NOCASE,
    note TEXT,
    is_pending INTEGER NOT NULL DEFAULT 0 CHECK (is_pending IN (0, 1)),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    trip_tag TEXT
)
"""

OTHER_COLUMNS = (
    "id, account_id, external_id, date, merchant_name, description, bb_category, note, is_pending,"
    " created_at, updated_at, trip_tag"
)


def up(db: Database) -> None:
    """Put ``amount_cents`` where ``amount`` was; round, because 0.29 * 100 is 28.999..."""
    rebuild(
        db,
        money="amount_cents INTEGER NOT NULL",
        column="amount_cents",
        value="CAST(round(amount * 100) AS INTEGER)",
    )


def down(db: Database) -> None:
    """Put ``amount`` back in dollars."""
    rebuild(db, money="amount REAL NOT NULL", column="amount", value="amount_cents / 100.0")


def rebuild(db: Database, *, money: str, column: str, value: str) -> None:
    """Make the table anew with another money column, in its place, and all that stood on it.

    These are the steps of https://sqlite.org/lang_altertable.html#otheralter: SQLite cannot change
    a column's type. The sequence goes along, or the ids of deleted rows would be given out again.
    """
    indexes = db.execute(
        "SELECT sql FROM sqlite_master"
        " WHERE tbl_name = 'transactions' AND type = 'index' AND sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    db.execute(TABLE.format(money=money))
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq)"
        " SELECT 'transactions_new', seq FROM sqlite_sequence WHERE name = 'transactions'"
    )
    db.execute(
        f"INSERT INTO transactions_new ({OTHER_COLUMNS}, {column})"
        f" SELECT {OTHER_COLUMNS}, {value} FROM transactions"
    )
    db.execute("DROP TABLE transactions")
    db.execute("ALTER TABLE transactions_new RENAME TO transactions")
    for (sql,) in indexes:
        db.execute(sql)
