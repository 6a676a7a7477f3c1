"""Compare the rows of a backup with those of a working copy, for the witness."""

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
    """How many rows of a table, by its name before, differ in the two databases.

    ``values`` are the columns (folded names before) in which values differ, and how many. Columns
    reported as changed are left out where a table has no key to pair rows by.
    """

    table: str
    lost: int
    came: int
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Side:
    schema: Schema
    layout: Layout


def compare_tables(
    before: Path, after: Path, changes: Iterable[TableChange]
) -> tuple[RowsSeen, ...]:
    """Return the tables of ``before`` that are still there and whose rows differ.

    ``changes`` say which table and column has become which. Tables whose pages are the same are
    not read. A virtual table that only the app can read is skipped.

    Raises: BBMigrateError, sqlite3.Error, OSError.
    """
    by_name = {fold_name(change.former): change for change in changes if change.former}
    sides = _side_of(before), _side_of(after)
    with closing(open_contents(before, after)) as pair:
        untouched = untouched_tables(
            (before, after),
            (sides[0].layout, sides[1].layout),
            sides[0].schema.table_names - _renamed(by_name.values()),
            lambda: pair,
        )
        return tuple(
            rows
            for table in sides[0].schema.tables
            if fold_name(table.name) not in untouched
            for rows in _compare_table(
                pair, table, by_name.get(fold_name(table.name)), sides[1].schema
            )
        )


def _side_of(path: Path) -> _Side:
    with closing(open_content(path)) as db:
        entries = read_entries(db)
        return _Side(read_schema(db, entries), read_layout(db, entries))


def _renamed(changes: Iterable[TableChange]) -> set[str]:
    return {
        fold_name(change.former) for change in changes if not same_name(change.former, change.table)
    }


def _compare_table(
    pair: sqlite3.Connection, table: Table, change: TableChange | None, after: Schema
) -> Iterator[RowsSeen]:
    """Yield what differs in ``table``, if it is still there and anything does."""
    is_gone = change is not None and change.rows_after is None
    table_after = after.table(table.name if change is None else change.table)
    if is_gone or table_after is None:
        return
    pairing = pairing_of(table, table_after, change)
    if not pairing.columns:
        return
    try:
        differences = _differences(pair, pairing)
    except sqlite3.OperationalError:
        if table.virtual is None:
            raise
        return
    counts = Counter[tuple[type[RowDifference], str]]()
    for group in differences.groups:
        counts[group.kind, fold_name(group.column)] += group.count
    if counts:
        values = tuple((of, count) for (kind, of), count in counts.items() if kind is ValueChanged)
        yield RowsSeen(table.name, counts[RowLost, ""], counts[RowAdded, ""], values)


def pairing_of(table: Table, table_after: Table, change: TableChange | None) -> Pairing:
    """Return which columns of ``table`` to compare with which, as ``change`` says.

    Rows are paired by the primary key where it is the same and its values are not reported as
    changed; else they are compared as a multiset, without the columns reported as changed.
    """
    renamed = {fold_name(old): new for old, new in change.columns_renamed} if change else {}
    lost = {fold_name(name) for name in change.columns_lost} if change else set()
    changed = {fold_name(name) for name in change.columns_changed} if change else set()
    columns = {
        name: fold_name(column.name)
        for name in table.stored_columns
        if name not in lost
        and (column := table_after.column(renamed.get(name, name)))
        and not column.generated
    }
    key = tuple(fold_name(name) for name in table.primary_key)
    kept = tuple(columns[name] for name in key if name in columns.keys() - changed)
    if len(kept) < max(1, len(key)) or set(kept) != set(map(fold_name, table_after.primary_key)):
        key = ()
        columns = {old: new for old, new in columns.items() if old not in changed}
    return Pairing(table.name, table_after.name, tuple(columns.items()), key)


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
