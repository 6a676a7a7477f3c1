"""Which tables of a state may hold somebody's own rows, from bb_base or bb_rows_from.

The other rows are generated, and may be shown. A migration can copy own values anywhere. So a table
counts as soon as an executed statement, a view or a trigger names it together with one that counts
already. What Python holds in its own variables cannot be followed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.schema.read.row_presence import holds_row
from pytest_bbmigrate.sql import UnreadableSql, quote_name, tokenize
from pytest_bbmigrate.sql.clauses import Insert, Query, Update
from pytest_bbmigrate.sql.names import fold_name, fold_text
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
MIN_LENGTH = 3  # characters of a text that is looked for within others


@dataclass(frozen=True)
class RowOwner:
    """What may be somebody's own in a state.

    ``tables`` (folded) may hold own rows. ``values`` are own texts, blobs and large numbers:
    generated rows that refer to own ones repeat them.
    """

    tables: frozenset[str] = frozenset()
    values: frozenset[Cell] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.tables)

    def holds(self, cell: Cell) -> bool:
        """Return whether ``cell`` is an own value, or contains one."""
        if cell in self.values:
            return True
        folded = fold_text(cell) if isinstance(cell, str) else ""
        return any(text in folded for text in self._texts) if folded else False

    @cached_property
    def _texts(self) -> list[str]:
        return [
            fold_text(value)
            for value in self.values
            if isinstance(value, str) and len(value) >= MIN_LENGTH
        ]


NOBODYS = RowOwner()


def own_of_base(image: bytes, schema: Schema, own_rows: OwnRows) -> RowOwner:
    """Return what is somebody's own in ``image``, the base that the first migration starts from.

    The values of ``own_rows`` are included, whatever table they are for.
    """
    values = {cell for rows in own_rows.values() for row in rows for cell in row.values()}
    tables = set[str]()
    with closing(open_image(image)) as db:
        for table in schema.tables:
            if holds_row(db, table.name):
                tables.add(fold_name(table.name))
                values.update(*stored_rows(db, table))
    return with_own_rows(
        RowOwner(frozenset(tables), frozenset(filter(is_distinctive, values))), schema, own_rows
    )


def stored_rows(db: sqlite3.Connection, table: Table) -> list[tuple[Cell, ...]]:
    """Return the rows of ``table`` without generated columns; none if they cannot be read."""
    columns = ", ".join(map(quote_name, table.stored_columns))
    try:
        return db.execute(f"SELECT {columns} FROM {quote_name(table.name)}").fetchall()
    except sqlite3.Error:
        return []


def with_own_rows(own: RowOwner, schema: Schema, own_rows: OwnRows) -> RowOwner:
    """Return ``own`` with the tables of ``own_rows`` that ``schema`` has: these are filled now."""
    filled_tables = {fold_name(name) for name in own_rows} & schema.table_names
    return RowOwner(own.tables | filled_tables, own.values)


def is_distinctive(cell: Cell) -> bool:
    """Return whether a value could identify something: it is no NULL, flag or small number."""
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
    schema_items: list[View | Trigger] = [
        *before.views,
        *before.triggers,
        *after.views,
        *after.triggers,
    ]
    executed = [(words_of(sql), read_command(sql)) for sql in up.shapes]
    carrying = [(words, command) for words, command in executed if can_carry_values(command)]
    names = before.table_names | after.table_names | {fold_name(item.name) for item in schema_items}
    names = names.union(*(created_names(command) for _, command in carrying))
    texts = [*(item.tokens for item in schema_items), *(words for words, _ in carrying)]
    groups = [names.intersection(words) for words in texts]
    return RowOwner(reached(own.tables, groups), own.values)


def reached(tables: Iterable[str], groups: Collection[frozenset[str]]) -> frozenset[str]:
    """Return ``tables`` with all names that a chain of ``groups`` links to one of them.

    The names of one group are linked to each other.
    """
    names, size = set(tables), -1
    while size != len(names):
        size = len(names)
        for group in groups:
            if not names.isdisjoint(group):
                names |= group
    return frozenset(names)


def words_of(sql: str) -> tuple[str, ...]:
    """Return the words and names in ``sql``, folded."""
    try:
        return tuple(fold_name(token.name) for token in tokenize(sql))
    except UnreadableSql:
        return ()


def can_carry_values(command: Command) -> bool:
    """Return whether a statement can copy values from one table to another, or rename one.

    A CREATE TABLE without a query cannot, though its foreign keys name other tables; nor a DELETE.
    """
    if isinstance(command, CreateTable):
        return command.query is not None
    return isinstance(command, CARRYING)


def created_names(command: Command) -> frozenset[str]:
    """Return the name that a CREATE or an ALTER TABLE .. RENAME gives, even if only for a while."""
    if isinstance(command, Created):
        return frozenset({command.name.folded})
    if isinstance(command, RenameTable | RenameColumn):
        return frozenset({fold_name(command.new)})
    return frozenset()
