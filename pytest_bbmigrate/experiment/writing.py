"""Rows written after up, and what down does to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.observe import row_key, unchanged_table_diff
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


def tables_to_write(evidence: Evidence, up_diff: DatabaseDiff, after: Snapshot) -> tuple[str, ...]:
    """Return the tables (names after) in which down could harm rows.

    These are tables that existed before, if up or down changed or named them, and tables that up
    created and left empty.
    """
    named = words_of(evidence.up) | (words_of(evidence.down) if evidence.down else frozenset())
    changed_by_up = {fold_name(table.after) for table in up_diff.tables if table.after}
    changed_by_down = (
        {fold_name(table.table) for table in evidence.down_diff.tables}
        if evidence.down_diff
        else set()
    )
    at_risk = up_diff.untouched & (named | changed_by_down)
    left_empty = {
        name
        for name, count in after.row_counts.items()
        if not count and name not in up_diff.untouched
    }
    names = changed_by_up | at_risk | left_empty
    return tuple(
        table.name
        for table in after.schema.tables
        if table.virtual is None and fold_name(table.name) in names
    )


def words_of(run: Run) -> frozenset[str]:
    """Return every word and name in the SQL that a run executed, folded."""
    return frozenset(word for sql in run.executed for word in folded(sql))


def write_rows(
    snapshot: Snapshot, tables: tuple[str, ...], recipe: Recipe
) -> tuple[bytes, dict[str, int], tuple[Unfilled, ...]]:
    """Add rows to ``tables``; return the image, how many each got, and what got none."""
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


def diff_written_rows(
    evidence: Evidence,
    up_diff: DatabaseDiff,
    after: Snapshot,
    written: Content,
    after_down: Content,
    name: str,
) -> list[RowDifference]:
    """Return what down lost or changed of the rows written into table ``name`` (after).

    Rows were written into ``after``, which gave ``written``; down turned this into ``after_down``.
    """
    table = after.schema.table(name)
    if table is None:
        return []
    diff = next((table_diff for table_diff in up_diff.tables if table_diff.after == name), None)
    old_table = evidence.state.schema.table(name)
    if old_table is not None and fold_name(name) in up_diff.untouched:
        diff = unchanged_table_diff(old_table)
    if diff is None:
        return []  # up created the table: what down does to its rows is for the author to say
    declared = {
        fold_name(change.column)
        for change in evidence.migration.contract.changes
        if fold_name(change.table) in {fold_name(diff.table), fold_name(name)}
    }
    columns = {new: old for old, new in diff.columns.items() if old not in declared}
    written_rows = added_rows(after, written, table)
    with closing(open_content(after_down)) as db:
        rows_after_down = rows_of(db, diff.table, tuple(columns.values()))
    key = row_key(table, columns)
    return compare_written(name, written_rows, rows_after_down, tuple(columns.items()), key)


def added_rows(after: Snapshot, written: Content, table: Table) -> list[Mapping[str, Cell]]:
    """Return the rows of ``table`` that are in ``written`` and not in ``after``."""
    stored = [fold_name(column.name) for column in table.columns if not column.generated]
    columns = tuple((name, name) for name in stored)
    key = tuple(fold_name(name) for name in table.primary_key)
    pairing = Pairing(table.name, table.name, columns, key)
    with closing(open_contents(after.image, written)) as db:
        return [d.row for d in compare_rows(db, pairing) if isinstance(d, RowAdded)]


def rows_of(db: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> list[Key]:
    """Return ``columns`` of every row of ``table``; none if the table does not exist.

    The columns are qualified, since SQLite takes a bare name in double quotes for a text if there
    is no such column (https://sqlite.org/quirks.html#dblquote).
    """
    if not columns:
        return []
    wanted = ", ".join(f"t.{quote_name(column)}" for column in columns)
    try:
        return db.execute(f"SELECT {wanted} FROM {quote_name(table)} AS t").fetchall()
    except sqlite3.OperationalError:
        return []  # down did not bring the table or a column back, which is in ``down_diff``


def compare_written(
    name: str,
    written: list[Mapping[str, Cell]],
    rows_after_down: list[Key],
    columns: tuple[tuple[str, str], ...],
    key: tuple[str, ...],
) -> list[RowDifference]:
    """Return how ``written`` rows differ from the same ones after down, or that they are lost.

    ``columns`` are (name after, name before), in the order of the cells of ``rows_after_down``.
    Without a ``key``, a row is found by all of its values.
    """
    key_indexes = [index for index, (new, _) in enumerate(columns) if not key or new in key]
    by_key: dict[tuple[object, ...], list[Key]] = {}
    for cells in rows_after_down:
        by_key.setdefault(exact([cells[index] for index in key_indexes]), []).append(cells)
    differences: list[RowDifference] = []
    for row in written:
        row_key_values = tuple(row[new] for new, _ in columns if not key or new in key)
        candidates = by_key.get(exact(row_key_values), [])
        if not candidates:
            differences.append(RowLost(name, row_key_values if key else (), dict(row)))
            continue
        # Without a key, equal rows are counted: each of those after down stands for one written.
        cells_after_down = candidates[-1] if key else candidates.pop()
        differences += [
            ValueChanged(name, row_key_values, new, row[new], cell)
            for (new, _), cell in zip(columns, cells_after_down, strict=True)
            if not same_cell(row[new], cell)
        ]
    return differences


def exact(cells: Sequence[Cell]) -> tuple[tuple[type, str], ...]:
    """Return a key in which 1, 1.0 and '1' differ, as do 0.0 and -0.0."""
    return tuple((type(cell), repr(cell)) for cell in cells)
