"""Whether there are rows in the tables of a schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.schema import read_schema
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from pytest_bbmigrate.schema.model import Table


def has_rows(image: bytes) -> bool:
    """Return whether any table of the database ``image`` holds a row."""
    with closing(open_image(image)) as db:
        return any(holds_row(db, table) for table in read_schema(db).tables)


def holds_row(db: sqlite3.Connection, table: Table) -> bool:
    """Return whether ``table`` holds a row; one that cannot be read may hold some."""
    try:
        row = db.execute(f"SELECT 1 FROM {quote_name(table.name)} LIMIT 1").fetchone()
    except sqlite3.Error:
        return True
    return row is not None
