# Migration: Merchants have a table of their own
# Date: 2025-08-25
# Author: Budget Buddy
# Purpose: A merchant can be renamed once, and will carry a logo and a default category.
# bb: drops transactions.merchant_name
# bb: derives transactions.merchant_id = (SELECT id FROM merchants WHERE name = merchant_name)
# bb: drops index idx_transactions_lower_merchant

"""Move the names of merchants out of the transactions, and back."""

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
    amount_cents INTEGER NOT NULL,
    {merchant},
    description TEXT NOT NULL DEFAULT '',
    bb_category TEXT COLLATE NOCASE,
    memo TEXT,
    is_pending INTEGER NOT NULL DEFAULT 0 CHECK (is_pending IN (0, 1)),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    trip_tag TEXT
)
"""

OTHER_COLUMNS = (
    "id, account_id, external_id, date, amount_cents, description, bb_category, memo, is_pending,"
    " created_at, updated_at, trip_tag"
)


def up(db: Database) -> None:
    """Give each name that differs in any byte a merchant; no name is no merchant."""
    db.execute("CREATE TABLE merchants (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
    db.execute(
        "INSERT INTO merchants (name) SELECT DISTINCT merchant_name FROM transactions"
        " WHERE merchant_name IS NOT NULL ORDER BY merchant_name"
    )
    db.execute("DROP INDEX idx_transactions_lower_merchant")
    rebuild(
        db,
        merchant="merchant_id INTEGER REFERENCES merchants (id) ON DELETE SET NULL",
        column="merchant_id",
        value="(SELECT id FROM merchants WHERE name = transactions.merchant_name)",
    )
    db.execute("CREATE INDEX idx_transactions_merchant ON transactions (merchant_id)")


def down(db: Database) -> None:
    """Write each transaction's name into it again."""
    db.execute("DROP INDEX idx_transactions_merchant")
    rebuild(
        db,
        merchant="merchant_name TEXT",
        column="merchant_name",
        value="(SELECT name FROM merchants WHERE id = transactions.merchant_id)",
    )
    db.execute(
        "CREATE INDEX idx_transactions_lower_merchant ON transactions (lower(merchant_name))"
    )
    db.execute("DROP TABLE merchants")


def rebuild(db: Database, *, merchant: str, column: str, value: str) -> None:
    """Make the table anew with another merchant column, in its place, and all that stood on it.

    The steps are those of https://sqlite.org/lang_altertable.html#otheralter. The views go first:
    RENAME refuses while one of them reads a table that is not there. The sequence goes along.
    """
    views = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid"
    ).fetchall()
    built_on_it = db.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'transactions'"
        " AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for name, _ in views:
        db.execute(f'DROP VIEW "{name}"')
    db.execute(TABLE.format(merchant=merchant))
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
    for (sql,) in built_on_it:
        db.execute(sql)
    for _, sql in views:
        db.execute(sql)
