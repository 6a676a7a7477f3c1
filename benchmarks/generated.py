"""How many rows are generated in a second."""

from __future__ import annotations

import sqlite3
import statistics
import time
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.timing import table
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.fill import Recipe, fill_columns, fill_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.timing import Bench

COUNTS, QUICK_COUNTS = (200, 10_000, 100_000), (200, 10_000)
TURNS = 3
SCHEMA = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    date TEXT NOT NULL,
    amount DECIMAL(10, 2) NOT NULL,
    merchant TEXT NOT NULL,
    category TEXT,
    note TEXT
);
CREATE INDEX transactions_account ON transactions (account_id);
"""


def measure(bench: Bench) -> str:
    """Return the section on generated rows."""
    lines = []
    for count in QUICK_COUNTS if bench.quick else COUNTS:
        seconds = [fill_both(count) for _ in range(TURNS)]
        filled, added, inserted = (statistics.median(taken) for taken in zip(*seconds, strict=True))
        lines.append(
            [
                f"{count:,}",
                f"{2 * count / filled:,.0f}",
                f"{count / added:,.0f}",
                f"{2 * count / inserted:,.0f}",
            ]
        )
    headings = (
        "rows a table",
        "rows a second into two new tables",
        "rows a second with a new column",
        "rows a second by `executemany`, ready made",
    )
    return (
        "Accounts, and transactions that refer to them. A new column gets"
        " values in two of three rows. Seconds of the processor, of one process.\n\n"
        + table(headings, lines)
    )


def fill_both(count: int) -> tuple[float, float, float]:
    """Return the seconds of filling two tables, of filling one new column, and of inserting."""
    recipe = Recipe(rows=count)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(SCHEMA)
        schema = read_schema(db)
        filled = seconds_of(lambda: fill_tables(db, schema, ("accounts", "transactions"), recipe))
        accounts = db.execute("SELECT * FROM accounts").fetchall()
        transactions = db.execute("SELECT * FROM transactions").fetchall()
        db.execute("ALTER TABLE transactions ADD COLUMN tag TEXT")
        schema = read_schema(db)
        added = seconds_of(lambda: fill_columns(db, schema, [("transactions", "tag")], recipe))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(SCHEMA)

        def insert() -> None:
            db.execute("BEGIN")
            db.executemany("INSERT INTO accounts VALUES (?, ?)", accounts)
            db.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)", transactions)
            db.execute("COMMIT")

        return filled, added, seconds_of(insert)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the processor's seconds that ``work`` takes."""
    started = time.process_time()
    work()
    return time.process_time() - started
