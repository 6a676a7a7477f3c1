"""The rows of a backup held against those of a working copy, by whoever has run no migration."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import (
    Pairing,
    RowAdded,
    RowDifference,
    RowLost,
    ValueChanged,
    compare_rows,
    read_layout,
    summarize_rows,
    untouched_tables,
)
from pytest_bbmigrate.schema import read_entries, read_schema
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sqlite_files import open_content, open_contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.model import TableChange
    from pytest_bbmigrate.rows import Differences, Layout
    from pytest_bbmigrate.schema import Schema, Table


@dataclass(frozen=True)
class RowsSeen:
    """What differs between the rows of a table, by its name before, and what they have become.

    ``values`` are the columns (folded names before) in which values differ, and how many. Columns
    that are said to have changed are left out where they are needed to tell the rows apart.
    """

    table: str
    lost: int
    came: int
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Side:
    schema: Schema
    layout: Layout


def rows_seen(before: Path, after: Path, changes: Iterable[TableChange]) -> tuple[RowsSeen, ...]:
    """Return what differs in the tables of ``before`` that are still there, if anything does.

    Which table and column has become which, ``changes`` say. Tables whose pages prove that they
    hold the same are not read. One of a virtual table that only the app can read is passed over.

    Raises: BBMigrateError, sqlite3.Error, OSError.
    """
    said = {fold_name(change.former): change for change in changes if change.former}
    sides = _side_of(before), _side_of(after)
    with closing(open_contents(before, after)) as pair:
        untouched = untouched_tables(
            (before, after),
            (sides[0].layout, sides[1].layout),
            sides[0].schema.table_names - _renamed(said.values()),
            lambda: pair,
        )
        return tuple(
            found
            for table in sides[0].schema.tables
            if fold_name(table.name) not in untouched
            for found in _look(pair, table, said.get(fold_name(table.name)), sides[1].schema)
        )


def _side_of(path: Path) -> _Side:
    with closing(open_content(path)) as db:
        entries = read_entries(db)
        return _Side(read_schema(db, entries), read_layout(db, entries))


def _renamed(changes: Iterable[TableChange]) -> set[str]:
    return {
        fold_name(change.former) for change in changes if not same_name(change.former, change.table)
    }


def _look(
    pair: sqlite3.Connection, table: Table, change: TableChange | None, after: Schema
) -> Iterator[RowsSeen]:
    """Yield what differs in ``table``, if it is still there and anything does."""
    is_gone = change is not None and change.rows_after is None
    became = after.table(table.name if change is None else change.table)
    if is_gone or became is None:
        return
    pairing = pairing_of(table, became, change)
    if not pairing.columns:
        return
    try:
        found = _differences(pair, pairing)
    except sqlite3.OperationalError:
        if table.virtual is None:
            raise
        return
    counts = Counter[tuple[type[RowDifference], str]]()
    for alike in found.groups:
        counts[alike.kind, fold_name(alike.column)] += alike.count
    if counts:
        values = tuple((of, count) for (kind, of), count in counts.items() if kind is ValueChanged)
        yield RowsSeen(table.name, counts[RowLost, ""], counts[RowAdded, ""], values)


def pairing_of(table: Table, became: Table, change: TableChange | None) -> Pairing:
    """Return which columns of ``table`` to compare with which, as ``change`` says.

    The primary key tells the rows apart where it is still that, and said to be what it was; else
    they are compared as a multiset, without the columns in which values are said to have changed.
    """
    renamed = {fold_name(old): new for old, new in change.columns_renamed} if change else {}
    lost = {fold_name(name) for name in change.columns_lost} if change else set()
    changed = {fold_name(name) for name in change.columns_changed} if change else set()
    columns = {
        name: fold_name(column.name)
        for name in table.stored_columns
        if name not in lost
        and (column := became.column(renamed.get(name, name)))
        and not column.generated
    }
    key = tuple(fold_name(name) for name in table.primary_key)
    kept = tuple(columns[name] for name in key if name in columns.keys() - changed)
    if len(kept) < max(1, len(key)) or set(kept) != set(map(fold_name, became.primary_key)):
        key = ()
        columns = {old: new for old, new in columns.items() if old not in changed}
    return Pairing(table.name, became.name, tuple(columns.items()), key)


def _differences(pair: sqlite3.Connection, pairing: Pairing) -> Differences:
    """Return what differs.

    Text is read by ``str``, the fastest by far, where all of it is UTF-8; and rows without their
    key where only the app has the collation of that.

    Raises: sqlite3.OperationalError.
    """
    careful = pair.text_factory
    keyless = replace(pairing, key=())
    try:
        for texts in (str, careful):
            pair.text_factory = texts
            with suppress(sqlite3.OperationalError):
                return _summary(pair, pairing)
        return _summary(pair, keyless)
    finally:
        pair.text_factory = careful


def _summary(pair: sqlite3.Connection, pairing: Pairing) -> Differences:
    return summarize_rows(pair, pairing, None, lambda: compare_rows(pair, pairing))
