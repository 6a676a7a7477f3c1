"""Rows written after up, and what the way back does to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.observe import row_key, still_table
from pytest_bbmigrate.rows import (
    Pairing,
    RowAdded,
    RowLost,
    ValueChanged,
    compare_rows,
    same_cell,
)
from pytest_bbmigrate.seeding import Unfilled, add_rows
from pytest_bbmigrate.sql import folded, quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    open_content,
    open_contents,
    open_image,
    require_bytes,
    take_image,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_bbmigrate.experiment.model import DatabaseDiff, Evidence
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.rows import Key, RowDifference
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding import Recipe
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.sqlite_files import Content

WRITTEN_ROWS = 5


def tables_to_write(evidence: Evidence, there: DatabaseDiff, second: Snapshot) -> tuple[str, ...]:
    """Return the tables (names after) that the way back could harm rows in.

    Tables that were there before, if up or down touched or named them; of those that up made, the
    ones it left empty.
    """
    named = words_of(evidence.up) | (words_of(evidence.down) if evidence.down else frozenset())
    old = {fold_name(t.after) for t in there.tables if t.after}
    unsafe = (
        {fold_name(t.table) for t in evidence.down_diff.tables} if evidence.down_diff else set()
    )
    still = there.untouched & (named | unsafe)
    made = {
        name
        for name, count in second.row_counts.items()
        if not count and name not in there.untouched
    }
    return tuple(
        table.name
        for table in second.schema.tables
        if table.virtual is None and fold_name(table.name) in old | still | made
    )


def words_of(run: Run) -> frozenset[str]:
    """Return every word and name in the SQL that a run gave SQLite, folded."""
    return frozenset(word for sql in run.executed for word in folded(sql))


def write_rows(
    snapshot: Snapshot, tables: tuple[str, ...], recipe: Recipe
) -> tuple[bytes, dict[str, int], tuple[Unfilled, ...]]:
    """Return an image with rows added to ``tables``, how many in each, and what got none."""
    later = replace(recipe, seed=recipe.seed + 1, own_rows={}, expected_literals=(), requires=())
    counts: dict[str, int] = {}
    unwritten: list[Unfilled] = []
    with closing(open_image(require_bytes(snapshot.image))) as db:
        for name in tables:
            filling = add_rows(db, snapshot.schema, name, WRITTEN_ROWS, later)
            if added := filling.added.get(name, 0):
                counts[name] = added
            unwritten += filling.unfilled
        return take_image(db), counts, tuple(unwritten)


def follow_written(
    evidence: Evidence,
    there: DatabaseDiff,
    second: Snapshot,
    written: Content,
    back: Content,
    name: str,
) -> list[RowDifference]:
    """Return what the way back lost or changed of the rows written into table ``name`` (after)."""
    table = second.schema.table(name)
    if table is None:
        return []
    diff = next((t for t in there.tables if t.after == name), None)
    earlier = evidence.state.schema.table(name)
    if earlier is not None and fold_name(name) in there.untouched:
        diff = still_table(earlier)
    if diff is None:
        return []  # up made the table: what down does to its rows is for the author to say
    before_names = {new: old for old, new in diff.columns.items()}
    declared = {
        fold_name(change.column)
        for change in evidence.migration.contract.changes
        if fold_name(change.table) in {fold_name(diff.table), fold_name(name)}
    }
    columns = {new: old for new, old in before_names.items() if old not in declared}
    written_rows = added_rows(second, written, table)
    with closing(open_content(back)) as db:
        there_now = rows_of(db, diff.table, tuple(columns.values()))
    key = row_key(table, columns)
    return compare_written(name, written_rows, there_now, tuple(columns.items()), key)


def added_rows(second: Snapshot, written: Content, table: Table) -> list[Mapping[str, Cell]]:
    """Return the rows of ``table`` that are in ``written`` and not in ``second``."""
    plain = tuple(fold_name(c.name) for c in table.columns if not c.generated)
    columns = tuple((name, name) for name in plain)
    key = tuple(fold_name(name) for name in table.primary_key)
    pairing = Pairing(table.name, table.name, columns, key)
    with closing(open_contents(second.image, written)) as db:
        return [d.row for d in compare_rows(db, pairing) if isinstance(d, RowAdded)]


def rows_of(db: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> list[Key]:
    """Return ``columns`` of every row of ``table``; no rows when the table is not there.

    The columns are qualified, for a bare name in double quotes that is no column is a text
    (https://sqlite.org/quirks.html#dblquote).
    """
    if not columns:
        return []
    wanted = ", ".join(f"t.{quote_name(column)}" for column in columns)
    try:
        return db.execute(f"SELECT {wanted} FROM {quote_name(table)} AS t").fetchall()
    except sqlite3.OperationalError:
        return []  # down did not put the table or the column back: `back` says so


def compare_written(
    name: str,
    written: list[Mapping[str, Cell]],
    there: list[Key],
    columns: tuple[tuple[str, str], ...],
    key: tuple[str, ...],
) -> list[RowDifference]:
    """Return which ``written`` rows are not among ``there``, rows with the old names."""
    places = [number for number, (new, _) in enumerate(columns) if not key or new in key]
    by_key: dict[tuple[object, ...], list[Key]] = {}
    for cells in there:
        by_key.setdefault(exact([cells[place] for place in places]), []).append(cells)
    found: list[RowDifference] = []
    for row in written:
        own_key = tuple(row[new] for new, _ in columns if not key or new in key)
        candidates = by_key.get(exact(own_key), [])
        if not candidates:
            found.append(RowLost(name, own_key if key else (), dict(row)))
            continue
        now = candidates.pop() if not key else candidates[-1]
        found += [
            ValueChanged(name, own_key, new, row[new], cell)
            for (new, _), cell in zip(columns, now, strict=True)
            if not same_cell(row[new], cell)
        ]
    return found


def exact(cells: Sequence[Cell]) -> tuple[tuple[type, str], ...]:
    """Return a key under which 1, 1.0 and '1', and 0.0 and -0.0, are told apart."""
    return tuple((type(cell), repr(cell)) for cell in cells)
