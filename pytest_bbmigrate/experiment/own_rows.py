"""Which tables of a state may hold somebody's own rows: of bb_base, and of bb_rows_from.

The other rows are generated, and may be shown. A migration can carry own values anywhere, so a
table counts as soon as something that was run, or a view or trigger, names it together with one
that does. Of what Python carried in its own variables nothing is known.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sql import UnreadableSql, quote_name, tokenize
from pytest_bbmigrate.sql.clauses import Insert, Query, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import (
    Created,
    CreateTable,
    CreateTrigger,
    CreateView,
    RenameColumn,
    RenameTable,
)
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.schema.model import Trigger, View
    from pytest_bbmigrate.seeding.model import OwnRows
    from pytest_bbmigrate.sql.reading import Command
    from pytest_bbmigrate.sql.values import Cell

CARRYING = Query | Insert | Update | CreateView | CreateTrigger | RenameTable | RenameColumn
LONG_ENOUGH = 3  # characters of a text that is looked for within others


@dataclass(frozen=True)
class RowOwner:
    """Whose rows these are.

    ``tables`` (folded) may hold own rows; ``values`` are own texts and blobs and long numbers,
    which generated rows that refer to own ones repeat.
    """

    tables: frozenset[str] = frozenset()
    values: frozenset[Cell] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.tables)

    def holds(self, cell: Cell) -> bool:
        """Return whether ``cell`` is an own value, or has one in it."""
        if cell in self.values:
            return True
        folded = fold_name(cell) if isinstance(cell, str) else ""
        return any(text in folded for text in self._texts) if folded else False

    @cached_property
    def _texts(self) -> list[str]:
        return [
            fold_name(value)
            for value in self.values
            if isinstance(value, str) and len(value) >= LONG_ENOUGH
        ]


NOBODYS = RowOwner()


def own_of_base(image: bytes, schema: Schema, own_rows: OwnRows) -> RowOwner:
    """Return what is somebody's own in the database ``image`` that the first migration starts from.

    The values are also those of ``own_rows``, wherever they will go.
    """
    values = {cell for rows in own_rows.values() for row in rows for cell in row.values()}
    tables = set[str]()
    with closing(open_image(image)) as db:
        for table in schema.tables:
            if holds_row(db, table):
                tables.add(fold_name(table.name))
                values.update(*stored_rows(db, table))
    return filled(RowOwner(frozenset(tables), frozenset(filter(tells, values))), schema, own_rows)


def has_rows(image: bytes) -> bool:
    """Return whether any table of the database ``image`` holds a row."""
    with closing(open_image(image)) as db:
        return any(holds_row(db, table) for table in read_schema(db).tables)


def holds_row(db: sqlite3.Connection, table: Table) -> bool:
    """Return whether there is a row in ``table``; of one that cannot be asked there may be."""
    try:
        found = db.execute(f"SELECT 1 FROM {quote_name(table.name)} LIMIT 1").fetchone()
    except sqlite3.Error:
        return True
    return found is not None


def stored_rows(db: sqlite3.Connection, table: Table) -> list[tuple[Cell, ...]]:
    """Return the rows of ``table`` without what is generated; none where they cannot be read."""
    columns = ", ".join(map(quote_name, table.stored_columns))
    try:
        return db.execute(f"SELECT {columns} FROM {quote_name(table.name)}").fetchall()
    except sqlite3.Error:
        return []


def filled(own: RowOwner, schema: Schema, own_rows: OwnRows) -> RowOwner:
    """Return ``own`` once the tables of ``own_rows`` that are in ``schema`` are filled."""
    there = {fold_name(name) for name in own_rows} & schema.table_names
    return RowOwner(own.tables | there, own.values)


def tells(cell: Cell) -> bool:
    """Return whether a value says more than that it is there: no NULL, flag or small number."""
    if isinstance(cell, int):
        return abs(cell) >= 10_000
    return bool(cell)


def own_after(
    own: RowOwner, migration: Migration, up: Run, before: Schema, after: Schema
) -> RowOwner:
    """Return what is somebody's own after ``migration`` went up, in tables of either schema."""
    if not own:
        return own
    if not isinstance(migration.up, SqlPart):
        return RowOwner(own.tables | after.table_names, own.values)
    named: list[View | Trigger] = [*before.views, *before.triggers, *after.views, *after.triggers]
    executed = [(words_of(sql), read_command(sql)) for sql in up.executed]
    ran = [(words, command) for words, command in executed if carries(command)]
    names = before.table_names | after.table_names | {fold_name(each.name) for each in named}
    names = names.union(*(made_by(command) for _, command in ran))
    together = [*(each.tokens for each in named), *(words for words, _ in ran)]
    groups = [names.intersection(words) for words in together]
    return RowOwner(reached(own.tables, groups), own.values)


def reached(tables: Iterable[str], groups: Collection[frozenset[str]]) -> frozenset[str]:
    """Return ``tables`` and whatever stands in one of ``groups`` with any of what is reached."""
    found, size = set(tables), -1
    while size != len(found):
        size = len(found)
        for group in groups:
            if not found.isdisjoint(group):
                found |= group
    return frozenset(found)


def words_of(sql: str) -> tuple[str, ...]:
    """Return the words and names in ``sql``, folded."""
    try:
        return tuple(fold_name(token.name) for token in tokenize(sql))
    except UnreadableSql:
        return ()


def carries(command: Command) -> bool:
    """Return whether a statement can bring values from one table to another, or rename one.

    What only declares a table names others in its foreign keys; a DELETE writes nothing.
    """
    if isinstance(command, CreateTable):
        return command.query is not None
    return isinstance(command, CARRYING)


def made_by(command: Command) -> frozenset[str]:
    """Return the name that a CREATE or an ALTER TABLE .. RENAME TO gives, be it for a while."""
    if isinstance(command, Created):
        return frozenset({command.name.folded})
    if isinstance(command, RenameTable | RenameColumn):
        return frozenset({fold_name(command.new)})
    return frozenset()
