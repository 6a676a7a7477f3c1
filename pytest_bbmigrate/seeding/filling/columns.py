"""Values for columns that a migration added to tables that have rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.connecting import connect_foreign_key, refusal_of, update_of
from pytest_bbmigrate.seeding.filling.drawing import find_sources
from pytest_bbmigrate.seeding.filling.parents import FromParents
from pytest_bbmigrate.seeding.filling.queries import listed, row_key, select
from pytest_bbmigrate.seeding.filling.shapes import fill_ends
from pytest_bbmigrate.seeding.filling.sources import Placeholders
from pytest_bbmigrate.seeding.filling.writing import each_refused, one_transaction, written_in_time
from pytest_bbmigrate.seeding.model import Unfilled
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sqlite_files.in_time import GivenUp

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
    if not work.there:
        return [Unfilled(table.name, name, "the table holds no rows") for name in sorted(names)]
    to_itself = [key for key in table.foreign_keys if same_name(key.parent, table.name)]
    keys = work.there
    count = (2 * len(keys) + 2) // 3
    row_sources = find_sources(db, context, table, to_itself, count, work.rng, only=names)
    ends = {0, len(keys) - 1} if keys else set()
    inner = work.rng.sample(range(1, len(keys) - 1), count - len(ends)) if count > 2 else []
    chosen = [keys[number] for number in sorted({*inner, *ends})]
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
            free = [key for key in chosen if key not in held] if held else chosen
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


def _set_values(
    db: sqlite3.Connection,
    work: TableWork,
    row_sources: RowSources,
    source: Source,
    wanted: Sequence[int],
    keys: Sequence[Key],
) -> str:
    """Set the columns at positions ``wanted`` in rows; return '' if any was set, or why not."""
    if isinstance(source, Placeholders):
        return _set_own_parents(db, work, row_sources, source, keys)
    sql = update_of(work.table, [row_sources.columns[position] for position in wanted])
    drawn = _with_values(db, work, row_sources, source, wanted, keys)

    def assignment(row: tuple[Key, Row]) -> Sequence[Cell]:
        key, values = row
        return (*(values[position] for position in wanted), *key)

    number_refused, last_refusal = 0, "no value fits the rows"
    try:
        with written_in_time(db, len(drawn)), one_transaction(db):
            for row, refusal in each_refused(db, sql, drawn, assignment):
                last_refusal = refusal
                if row is None:
                    return refusal
                tries = 1
                while refusal and source.redraw(row[1], work.rng) and tries < TRIES:
                    refusal = refusal_of(db, sql, assignment(row))
                    last_refusal = refusal or last_refusal
                    tries += 1
                number_refused += bool(refusal)
    except GivenUp as error:
        return str(error)
    return "" if number_refused < len(drawn) else last_refusal


def _with_values(
    db: sqlite3.Connection,
    work: TableWork,
    row_sources: RowSources,
    source: Source,
    wanted: Sequence[int],
    keys: Sequence[Key],
) -> list[tuple[Key, Row]]:
    """Return the rows with ``keys`` for which ``source`` has values, with these in them."""
    changed: list[Row] = [[None] * len(row_sources.columns) for _ in keys]
    if isinstance(source, FromParents):
        source.kept = frozenset(source.positions) - set(wanted)
        _read_kept(db, work.table, row_sources.columns, source.kept, keys, changed)
        pairs = zip(keys, changed, strict=True)
        drawn = [(key, values) for key, values in pairs if source.redraw(values, work.rng)]
    else:
        count = source.fill(changed, work.rng)
        drawn = list(zip(keys[:count], changed[:count], strict=True))
    if drawn:
        fill_ends([values for _, values in drawn], [source], work.rng)
    return drawn


def _read_kept(
    db: sqlite3.Connection,
    table: Table,
    columns: Sequence[str],
    kept: Collection[int],
    keys: Sequence[Key],
    rows: Sequence[Row],
) -> None:
    """Put what the rows with ``keys`` have in the columns at positions ``kept`` into ``rows``.

    By two queries, since a result may have no more columns than a table.
    """
    if not kept:
        return
    positions = sorted(kept)
    order = ", ".join(row_key(table))
    rest = f"FROM main.{quote_name(table.name)} ORDER BY {order}"
    names = listed(columns[position] for position in positions)
    values = dict(
        zip(select(db, f"SELECT {order} {rest}"), select(db, f"SELECT {names} {rest}"), strict=True)
    )
    for key, row in zip(keys, rows, strict=True):
        for position, value in zip(positions, values[key], strict=True):
            row[position] = value


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
