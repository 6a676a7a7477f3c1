"""Rows that a later migration finds by a text around another table's key: ``'memos/' || uid``."""

from __future__ import annotations

import random
from itertools import cycle
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.connecting import refusal_of, update_of
from pytest_bbmigrate.seeding.filling.context import Context
from pytest_bbmigrate.seeding.filling.queries import row_count, row_key, select
from pytest_bbmigrate.seeding.filling.requirements import requirements_enforced
from pytest_bbmigrate.seeding.filling.writing import one_transaction, written_in_time
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.seeding.values.pools import FIRST_ROWS, ROWS_FOR_ALL_HOSTILE
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files.in_time import GivenUp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from pytest_bbmigrate.catalogue import JoinedText
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.seeding.model import Recipe

APART = 3  # one of so many rows finds none


def meet_joins(
    db: sqlite3.Connection, schema: Schema, recipe: Recipe, kept: Collection[str]
) -> bool:
    """Let most rows that the ``recipe`` says to be joined find a row of the other table.

    Only where less than half of them do, and not in the tables ``kept`` (folded). Rows that agree
    find the same one, what is refused stays as it is. Return whether any row was changed.
    """
    context, changed = Context(schema, recipe), False
    for joined in sorted(recipe.joined_texts):
        table = schema.table(joined.table)
        if table is None or joined.table in kept or not _can_meet(context, table, joined):
            continue
        with requirements_enforced(db, context, [table]):
            changed |= _meet_in_time(db, table, joined, recipe)
    return changed


def _can_meet(context: Context, table: Table, joined: JoinedText) -> bool:
    """Return whether both columns are there, and the one that joins is free to be set."""
    column, parent = table.column(joined.column), context.schema.table(joined.parent)
    return (
        column is not None
        and parent is not None
        and parent.column(joined.key) is not None
        and not column.generated
        and table.virtual is None
        and joined.column not in map(fold_name, table.primary_key)
        and (joined.table, joined.column) not in context.child_columns
        and not any(joined.column in map(fold_name, key.columns) for key in table.foreign_keys)
    )


def _meet_in_time(db: sqlite3.Connection, table: Table, joined: JoinedText, recipe: Recipe) -> bool:
    """Return whether any row was changed: none where a trigger makes that very long."""
    try:
        with written_in_time(db, row_count(db, table)), one_transaction(db):
            return _meet(db, table, joined, recipe)
    except GivenUp:
        return False


def _meet(db: sqlite3.Connection, table: Table, joined: JoinedText, recipe: Recipe) -> bool:
    target, column = f"main.{quote_name(table.name)}", quote_name(joined.column)
    parent, key = f"main.{quote_name(joined.parent)}", quote_name(joined.key)
    texts = (joined.before, joined.after)
    wanted = f"SELECT ? || {key} || ? FROM {parent} WHERE {key} IS NOT NULL"
    names = ", ".join(row_key(table))
    rows = f"SELECT {names}, {column}, {column} IN ({wanted}) FROM {target} ORDER BY {names}"
    there = select(db, rows, texts)
    if not there or 2 * sum(bool(row[-1]) for row in there) >= len(there):
        return False
    found = [text for (text,) in select(db, f"{wanted} GROUP BY 1 ORDER BY 1", texts)]
    rng = random.Random(f"{recipe.seed}:{':'.join(joined)}")  # noqa: S311 -- must be reproducible
    rng.shuffle(found)
    others = dict.fromkeys(row[-2] for row in there if row[-1] == 0)  # NULL is not IN anything
    new = dict(zip(filter(storable, others), cycle(found), strict=False))
    sql = update_of(table, [joined.column])
    refused = [
        refusal_of(db, sql, (new[row[-2]], *row[:-2]))
        for number, row in enumerate(there)
        if row[-2] in new and not _finds_none(number, len(there))
    ]
    return not all(refused)


def _finds_none(number: int, count: int) -> bool:
    """Return whether row ``number`` of ``count`` is to find none; not one of the odd first ones."""
    first = FIRST_ROWS if count >= ROWS_FOR_ALL_HOSTILE else 0
    return first <= number < count - 1 and number % APART == 1
