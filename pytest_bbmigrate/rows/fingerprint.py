"""The content of a database as a hash of each table; and rows as numbers, to compare multisets."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.rows.reading import exact_bytes, plain_cursor
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.own_tables import OWN_TABLES
from pytest_bbmigrate.sqlite_files import decode_text

if TYPE_CHECKING:
    from pytest_bbmigrate.rows.model import Row
    from pytest_bbmigrate.sql.values import Cell

CHUNK = 1000  # rows read at a time
DIGEST_SIZE = 16


class TableContent(NamedTuple):
    """How many rows a table has, and the hash of their exact content, in hexadecimal."""

    name: str
    rows: int
    digest: str


def content_of(db: sqlite3.Connection) -> tuple[TableContent, ...]:
    """Return the content of each table of ``main``, sorted by name.

    SQLite's own tables, virtual ones and ours are left out. Rows are read in the order in which
    they are stored, by rowid or by the key of a table without one; neither a copy nor VACUUM
    changes it (https://sqlite.org/lang_vacuum.html). Generated columns are left out. The same
    names, rows and order give the same hash.
    """
    sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"
    return tuple(
        table_content(db, name)
        for (name,) in plain_cursor(db, sql).fetchall()
        if fold_name(name) not in OWN_TABLES and not fold_name(name).startswith("sqlite_")
    )


def table_content(db: sqlite3.Connection, table: str) -> TableContent:
    """Return the number of rows in ``table`` of ``main``, and the hash of them with its columns."""
    sql = "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0 ORDER BY cid"
    names = [name for (name,) in plain_cursor(db, sql, table)]
    columns = ", ".join(f"t.{quote_name(name)}" for name in names) or "NULL"
    digest = blake2b(exact_bytes(tuple(names)), digest_size=DIGEST_SIZE)
    sql = f"SELECT {columns} FROM main.{quote_name(table)} AS t NOT INDEXED"
    factory, db.text_factory = db.text_factory, str  # faster by far than ``decode_text``
    try:
        count, content_hash = hash_rows(plain_cursor(db, sql), digest.copy())
    except sqlite3.OperationalError:  # text that is not UTF-8; anything else is raised again
        db.text_factory = decode_text
        count, content_hash = hash_rows(plain_cursor(db, sql), digest)
    finally:
        db.text_factory = factory
    return TableContent(table, count, content_hash)


def hash_rows(cursor: sqlite3.Cursor, digest: blake2b) -> tuple[int, str]:
    """Return how many rows ``cursor`` gives, and the hash of ``digest`` updated with them."""
    count = 0
    while rows := cursor.fetchmany(CHUNK):
        count += len(rows)
        digest.update(exact_bytes(rows))
    return count, digest.hexdigest()


def number_of(value: Cell | Row) -> int:
    """Return a number for exactly this value, a 128-bit hash.

    Two multisets are equal if the sums of the numbers of their values are, but for a collision of
    hashes.
    """
    return int.from_bytes(blake2b(exact_bytes(value), digest_size=DIGEST_SIZE).digest(), "big")
