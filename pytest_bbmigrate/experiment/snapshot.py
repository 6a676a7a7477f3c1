"""A database at one moment of an experiment, and what is proven unchanged since another."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import Layout, count_rows, read_layout, untouched_tables
from pytest_bbmigrate.schema import read_entries, read_schema
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import attach_content, equal_contents, open_content
from pytest_bbmigrate.sqlite_files.held_file import FileState, state_of_file

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sqlite_files import Content


@dataclass(frozen=True)
class Snapshot:
    """One moment of an experiment: a database's content, its schema and how many rows it holds.

    ``unchanged`` are the tables (folded names) proven to hold what they held in ``earlier``.
    ``written`` is how the file looked when the snapshot was made, None for content in memory.
    """

    image: Content
    schema: Schema
    row_counts: Mapping[str, int]
    layout: Layout = field(repr=False)
    earlier: Snapshot | None = field(default=None, repr=False, compare=False)
    unchanged: frozenset[str] = frozenset()
    written: FileState | None = field(default=None, repr=False, compare=False)

    @property
    def is_as_written(self) -> bool:
        """Whether nothing was written to the file since then, as far as the system tells.

        Raises: OSError when it cannot be looked at.
        """
        if isinstance(self.image, bytes) or self.written is None:
            return True
        state = state_of_file(self.image.stat())
        return state.identity == self.written.identity and state.is_as_written_as(self.written)


def snapshot_of(image: Content, earlier: Snapshot | None = None) -> Snapshot:
    """Return the snapshot of ``image``.

    Tables proven to hold what they held in the ``earlier`` snapshot are not counted again.
    """
    if earlier is not None and equal_contents(earlier.image, image):
        return earlier
    with closing(open_content(image)) as db:
        return snapshot_in(db, image, earlier)


def snapshot_in(
    db: sqlite3.Connection, image: Content, earlier: Snapshot | None = None
) -> Snapshot:
    """Return the snapshot of ``image``; ``db`` is a connection to it.

    The ``earlier`` snapshot is attached to ``db`` where pages must be looked up in it.
    """
    written = None if isinstance(image, bytes) else state_of_file(image.stat())
    entries = read_entries(db)
    schema, layout = read_schema(db, entries), read_layout(db, entries)
    if earlier is None:
        counts = count_tables(db, schema, {})
        return Snapshot(image, schema, counts, layout, written=written)
    unchanged = untouched_tables(
        (earlier.image, image),
        (earlier.layout, layout),
        earlier.schema.table_names,
        lambda: attach_content(db, earlier.image),
    )
    counted = {name: earlier.row_counts[name] for name in unchanged}
    counts = count_tables(db, schema, counted)
    return Snapshot(image, schema, counts, layout, earlier, unchanged, written)


def count_tables(
    db: sqlite3.Connection, schema: Schema, counted: Mapping[str, int]
) -> dict[str, int]:
    """Return how many rows each table (folded name) holds, but for those ``counted`` already.

    One that cannot be read is counted as empty.
    """
    tables = {fold_name(table.name): table for table in schema.tables}
    return {
        name: counted[name] if name in counted else 0 if table.error else count_rows(db, table.name)
        for name, table in tables.items()
    }


def unchanged_tables(pair: sqlite3.Connection, before: Snapshot, after: Snapshot) -> frozenset[str]:
    """Return the tables (folded names) that are proven to hold the same before and after."""
    if after.earlier is before:
        return after.unchanged
    return untouched_tables(
        (before.image, after.image),
        (before.layout, after.layout),
        before.schema.table_names,
        lambda: pair,
    )
