"""Prove from the pages of two databases that a table holds the same rows, without reading one.

Pages are those of the file format (https://sqlite.org/fileformat2.html): a table is a tree of them,
and when its root and all of them are the same, so are its rows.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import changed_pages, content_header, equal_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pytest_bbmigrate.sqlite_files import Content

    Entry = tuple[str, str, str, str, int]

GENERATED = (2, 3)  # table_xinfo.hidden of a virtual and a stored generated column


@dataclass(frozen=True)
class Layout:
    """Where a database keeps its tables: name to root page and CREATE, and the schema's own pages.

    Only tables with pages of their own are named: no view, no virtual table.
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
    """Return the pages that hold the schema of ``main``; none where dbstat is not there."""
    if not has_dbstat():
        return frozenset()
    own = "SELECT pageno FROM dbstat('main') WHERE name IN ('sqlite_schema', 'sqlite_master')"
    return frozenset(page for (page,) in db.execute(own))


def untouched_tables(
    contents: tuple[Content, Content],
    layouts: tuple[Layout, Layout],
    tables: Collection[str],
    pair: Callable[[], sqlite3.Connection],
) -> frozenset[str]:
    """Return those of ``tables`` whose content pages alone prove the same, before and after.

    A table (same name in both) is proven untouched when page sizes are equal, its root page is
    the same, the CREATE before is a column prefix of the one after, and no page that it had before
    (dbstat) differs between the two. Without the dbstat virtual table nothing is proven, but for
    equal contents and for those that differ in nothing but the schema's first page. Sound: a
    table that is named holds exactly the same rows. ``pair`` gives a connection to both
    (``database.open_contents``), and is only called where the layouts do not tell.
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
    proven = _proven(*layouts, changed, pair)
    return frozenset(name for name in tables if fold_name(name) in proven)


def _proven(
    before: Layout,
    after: Layout,
    changed: bytearray,
    pair: Callable[[], sqlite3.Connection],
) -> set[str]:
    """Return the folded names of the tables with the same root and definition, unchanged."""
    alike = {name for name, at in before.tables.items() if after.tables.get(name) == at}
    others = [
        name
        for name, (root, _) in before.tables.items()
        if name not in alike and name in after.tables and after.tables[name][0] == root
    ]
    alike |= {name for name in others if _reads_the_same(pair(), name)}
    if 1 in changed:
        owners = _owners(pair(), changed)
        alike = {name for name in alike if fold_name(name) not in owners}
    return {fold_name(name) for name in alike}


@cache
def has_dbstat() -> bool:
    """Return whether SQLite is built with the dbstat virtual table, which tells a table's pages."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute("SELECT 1 FROM dbstat")
        except sqlite3.OperationalError:
            return False
    return True


def _format(header: bytes) -> tuple[bytes, ...]:
    """Return what decides how a page is read: page size, bytes reserved in it, text encoding.

    https://sqlite.org/fileformat2.html#the_database_header
    """
    return header[16:18], header[20:21], header[56:60]


def _owners(pair: sqlite3.Connection, changed: bytearray) -> set[str]:
    """Return the tables and indexes before that ``changed`` pages belong to, overflow pages too."""
    pages = pair.execute("SELECT name, pageno FROM dbstat('before')")
    return {fold_name(name) for name, page in pages if changed[page]}


def _reads_the_same(db: sqlite3.Connection, table: str) -> bool:
    """Return whether the same pages mean the same rows in the columns that were there before.

    A row that is too short takes the rest from the columns' defaults, REAL and the rowid are not
    stored as they are read, and generated columns may not be stored at all: hence the whole
    definition counts, not just the names.
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
