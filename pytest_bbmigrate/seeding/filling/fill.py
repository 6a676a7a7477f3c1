"""Fill tables of any schema.

The connection must be in autocommit mode, with foreign keys off: in a circle of foreign keys, rows
are inserted first and connected afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.columns import set_columns
from pytest_bbmigrate.seeding.filling.context import Context
from pytest_bbmigrate.seeding.filling.long_tables import fill_long
from pytest_bbmigrate.seeding.filling.queries import row_count, row_keys
from pytest_bbmigrate.seeding.filling.references import fill_order
from pytest_bbmigrate.seeding.filling.requirements import drop_enforced, requirements_enforced
from pytest_bbmigrate.seeding.filling.tables import (
    add_generated_rows,
    add_own_rows,
    finish,
    leave_gap,
    start_work,
)
from pytest_bbmigrate.seeding.model import Filling, OwnRows, Recipe, Unfilled
from pytest_bbmigrate.seeding.own_rows import read_own_rows
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.values import Cell
from pytest_bbmigrate.sqlite_files.in_time import is_given_up

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.requirements import Enforced
    from pytest_bbmigrate.seeding.filling.tables import TableWork

__all__ = [
    "Cell",
    "Filling",
    "OwnRows",
    "Recipe",
    "Unfilled",
    "add_rows",
    "fill_columns",
    "fill_tables",
    "read_own_rows",
]

FURTHER_TIMES = 4  # rows are added to a table of which a trigger keeps some alone
NOT_THERE = "there is no such table"
NONE_GIVEN = "the file of its own rows holds none"


def fill_tables(
    db: sqlite3.Connection,
    schema: Schema,
    tables: Collection[str],
    recipe: Recipe,
    *,
    beside: int = 0,
) -> Filling:
    """Add rows to ``tables`` until each has ``recipe.rows``, beside the rows it has already.

    At least ``beside`` rows are added to each, however many it has, but no more than
    ``recipe.rows``.

    Foreign keys, NOT NULL, CHECK, UNIQUE and ``recipe.requires`` hold in the rows added. A table of
    which the user gave rows gets those and no others. Constraints may leave fewer rows. Unfilled
    are tables without any row, and columns for which there was nothing but NULL.

    Raises: SeedingError when the schema refuses one of the user's own rows.
    """
    context = Context(schema, recipe)
    readable = {fold_name(t.name) for t in map(schema.table, tables) if t and t.error is None}
    order = fill_order(schema, readable)  # parents first
    before = {table.name: row_count(db, table) for table, _ in order}
    goals = {
        table.name: max(_goal(table, recipe), _least(before[table.name], table, recipe, beside))
        for table, _ in order
    }
    works = {
        table.name: start_work(context, table, "rows", row_keys(db, table))
        for table, _ in order
        if before[table.name] < goals[table.name]
    }
    with requirements_enforced(db, context, [table for table, _ in order]) as enforced:
        for table, pending in order:
            lacking = goals[table.name] - row_count(db, table)
            if lacking > 0 and fold_name(table.name) in recipe.own_rows:
                add_own_rows(db, context, works[table.name])
            elif lacking > 0:
                work = works[table.name]
                _add_in_time(db, context, work, pending, lacking, enforced)
                for _ in range(FURTHER_TIMES):
                    lacking = goals[table.name] - row_count(db, table)
                    if not work.taken_away or lacking <= 0:
                        break
                    add_generated_rows(db, context, work, pending, lacking)
        unfilled = finish(db, context, list(works.values()))
        for work in works.values():
            leave_gap(db, work.table)
    missing = [Unfilled(name, "", NOT_THERE) for name in tables if schema.table(name) is None]
    empty = [
        Unfilled(name, "", NONE_GIVEN)
        for name, goal in goals.items()
        if recipe.rows and not goal and not before[name]
    ]
    added = {table.name: row_count(db, table) - before[table.name] for table, _ in order}
    return Filling(added, (*missing, *empty, *unfilled))


def _add_in_time(
    db: sqlite3.Connection,
    context: Context,
    work: TableWork,
    pending: Sequence[ForeignKey],
    count: int,
    enforced: Sequence[Enforced],
) -> None:
    """Add generated rows; where what is ``enforced`` on the table takes too long, without that."""
    add_generated_rows(db, context, work, pending, count)
    its = [one for one in enforced if one.table is work.table]
    if its and is_given_up(work.refusal):
        drop_enforced(db, its)
        add_generated_rows(db, context, work, pending, count)


def _least(before: int, table: Table, recipe: Recipe, beside: int) -> int:
    """Return how many rows ``table`` should hold beside the user's, where it holds any."""
    if fold_name(table.name) in recipe.own_rows:
        return 0
    return before + min(beside, recipe.rows)


def _goal(table: Table, recipe: Recipe) -> int:
    """Return how many rows ``table`` should hold."""
    own = recipe.own_rows.get(fold_name(table.name))
    return recipe.rows if own is None else len(own)


def fill_columns(
    db: sqlite3.Connection, schema: Schema, columns: Collection[tuple[str, str]], recipe: Recipe
) -> Filling:
    """Give each (table, column) values in about two of three rows. No row is added.

    Generated columns are passed over. Unfilled are columns in which no row accepted a value.
    """
    context = Context(schema, recipe)
    wanted: dict[str, set[str]] = {}
    unfilled = []
    for name, column_name in columns:
        table = schema.table(name)
        column = table and table.column(column_name)
        if not column:
            unfilled.append(Unfilled(name, column_name, "there is no such column"))
        elif not column.generated:
            wanted.setdefault(fold_name(name), set()).add(fold_name(column_name))
    tables = [table for table in schema.tables if fold_name(table.name) in wanted]
    with requirements_enforced(db, context, tables):
        for table in tables:
            names = wanted[fold_name(table.name)]
            names = names - fill_long(db, context, table, names)
            if not names:
                continue
            work = start_work(
                context, table, f"columns {' '.join(sorted(names))}", row_keys(db, table)
            )
            unfilled += set_columns(db, context, work, names)
    return Filling({}, tuple(unfilled))


def add_rows(
    db: sqlite3.Connection,
    schema: Schema,
    name: str,
    count: int,
    recipe: Recipe,
    *,
    there: Sequence[Key] | None = None,
) -> Filling:
    """Add up to ``count`` rows to table ``name``, with new keys and the parents there are.

    ``there`` are the keys of the rows that it has, where they are known already.
    """
    table = schema.table(name)
    if table is None:
        return Filling({name: 0}, (Unfilled(name, "", NOT_THERE),))
    context = Context(schema, recipe)
    there = row_keys(db, table) if there is None else there
    before = row_count(db, table)
    to_itself = [key for key in table.foreign_keys if same_name(key.parent, table.name)]
    with requirements_enforced(db, context, [table]) as enforced:
        work = start_work(context, table, "further rows", there)
        _add_in_time(db, context, work, to_itself, count, enforced)
        unfilled = finish(db, context, [work])
    added = row_count(db, table) - before
    if not added and not unfilled:
        unfilled = [Unfilled(table.name, "", work.refusal or "no further row fits")]
    return Filling({table.name: added}, tuple(unfilled))
