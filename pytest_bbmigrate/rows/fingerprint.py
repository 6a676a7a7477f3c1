"""What a database holds, as a hash for each table; and rows as numbers, to compare multisets."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.rows.reading import exact, query
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import decode_text

if TYPE_CHECKING:
    from pytest_bbmigrate.rows.model import Cell, Row

OWN_TABLES = frozenset({"_bb_migrations", "_bb_database"})
AT_ONCE = 1000  # rows read at a time
DIGEST_SIZE = 16


class TableContent(NamedTuple):
    """How many rows a table holds, and the hash of their exact content, in hexadecimal."""

    name: str
    rows: int
    digest: str


def content_of(db: sqlite3.Connection) -> tuple[TableContent, ...]:
    """Return what each table of ``main`` holds, by name; SQLite's own, virtual ones and ours aside.

    Rows are read in the order that they are stored in, by rowid or by the key of a table without
    one, which neither a copy nor VACUUM changes (https://sqlite.org/lang_vacuum.html). Generated
    columns are left out. The same names, rows and order give the same hash.
    """
    sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"
    return tuple(
        table_content(db, name)
        for (name,) in query(db, sql).fetchall()
        if fold_name(name) not in OWN_TABLES and not fold_name(name).startswith("sqlite_")
    )


def table_content(db: sqlite3.Connection, table: str) -> TableContent:
    """Return what ``table`` holds."""
    sql = "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0 ORDER BY cid"
    names = [name for (name,) in query(db, sql, table)]
    columns = ", ".join(f"t.{quote_name(name)}" for name in names) or "NULL"
    digest = blake2b(exact(tuple(names)), digest_size=DIGEST_SIZE)
    sql = f"SELECT {columns} FROM main.{quote_name(table)} AS t NOT INDEXED"
    factory, db.text_factory = db.text_factory, str  # the fastest by far
    try:
        count, known = hash_rows(query(db, sql), digest.copy())
    except sqlite3.OperationalError:  # text that is not UTF-8; anything else is raised again
        db.text_factory = decode_text
        count, known = hash_rows(query(db, sql), digest)
    finally:
        db.text_factory = factory
    return TableContent(table, count, known)


def hash_rows(cursor: sqlite3.Cursor, digest: blake2b) -> tuple[int, str]:
    """Return how many rows ``cursor`` gives, and ``digest`` continued with them."""
    count = 0
    while rows := cursor.fetchmany(AT_ONCE):
        count += len(rows)
        digest.update(exact(rows))
    return count, digest.hexdigest()


def number_of(value: Cell | Row) -> int:
    """Return a number for exactly this value.

    The sum of the numbers of two multisets is the same just when they are: another sum for the
    same would take a collision of 128-bit hashes.
    """
    return int.from_bytes(blake2b(exact(value), digest_size=DIGEST_SIZE).digest(), "big")
