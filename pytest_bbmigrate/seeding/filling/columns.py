"""Values for columns that a migration added to tables that have rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.connecting import connect_foreign_key, update_row
from pytest_bbmigrate.seeding.filling.drawing import find_sources
from pytest_bbmigrate.seeding.filling.parents import FromParents
from pytest_bbmigrate.seeding.filling.queries import listed, row_key, select
from pytest_bbmigrate.seeding.filling.shapes import fill_ends
from pytest_bbmigrate.seeding.filling.sources import Placeholders
from pytest_bbmigrate.seeding.model import Unfilled, storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.row_sources import RowSources
    from pytest_bbmigrate.seeding.filling.sources import Row, Source
    from pytest_bbmigrate.seeding.filling.tables import TableWork
    from pytest_bbmigrate.sql.values import Cell

TRIES = 4


def set_columns(
    db: sqlite3.Connection, context: Context, work: TableWork, names: Collection[str]
) -> list[Unfilled]:
    """Give the columns ``names`` (folded) of a table values in about two of three rows.

    Return those in which no row accepted a value.
    """
    table = work.table
    if not work.kept:
        return [Unfilled(table.name, name, "the table holds no rows") for name in sorted(names)]
    to_itself = [key for key in table.foreign_keys if same_name(key.parent, table.name)]
    count = (2 * len(work.kept) + 2) // 3
    row_sources = find_sources(db, context, table, to_itself, count, work.rng)
    rows = _read_rows(db, table, row_sources.columns)
    ends = {0, len(rows) - 1} if rows else set()
    inner = work.rng.sample(range(1, len(rows) - 1), count - len(ends)) if count > 2 else []
    chosen = [rows[number] for number in sorted({*inner, *ends})]
    unfilled = [item for item in row_sources.unfilled if fold_name(item.column) in names]
    for source in row_sources.sources:
        wanted = [
            position
            for position in source.positions
            if fold_name(row_sources.columns[position]) in names
        ]
        if wanted:
            columns = {fold_name(row_sources.columns[position]) for position in wanted}
            held = _referred_to(db, context, table, columns)
            free = [row for row in chosen if row[0] not in held] if held else chosen
            refusal = _set_values(db, work, row_sources, source, wanted, free) if free else ""
            reported = {item.column for item in unfilled}
            unfilled += [
                Unfilled(table.name, row_sources.columns[position], refusal)
                for position in wanted
                if refusal and row_sources.columns[position] not in reported
            ]
    return unfilled


def _referred_to(
    db: sqlite3.Connection, context: Context, table: Table, names: set[str]
) -> frozenset[Key]:
    """Return the keys of the rows that others refer to by one of the columns ``names`` (folded).

    Another value there would leave those without their parent: a column that a migration adds to a
    key of several columns has rows that refer by it at once.
    """
    keys: set[Key] = set()
    for child, foreign in context.children.get(fold_name(table.name), ()):
        if names.isdisjoint(map(fold_name, foreign.parent_columns)):
            continue
        parents = map(quote_name, foreign.parent_columns)
        pairs = zip(parents, map(quote_name, foreign.columns), strict=False)
        matches = " AND ".join(f"p.{parent} = c.{own}" for parent, own in pairs)
        listed_keys = ", ".join(f"p.{name}" for name in row_key(table))
        keys.update(
            select(
                db,
                f"SELECT {listed_keys} FROM main.{quote_name(child.name)} AS c"
                f" JOIN main.{quote_name(table.name)} AS p ON {matches}",
            )
        )
    return frozenset(keys)


def _read_rows(
    db: sqlite3.Connection, table: Table, columns: Sequence[str]
) -> list[tuple[Key, tuple[Cell, ...]]]:
    """Return the key of each row, and its values of ``columns``.

    Two queries, since a result may have no more columns than a table.
    """
    key = ", ".join(row_key(table))
    rest = f"FROM main.{quote_name(table.name)} ORDER BY {key}"
    keys, values = (
        select(db, f"SELECT {key} {rest}"),
        select(db, f"SELECT {listed(columns)} {rest}"),
    )
    pairs = zip(keys, values, strict=True)
    return [(row, cells) for row, cells in pairs if all(storable(value) for value in row)]


def _set_values(
    db: sqlite3.Connection,
    work: TableWork,
    row_sources: RowSources,
    source: Source,
    wanted: Sequence[int],
    rows: Sequence[tuple[Key, tuple[Cell, ...]]],
) -> str:
    """Set the columns at positions ``wanted`` in ``rows``; return '' if any was set, or why not."""
    if isinstance(source, Placeholders):
        return _set_own_parents(db, work, row_sources, source, [key for key, _ in rows])
    any_set = False
    last_refusal = "no value fits the rows"
    for key, values in _with_values(source, wanted, rows, work):
        for _ in range(TRIES):
            new_values = {row_sources.columns[position]: values[position] for position in wanted}
            refusal = update_row(db, work.table, key, new_values)
            any_set = any_set or not refusal
            last_refusal = refusal or last_refusal
            if not refusal or not source.redraw(values, work.rng):
                break
    return "" if any_set else last_refusal


def _with_values(
    source: Source,
    wanted: Sequence[int],
    rows: Sequence[tuple[Key, tuple[Cell, ...]]],
    work: TableWork,
) -> list[tuple[Key, Row]]:
    """Return those of ``rows`` for which ``source`` has values, with these in them."""
    keys = [key for key, _ in rows]
    changed = [list(values) for _, values in rows]
    if isinstance(source, FromParents):
        source.kept = frozenset(source.positions) - set(wanted)
        pairs = zip(keys, changed, strict=True)
        drawn = [(key, values) for key, values in pairs if source.redraw(values, work.rng)]
    else:
        count = source.fill(changed, work.rng)
        drawn = list(zip(keys[:count], changed[:count], strict=True))
    if drawn:
        fill_ends([values for _, values in drawn], [source], work.rng)
    return drawn


def _set_own_parents(
    db: sqlite3.Connection,
    work: TableWork,
    row_sources: RowSources,
    source: Placeholders,
    rows: Sequence[Key],
) -> str:
    """Let ``rows`` refer to other rows of their table; return '' if any does, or why not."""
    names = {row_sources.columns[position] for position in source.positions}
    for key, free in row_sources.pending:
        if names == set(free) and connect_foreign_key(
            db, work.table, key, free, frozenset(rows), work.rng
        ):
            return ""
    return f"no row took a row of {work.table.name} as its parent"
