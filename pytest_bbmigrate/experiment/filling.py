"""A database that migrations have made, filled with data: what an experiment begins with."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import SeededState
from pytest_bbmigrate.experiment.pages import share_pages
from pytest_bbmigrate.experiment.requirements import keep_requirements
from pytest_bbmigrate.rows import count_rows, schema_pages
from pytest_bbmigrate.seeding import Unfilled, fill_columns, fill_tables
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image, require_bytes, take_image

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from pytest_bbmigrate.experiment.run import ExperimentSetup
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sqlite_files import Content


def fill_state(
    position: int,
    bare: Snapshot,
    empty: Content | None,
    previous: SeededState | None,
    known: Mapping[str, frozenset[str]],
    setup: ExperimentSetup,
) -> SeededState:
    """Return the state that ``bare`` becomes when what is new or empty in it is filled.

    ``known`` are the tables, with their columns, that the ``previous`` one has filled.
    """
    schema, recipe = bare.schema, setup.recipe
    tables = bare_tables(bare, known)
    with closing(open_image(require_bytes(bare.image))) as db:
        filling = fill_tables(db, schema, tables, recipe)
        columns = bare_columns(db, schema, known, tables)
        added = fill_columns(db, schema, columns, recipe)
        deleted = keep_requirements(db, schema, recipe.requires, recipe.own_rows)
        others = [table.name for table in schema.tables] if schema.triggers or deleted else tables
        counts = {**bare.row_counts, **{fold_name(name): count_rows(db, name) for name in others}}
        layout = replace(bare.layout, own_pages=schema_pages(db))
        filled = take_image(db)
    unfilled = remember_unfilled(schema, counts, previous, (*filling.unfilled, *added.unfilled))
    return SeededState(
        position,
        share_pages(filled, previous.pages if previous else ()),
        None
        if empty is None
        else share_pages(require_bytes(empty), (previous and previous.empty_pages) or ()),
        schema,
        counts,
        unfilled,
        layout,
    )


def bare_tables(bare: Snapshot, known: Collection[str]) -> tuple[str, ...]:
    """Return the tables that are not among the ``known`` ones, or have no rows (left)."""
    return tuple(
        table.name
        for table in bare.schema.tables
        if fold_name(table.name) not in known or not bare.row_counts[fold_name(table.name)]
    )


def bare_columns(
    db: sqlite3.Connection,
    schema: Schema,
    known: Mapping[str, frozenset[str]],
    bare: Collection[str],
) -> tuple[tuple[str, str], ...]:
    """Return the columns that are new in a table with rows and hold one and the same in all."""
    return tuple(
        (table.name, column.name)
        for table in schema.tables
        if table.name not in bare and table.virtual is None
        if not table.column_names <= known[fold_name(table.name)]
        for column in table.columns
        if not column.generated
        and fold_name(column.name) not in known[fold_name(table.name)]
        and holds_one_value(db, table.name, column.name)
    )


def holds_one_value(db: sqlite3.Connection, table: str, column: str) -> bool:
    """Return whether a column has the same value, or NULL, in every row."""
    name = quote_name(column)
    low, high = db.execute(f"SELECT min({name}), max({name}) FROM {quote_name(table)}").fetchone()
    return bool(low == high)


def remember_unfilled(
    schema: Schema,
    counts: dict[str, int],
    previous: SeededState | None,
    found: tuple[Unfilled, ...],
) -> tuple[Unfilled, ...]:
    """Return what is still without rows or values, each with the reason first given for it."""
    known = {
        (fold_name(unfilled.table), fold_name(unfilled.column)): unfilled
        for unfilled in (*found, *(previous.unfilled if previous else ()))
    }
    for name, count in counts.items():
        if not count:
            known.setdefault((name, ""), Unfilled(name, "", "every row was deleted again"))
    return tuple(
        unfilled
        for (table, column), unfilled in known.items()
        if (there := schema.table(table)) is not None
        and (there.column(column) is not None if column else not counts[table])
    )
