"""Prove from the pages of two databases that a table has the same rows, without reading any row.

In the file format (https://sqlite.org/fileformat2.html) a table is a tree of pages: when its root
and all its pages are the same, so are its rows.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    changed_pages,
    content_header,
    decode_text,
    equal_contents,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pytest_bbmigrate.sqlite_files import Content

    Entry = tuple[str, str, str, str, int]

GENERATED = (2, 3)  # table_xinfo.hidden of a virtual and a stored generated column


@dataclass(frozen=True)
class Layout:
    """Where a database keeps its tables.

    ``tables`` maps a name to its root page and CREATE statement, for tables with pages of their
    own: no view, no virtual table. ``own_pages`` are those of the schema itself.
    """

    tables: Mapping[str, tuple[int, str]]
    own_pages: frozenset[int] = frozenset()


def read_layout(db: sqlite3.Connection, entries: Iterable[Entry]) -> Layout:
    """Return the layout of ``main`` of ``db``.

    ``entries`` are those of its sqlite_master: (type, name, tbl_name, sql, rootpage).
    """
    tables = {name: (root, sql) for kind, name, _, sql, root in entries if kind == "table" and root}
    return Layout(tables, schema_pages(db))


def schema_pages(db: sqlite3.Connection) -> frozenset[int]:
    """Return the pages that hold the schema of ``main``; none if SQLite has no dbstat."""
    if not has_dbstat():
        return frozenset()
    sql = "SELECT pageno FROM dbstat('main') WHERE name IN ('sqlite_schema', 'sqlite_master')"
    return frozenset(page for (page,) in db.execute(sql))


def untouched_tables(
    contents: tuple[Content, Content],
    layouts: tuple[Layout, Layout],
    tables: Collection[str],
    connect: Callable[[], sqlite3.Connection],
) -> frozenset[str]:
    """Return those of ``tables`` that pages alone prove to have the same rows in both contents.

    A table is proven if it has the same name in both, page sizes are equal, its root page is the
    same, its columns before are the first of those after, and no page that it had before (dbstat)
    differs. Without the dbstat virtual table nothing is proven, except where contents are equal or
    differ in the schema's first page only.

    ``contents`` and ``layouts`` are (before, after). ``connect`` returns a connection to both
    (``open_contents``); it is only called where the layouts do not suffice.
    """
    before, after = contents
    headers = content_header(before), content_header(after)
    if headers[0] == headers[1] and equal_contents(before, after):
        return frozenset(tables)
    if not headers[0] or not headers[1] or _format(headers[0]) != _format(headers[1]):
        return frozenset()
    changed = changed_pages(before, after)
    for page in layouts[0].own_pages:
        changed[page] = 0
    if 1 in changed and not has_dbstat():
        return frozenset()
    proven = _unchanged_tables(*layouts, changed, connect)
    return frozenset(name for name in tables if fold_name(name) in proven)


def _unchanged_tables(
    before: Layout,
    after: Layout,
    changed: bytearray,
    connect: Callable[[], sqlite3.Connection],
) -> set[str]:
    """Return the folded names of the tables with the same root and columns, and no changed page."""
    same = {name for name, entry in before.tables.items() if after.tables.get(name) == entry}
    # The same root with another CREATE: perhaps a column was added behind the others.
    altered = [
        name
        for name, (root, _) in before.tables.items()
        if name not in same and name in after.tables and after.tables[name][0] == root
    ]
    same |= {name for name in altered if _reads_the_same(connect(), name)}
    if 1 in changed:
        owners = _owners(connect(), changed)
        same = {name for name in same if fold_name(name) not in owners}
    return {fold_name(name) for name in same}


@cache
def has_dbstat() -> bool:
    """Return whether SQLite is built with the dbstat virtual table, which lists a table's pages."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute("SELECT 1 FROM dbstat")
        except sqlite3.OperationalError:
            return False
    return True


def _format(header: bytes) -> tuple[bytes, ...]:
    """Return from a header what decides how pages are read: size, reserved bytes, text encoding.

    https://sqlite.org/fileformat2.html#the_database_header
    """
    return header[16:18], header[20:21], header[56:60]


def _owners(db: sqlite3.Connection, changed: bytearray) -> set[str]:
    """Return the tables and indexes before, folded, that any of the ``changed`` pages is of."""
    reads, db.text_factory = db.text_factory, bytes  # as many names as pages: decoded once each
    try:
        pages = db.execute("SELECT name, pageno FROM dbstat('before')")
        names = {name for name, page in pages if changed[page]}
    finally:
        db.text_factory = reads
    return {fold_name(decode_text(name)) for name in names}


def _reads_the_same(db: sqlite3.Connection, table: str) -> bool:
    """Return whether the same pages mean the same cells in the columns of before.

    That depends on the whole definition of a column, not only on its name: a row that is too short
    takes the rest from the defaults, REAL and the rowid are not stored as they are read, and
    generated columns may not be stored at all.
    """
    definition = _definition(db, "before", table)
    is_prefix = _definition(db, "main", table)[: len(definition)] == definition
    return is_prefix and not any(column[-1] in GENERATED for column in definition)


def _definition(db: sqlite3.Connection, schema: str, table: str) -> list[tuple[object, ...]]:
    sql = (
        'SELECT lower(name), type, "notnull", dflt_value, pk, hidden '
        "FROM pragma_table_xinfo(?, ?) ORDER BY cid"
    )
    return db.execute(sql, [table, schema]).fetchall()
