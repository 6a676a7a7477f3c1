"""Full-text indexes that no longer agree with the rows they index."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import temporary_copy

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Renames, Schema


def broken_searches(before: Snapshot, after: Snapshot, renames: Renames) -> tuple[str, ...]:
    """Return a message for each FTS5 table that is damaged after and was not before.

    One with external content shows the rows of another table, whatever its own index holds: when
    rowids change, or the index is emptied, only FTS5 itself can tell
    (https://sqlite.org/fts5.html#the_integrity_check_command).
    """
    indexes_after = search_tables(after.schema)
    names = {
        old: new
        for old in sorted(search_tables(before.schema))
        if (new := renames.tables.get(old, old)) in indexes_after
    }
    if not names:
        return ()
    with temporary_copy(after.image) as db:
        broken = [old for old, new in names.items() if not agrees(db, new)]
    if not broken:
        return ()
    with temporary_copy(before.image) as db:
        return tuple(
            f"the full-text index {names[old]} does not agree with its rows"
            for old in broken
            if agrees(db, old)
        )


def search_tables(schema: Schema) -> frozenset[str]:
    """Return the (folded) names of the FTS5 tables that can be read."""
    return frozenset(
        fold_name(table.name)
        for table in schema.tables
        if (table.virtual or ())[:1] == ("fts5",) and table.error is None
    )


def agrees(db: sqlite3.Connection, table: str) -> bool:
    """Return whether FTS5 finds that its index agrees with the rows."""
    name = quote_name(table)
    try:
        db.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError:
        return False
    return True
