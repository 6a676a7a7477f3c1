"""Whether there are rows in the tables of a schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from pytest_bbmigrate.schema.read.entries import read_entries, tables_left_out
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image


def has_rows(image: bytes) -> bool:
    """Return whether any table of the database ``image`` holds a row."""
    with closing(open_image(image)) as db:
        rows = [entry[:4] for entry in read_entries(db)]
        left_out = tables_left_out(db, rows)
        names = [name for kind, name, *_ in rows if kind == "table"]
        return any(holds_row(db, name) for name in names if fold_name(name) not in left_out)


def holds_row(db: sqlite3.Connection, table: str) -> bool:
    """Return whether the table of that name holds a row; one that cannot be read may hold some."""
    try:
        row = db.execute(f"SELECT 1 FROM {quote_name(table)} LIMIT 1").fetchone()
    except sqlite3.Error:
        return True
    return row is not None
