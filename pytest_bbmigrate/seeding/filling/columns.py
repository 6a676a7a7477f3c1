"""Values for columns that a migration added to tables with rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.connecting import connect_foreign_key, update_row
from pytest_bbmigrate.seeding.filling.drawing import draw
from pytest_bbmigrate.seeding.filling.queries import listed, row_key, select
from pytest_bbmigrate.seeding.filling.sources import FromParents, Pending
from pytest_bbmigrate.seeding.model import Unfilled, storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.drawing import Drawing
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.sources import Row, Source
    from pytest_bbmigrate.seeding.filling.tables import Work
    from pytest_bbmigrate.seeding.model import Cell

TRIES = 4


def set_columns(
    db: sqlite3.Connection, context: Context, work: Work, names: Collection[str]
) -> list[Unfilled]:
    """Give the columns ``names`` (case-folded) of a table values in about two of three rows.

    Return those for which no row took any.
    """
    table = work.table
    if not work.kept:
        return [Unfilled(table.name, name, "the table holds no rows") for name in sorted(names)]
    itself = [key for key in table.foreign_keys if same_name(key.parent, table.name)]
    count = (2 * len(work.kept) + 2) // 3
    drawing = draw(db, context, table, itself, count, work.rng)
    there = _rows(db, table, drawing.columns)
    chosen = [there[number] for number in sorted(work.rng.sample(range(len(there)), count))]
    unfilled = [item for item in drawing.unfilled if fold_name(item.column) in names]
    for source in drawing.sources:
        wanted = [
            position
            for position in source.positions
            if fold_name(drawing.columns[position]) in names
        ]
        if wanted:
            refusal = _set(db, work, drawing, source, wanted, chosen)
            known = {item.column for item in unfilled}
            unfilled += [
                Unfilled(table.name, drawing.columns[position], refusal)
                for position in wanted
                if refusal and drawing.columns[position] not in known
            ]
    return unfilled


def _rows(
    db: sqlite3.Connection, table: Table, columns: Sequence[str]
) -> list[tuple[Key, tuple[Cell, ...]]]:
    """Return all rows: key and values of ``columns``.

    They are read apart: a result may not have more columns than a table.
    """
    key = ", ".join(row_key(table))
    rest = f"FROM main.{quote_name(table.name)} ORDER BY {key}"
    keys, values = (
        select(db, f"SELECT {key} {rest}"),
        select(db, f"SELECT {listed(columns)} {rest}"),
    )
    pairs = zip(keys, values, strict=True)
    return [(row, cells) for row, cells in pairs if all(storable(value) for value in row)]


def _set(
    db: sqlite3.Connection,
    work: Work,
    drawing: Drawing,
    source: Source,
    wanted: Sequence[int],
    rows: Sequence[tuple[Key, tuple[Cell, ...]]],
) -> str:
    """Set the columns at positions ``wanted`` in ``rows``; return '' or why none could be."""
    if isinstance(source, Pending):
        return _set_own_parents(db, work, drawing, source, [key for key, _ in rows])
    done = 0
    refusal = "no value fits the rows"
    for key, values in _started(source, wanted, rows, work):
        for _ in range(TRIES):
            refused = update_row(
                db, work.table, key, {drawing.columns[at]: values[at] for at in wanted}
            )
            done += not refused
            refusal = refused or refusal
            if not refused or not source.redraw(values, work.rng):
                break
    return "" if done else refusal


def _started(
    source: Source,
    wanted: Sequence[int],
    rows: Sequence[tuple[Key, tuple[Cell, ...]]],
    work: Work,
) -> list[tuple[Key, Row]]:
    """Return ``rows`` with new values; without those for which there is none."""
    keys = [key for key, _ in rows]
    changed = [list(values) for _, values in rows]
    if isinstance(source, FromParents):
        source.kept = frozenset(source.positions) - set(wanted)
        pairs = zip(keys, changed, strict=True)
        return [(key, values) for key, values in pairs if source.redraw(values, work.rng)]
    served = source.start(changed, work.rng)
    return list(zip(keys[:served], changed[:served], strict=True))


def _set_own_parents(
    db: sqlite3.Connection,
    work: Work,
    drawing: Drawing,
    source: Pending,
    rows: Sequence[Key],
) -> str:
    """Let ``rows`` refer to other rows of their own table."""
    names = {drawing.columns[position] for position in source.positions}
    for key, free in drawing.pending:
        if names == set(free) and connect_foreign_key(
            db, work.table, key, free, frozenset(rows), work.rng
        ):
            return ""
    return f"no row took a row of {work.table.name} as its parent"
