"""Databases of any size: accounts, and transactions of nobody, made by SQLite itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ROW_BYTES = 101  # of the file, for each transaction, its entry in the index included
ACCOUNTS = 50
SCHEMA = """\
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    date TEXT NOT NULL,
    cents INTEGER NOT NULL,
    merchant TEXT NOT NULL,
    category TEXT,
    note TEXT
);
CREATE INDEX transactions_account ON transactions (account_id);
"""
# Multiplied by a prime, so that neighbours have nothing in common.
FILL = """
WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
INSERT INTO transactions
SELECT
    id,
    id * 7919 % 50,
    printf('20%02d-%02d-01', 10 + id * 7907 % 17, 1 + id * 104729 % 12),
    id * 15485863 % 200000 - 100000,
    printf('Merchant %04d', id * 6133 % 500),
    iif(id * 31 % 100 = 0, 'Dining Out', 'Groceries'),
    'paid by card paid by card paid by card '
FROM n
"""


def write_database(path: Path, rows: int) -> None:
    """Write a database of that many transactions."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(SCHEMA)
        fill_database(db, rows)


def fill_database(db: sqlite3.Connection, rows: int) -> None:
    """Put accounts and that many transactions into the tables of SCHEMA, which are empty."""
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -65536")
    db.execute("BEGIN")
    accounts = [(number, f"Account {number}") for number in range(ACCOUNTS)]
    db.executemany("INSERT INTO accounts VALUES (?, ?)", accounts)
    db.execute(FILL, (rows,))
    db.execute("COMMIT")


def rows_for(megabytes: int) -> int:
    """Return how many transactions make a file of about that size."""
    return megabytes * 1_000_000 // ROW_BYTES
