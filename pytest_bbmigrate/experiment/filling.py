"""Fill the database that migrations made with rows: an experiment begins with the result."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import SeededState
from pytest_bbmigrate.experiment.pages import share_pages
from pytest_bbmigrate.experiment.requirements import keep_requirements
from pytest_bbmigrate.experiment.snapshot import count_tables, snapshot_of
from pytest_bbmigrate.rows import schema_pages
from pytest_bbmigrate.seeding.filling.fill import fill_columns, fill_tables
from pytest_bbmigrate.seeding.filling.joins import meet_joins
from pytest_bbmigrate.seeding.model import Unfilled
from pytest_bbmigrate.seeding.values.pools import ROWS_FOR_ALL_HOSTILE
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image, require_bytes, take_image

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from pytest_bbmigrate.experiment.run import ExperimentSetup
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.seeding.model import Recipe
    from pytest_bbmigrate.sqlite_files import Content

TO_BE_EMPTY = "it is required to be empty"
ENOUGH = 0.75  # of the rows that a table is to have
FURTHER_TIMES = 3  # rows are added where those that are required to differ go again


def fill_state(
    position: int,
    bare: Snapshot,
    empty: Content | None,
    previous: SeededState | None,
    filled_names: Mapping[str, frozenset[str]],
    setup: ExperimentSetup,
    *,
    thinned: Collection[str] = (),
) -> SeededState:
    """Fill the new and the empty tables of ``bare``, and its new columns; return the state.

    ``filled_names`` are the tables that the ``previous`` state has filled, with their columns.
    Tables ``thinned`` (folded), of which rows were left out, get others where few are left.
    """
    schema, recipe = bare.schema, setup.recipe
    tables = tables_to_fill(bare, filled_names)
    short = short_tables(schema, bare.row_counts, recipe, thinned)
    with closing(open_image(require_bytes(bare.image))) as db:
        beside = 0 if position else ROWS_FOR_ALL_HOSTILE  # the rows of a base are the user's
        filling = fill_tables(db, schema, {*tables, *short}, recipe, beside=beside)
        columns = columns_to_fill(db, schema, filled_names, tables)
        added = fill_columns(db, schema, columns, recipe)
        filled = count_tables(db, schema, {}) if recipe.requires else {}
        deleted = keep_requirements(db, schema, recipe.requires, recipe.own_rows)
        if deleted:
            fill_short(db, schema, filled, recipe)
        # A trigger may have written to any table, and the deletion has reached others as well.
        is_all = schema.triggers or deleted or short
        recounted = {fold_name(name) for name in (schema.table_names if is_all else tables)}
        known = {name: rows for name, rows in bare.row_counts.items() if name not in recounted}
        counts = count_tables(db, schema, known)
        layout = replace(bare.layout, own_pages=schema_pages(db))
        image = take_image(db)
    unfilled = remember_unfilled(schema, counts, previous, (*filling.unfilled, *added.unfilled))
    return SeededState(
        position,
        share_pages(image, previous.pages if previous else ()),
        None
        if empty is None
        else share_pages(require_bytes(empty), (previous and previous.empty_pages) or ()),
        schema,
        counts,
        unfilled,
        layout,
    )


def join_state(state: SeededState, recipe: Recipe) -> SeededState:
    """Return ``state`` with rows that find others where migrations look for these by a text.

    Not in tables that may hold somebody's own rows.
    """
    if not recipe.joined_texts:
        return state
    with closing(open_image(state.image)) as db:
        if not meet_joins(db, state.schema, recipe, state.own.tables):
            return state
        image = take_image(db)
    return state_with(state, image, "")


def refill_state(state: SeededState, setup: ExperimentSetup) -> SeededState:
    """Return ``state`` with other rows in place of those that break what the recipe requires."""
    schema, recipe = state.schema, setup.recipe
    with closing(open_image(state.image)) as db:
        keep_requirements(db, schema, recipe.requires, recipe.own_rows)
        fill_short(db, schema, state.row_counts, recipe)
        image = take_image(db)
    refilled = state_with(state, image, "no row that meets what is required was found")
    emptied = {fold_name(each.table) for each in recipe.requires if each.allows_no_row}
    unfilled = (
        replace(each, reason=TO_BE_EMPTY) if fold_name(each.table) in emptied else each
        for each in refilled.unfilled
    )
    return replace(refilled, unfilled=tuple(unfilled))


def fill_short(
    db: sqlite3.Connection, schema: Schema, before: Mapping[str, int], recipe: Recipe
) -> None:
    """Add rows that meet the requirements to tables that have less than ``before``, and few.

    A row that is added may be why one that was there does not meet them any more, and goes.
    """
    for _ in range(FURTHER_TIMES):
        counts = count_tables(db, schema, {})
        short = short_tables(schema, counts, recipe, thinned_tables(before, counts))
        if not short:
            break
        filling = fill_tables(db, schema, short, recipe)
        deleted = keep_requirements(db, schema, recipe.requires, recipe.own_rows)
        if deleted >= sum(filling.added.values()):
            break


def state_with(state: SeededState, image: bytes, why_empty: str) -> SeededState:
    """Return ``state`` with the rows of ``image``, where tables are empty for a reason."""
    snapshot = snapshot_of(image)
    with closing(open_image(image)) as db:
        layout = replace(snapshot.layout, own_pages=schema_pages(db))
    counts = dict(snapshot.row_counts)
    new = [
        Unfilled(table.name, "", why_empty)
        for table in snapshot.schema.tables
        if not counts[fold_name(table.name)] and state.row_counts.get(fold_name(table.name))
    ]
    return replace(
        state,
        pages=share_pages(image, state.pages),
        schema=snapshot.schema,
        row_counts=counts,
        layout=layout,
        unfilled=remember_unfilled(snapshot.schema, counts, state, tuple(new)),
    )


def thinned_tables(before: Mapping[str, int], now: Mapping[str, int]) -> frozenset[str]:
    """Return the tables (folded names) that hold fewer rows ``now``."""
    return frozenset(name for name, count in now.items() if count < before.get(name, 0))


def short_tables(
    schema: Schema, counts: Mapping[str, int], recipe: Recipe, thinned: Collection[str]
) -> tuple[str, ...]:
    """Return those of the ``thinned`` tables that hold too few rows, and none that the user gave.

    Rows that are added know nothing of what earlier migrations have mended in those there: where
    enough are left, none is.
    """
    return tuple(
        table.name
        for table in schema.tables
        if fold_name(table.name) in thinned
        and table.virtual is None
        and fold_name(table.name) not in recipe.own_rows
        and counts[fold_name(table.name)] < ENOUGH * recipe.rows
    )


def tables_to_fill(bare: Snapshot, filled_names: Collection[str]) -> tuple[str, ...]:
    """Return the tables that are not among ``filled_names``, or hold no rows."""
    return tuple(
        table.name
        for table in bare.schema.tables
        if fold_name(table.name) not in filled_names or not bare.row_counts[fold_name(table.name)]
    )


def columns_to_fill(
    db: sqlite3.Connection,
    schema: Schema,
    filled_names: Mapping[str, frozenset[str]],
    new_tables: Collection[str],
) -> tuple[tuple[str, str], ...]:
    """Return the new columns, as (table, column), that hold one value in all rows of an old table.

    ``new_tables`` are the ones that are filled whole.
    """
    return tuple(
        (table.name, column.name)
        for table in schema.tables
        if table.name not in new_tables and table.virtual is None
        if not table.column_names <= filled_names[fold_name(table.name)]
        for column in table.columns
        if not column.generated
        and fold_name(column.name) not in filled_names[fold_name(table.name)]
        and holds_one_value(db, table.name, column.name)
    )


def holds_one_value(db: sqlite3.Connection, table: str, column: str) -> bool:
    """Return whether a column holds no two different values; NULL does not count."""
    name = quote_name(column)
    low, high = db.execute(f"SELECT min({name}), max({name}) FROM {quote_name(table)}").fetchone()
    return bool(low == high)


def remember_unfilled(
    schema: Schema,
    counts: dict[str, int],
    previous: SeededState | None,
    new: tuple[Unfilled, ...],
) -> tuple[Unfilled, ...]:
    """Return what is still without rows or values, each with the reason first given for it.

    ``new`` is what could not be filled this time; what the ``previous`` state lacked is kept.
    """
    by_name = {
        (fold_name(unfilled.table), fold_name(unfilled.column)): unfilled
        for unfilled in (*new, *(previous.unfilled if previous else ()))
    }
    for name, count in counts.items():
        if not count:
            by_name.setdefault((name, ""), Unfilled(name, "", "every row was deleted again"))
    return tuple(
        unfilled
        for (name, column), unfilled in by_name.items()
        if (table := schema.table(name)) is not None
        and (table.column(column) is not None if column else not counts[name])
    )
