# Migration: Monthly totals of each account
# Date: 2025-06-02
# Author: Budget Buddy
# Purpose: The cash-flow chart read every transaction each time; now it reads one row a month.

"""Add up each account's months, and make sure that no transaction was missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def up(db: Database) -> None:
    """Create the table and fill it from the transactions that are there."""
    db.execute(
        """
        CREATE TABLE transaction_aggregations (
            account_id INTEGER NOT NULL
                REFERENCES accounts (id) ON UPDATE CASCADE ON DELETE CASCADE,
            month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
            money_in_cents INTEGER NOT NULL DEFAULT 0 CHECK (money_in_cents >= 0),
            money_out_cents INTEGER NOT NULL DEFAULT 0 CHECK (money_out_cents >= 0),
            transaction_count INTEGER NOT NULL DEFAULT 0 CHECK (transaction_count >= 0),
            PRIMARY KEY (account_id, month)
        ) WITHOUT ROWID
        """
    )
    db.execute(
        "CREATE INDEX idx_transaction_aggregations_month ON transaction_aggregations (month)"
    )
    db.execute(
        """
        INSERT INTO transaction_aggregations
            (account_id, month, money_in_cents, money_out_cents, transaction_count)
        SELECT account_id, substr(date, 1, 7),
            sum(max(amount_cents, 0)), -sum(min(amount_cents, 0)), count(*)
        FROM transactions
        GROUP BY account_id, substr(date, 1, 7)
        """
    )
    counted = one(db, "SELECT coalesce(sum(transaction_count), 0) FROM transaction_aggregations")
    there = one(db, "SELECT count(*) FROM transactions")
    if counted != there:
        raise RuntimeError(f"{counted} transactions were added up, {there} are there")


def down(db: Database) -> None:
    """Drop the totals; they can be worked out anew."""
    db.execute("DROP TABLE transaction_aggregations")


def one(db: Database, sql: str) -> int:
    """Return the single number that ``sql`` selects."""
    (number,) = db.execute(sql).fetchone()
    return number
