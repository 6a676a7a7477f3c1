"""Prove from the pages of two images that a table holds the same rows, without reading one.

Pages are those of the file format (https://sqlite.org/fileformat2.html): a table is a tree of them,
and when its root and all of them are the same, so are its rows.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.database import open_pair, page_size

if TYPE_CHECKING:
    from collections.abc import Collection

GENERATED = (2, 3)  # table_xinfo.hidden of a virtual and a stored generated column


def untouched_tables(
    before: bytes,
    after: bytes,
    tables: Collection[str],
    pair: sqlite3.Connection | None = None,
) -> frozenset[str]:
    """Return those of ``tables`` whose content is proven the same by their pages alone.

    A table (same name in both) is proven untouched when page sizes are equal, its root page is
    the same, the CREATE before is a column prefix of the one after, and no page that it had before
    (dbstat) differs between the two images. Without the dbstat virtual table nothing is proven,
    but for equal images and for those that differ in nothing but the schema's first page. Sound: a
    table that is named holds exactly the same rows. ``pair`` is a connection to both, where the
    caller has one (``database.open_pair``).
    """
    if before == after:
        return frozenset(tables)
    if not before or not after or _format(before) != _format(after):
        return frozenset()
    changed = _changed_pages(before, after)
    if changed and not has_dbstat():
        return frozenset()
    if pair is not None:
        proven = _proven(pair, changed)
    else:
        with closing(open_pair(before, after)) as opened:
            proven = _proven(opened, changed)
    return frozenset(name for name in tables if name.casefold() in proven)


def _proven(pair: sqlite3.Connection, changed: frozenset[int]) -> set[str]:
    """Return the case-folded names of the tables with the same root and definition, unchanged."""
    names = _with_unique_name(pair)
    alike = _alike(pair)
    if len(alike) < len(names):
        there, still_there = _roots(pair, "before"), _roots(pair, "main")
        alike |= {
            name
            for name in there.keys() - alike
            if there[name] == still_there.get(name) and _reads_the_same(pair, name)
        }
    if changed:
        owners = _owners(pair, changed)
        alike = {name for name in alike if name.casefold() not in owners}
    return {name.casefold() for name in alike & names}


def _with_unique_name(pair: sqlite3.Connection) -> set[str]:
    """Return the names of the tables before, but for those that are one name when case-folded."""
    sql = "SELECT name FROM before.sqlite_master WHERE type = 'table' AND rootpage > 0"
    names = [name for (name,) in pair.execute(sql)]
    count = Counter(name.casefold() for name in names)
    return {name for name in names if count[name.casefold()] == 1}


def _alike(pair: sqlite3.Connection) -> set[str]:
    """Return the names of the tables whose CREATE is the same text in both, at the same root."""
    sql = (
        "SELECT b.name FROM before.sqlite_master AS b JOIN main.sqlite_master AS m"
        " ON m.name = b.name AND m.type = b.type AND m.rootpage = b.rootpage AND m.sql = b.sql"
        " WHERE b.type = 'table' AND b.rootpage > 0"
    )
    return {name for (name,) in pair.execute(sql)}


def _roots(db: sqlite3.Connection, schema: str) -> dict[str, int]:
    """Return the root page of each table that has pages."""
    source = f"{schema}.sqlite_master WHERE type = 'table' AND rootpage > 0"
    return dict(db.execute(f"SELECT name, rootpage FROM {source}").fetchall())


@cache
def has_dbstat() -> bool:
    """Return whether SQLite is built with the dbstat virtual table, which tells a table's pages."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute("SELECT 1 FROM dbstat")
        except sqlite3.OperationalError:
            return False
    return True


def _format(image: bytes) -> tuple[bytes, ...]:
    """Return what decides how a page is read: page size, bytes reserved in it, text encoding.

    https://sqlite.org/fileformat2.html#the_database_header
    """
    return image[16:18], image[20:21], image[56:60]


def _changed_pages(before: bytes, after: bytes) -> frozenset[int]:
    """Return the numbers of the pages of ``before`` that differ in ``after``, the first aside.

    The first page holds the header, which always changes, and the root of the schema's own table.
    """
    size = page_size(before)
    return frozenset(
        start // size + 1
        for start in range(size, len(before), size)
        if before[start : start + size] != after[start : start + size]
    )


def _owners(db: sqlite3.Connection, pages: frozenset[int]) -> set[str]:
    """Return the tables and indexes that ``pages`` belong to, overflow pages among them.

    The schema's own pages are asked for first: they change with every CREATE, and looking at them
    alone is cheap, where all of dbstat reads the whole database.
    """
    own = "SELECT pageno FROM dbstat('before') WHERE name IN ('sqlite_schema', 'sqlite_master')"
    pages -= {page for (page,) in db.execute(own)}
    if not pages:
        return set()
    numbers = ", ".join(map(str, pages))
    owners = db.execute(f"SELECT DISTINCT name FROM dbstat('before') WHERE pageno IN ({numbers})")
    return {name.casefold() for (name,) in owners}


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
