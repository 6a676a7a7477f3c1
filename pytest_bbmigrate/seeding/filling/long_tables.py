"""Values for a new column of a long table: a few rows as anywhere, all others by one statement.

What is odd, and what migrations look for, is in the first rows. The others repeat what is usual, so
that it costs no pass in Python over the rows.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.connecting import update_of
from pytest_bbmigrate.seeding.filling.queries import (
    is_known_by_rowid,
    or_abort,
    row_key,
    select,
)
from pytest_bbmigrate.seeding.filling.shapes import fill_ends
from pytest_bbmigrate.seeding.filling.sources import FromPool
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from pytest_bbmigrate.schema import Column, Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.sources import Row
    from pytest_bbmigrate.seeding.values.pools import Pool

LONG = 2_000  # rows; of a table with fewer each is given its value by Python
FIRST = 200  # of them, and the last one, are so in a long table as well
USUAL = 97  # values that the others have, by turns
VALUES = "temp._bb_usual"
SAVEPOINT = "bb_long"
# Multiplied by less than this, and taken modulo this, a rowid does not leave 64 bits.
PRIME = 2_147_483_647


def fill_long(
    db: sqlite3.Connection, context: Context, table: Table, names: Collection[str]
) -> frozenset[str]:
    """Give those columns ``names`` (folded) of a long table values that one statement can give.

    Return which these are: none of a shorter table, or where a trigger might look on. A column has
    values in about two of three rows.
    """
    if context.schema.triggers or not is_known_by_rowid(table):
        return frozenset()
    (key,), target = row_key(table), f"main.{quote_name(table.name)}"
    if not select(db, f"SELECT 1 FROM {target} LIMIT 1 OFFSET {LONG}"):
        return frozenset()
    first = select(db, f"SELECT {key} FROM {target} ORDER BY {key} LIMIT {FIRST}")
    (last,) = select(db, f"SELECT max({key}) FROM {target}")
    filled = set()
    for column in table.columns:
        pool = _pool_of(context, table, column) if fold_name(column.name) in names else None
        if pool is not None and _fill(db, context, table, column, pool, [*first, last]):
            filled.add(fold_name(column.name))
    return frozenset(filled)


def _pool_of(context: Context, table: Table, column: Column) -> Pool | None:
    """Return the pool of a column that may repeat values and that no reference is about."""
    name = fold_name(column.name)
    refers = any(name in map(fold_name, key.columns) for key in table.foreign_keys)
    if refers or (fold_name(table.name), name) in context.child_columns:
        return None
    if any(name in one for one in context.uniques(table)):
        return None
    pool = context.profile(table, column).pool
    return pool if any(value is not None for value in pool.realistic) else None


def _fill(
    db: sqlite3.Connection,
    context: Context,
    table: Table,
    column: Column,
    pool: Pool,
    ends: list[Key],
) -> bool:
    """Fill ``column``, row by row in the rows with the keys ``ends``; return whether it could be.

    Where SQLite refuses any of it, nothing is changed.
    """
    seed = f"{context.recipe.seed}:long {fold_name(table.name)}.{fold_name(column.name)}"
    rng = random.Random(seed)  # noqa: S311 -- must be reproducible
    db.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        _fill_ends(db, table, column, pool, ends, rng)
        _fill_between(db, table, column, pool, ends, rng)
    except REFUSALS:
        db.execute(f"ROLLBACK TO {SAVEPOINT}")
        return False
    finally:
        db.execute(f"RELEASE {SAVEPOINT}")
    return True


def _fill_ends(
    db: sqlite3.Connection,
    table: Table,
    column: Column,
    pool: Pool,
    ends: list[Key],
    rng: random.Random,
) -> None:
    """Draw values for two of three of the rows ``ends``, the first and the last among them."""
    last = len(ends) - 1
    inner = rng.sample(range(1, last), (2 * len(ends) + 2) // 3 - 2)
    rows: list[Row] = [[None] for _ in range(len(inner) + 2)]
    source = FromPool(0, pool)
    source.fill(rows, rng)
    fill_ends(rows, [source], rng)
    keys = [ends[place] for place in (0, *sorted(inner), last)]
    db.executemany(
        update_of(table, [column.name]),
        [(value, *key) for (value,), key in zip(rows, keys, strict=True)],
    )


def _fill_between(
    db: sqlite3.Connection,
    table: Table,
    column: Column,
    pool: Pool,
    ends: list[Key],
    rng: random.Random,
) -> None:
    """Give two of three of the rows between ``ends`` usual values, as their rowids decide."""
    values = [*rng.choices(pool.realistic, k=USUAL)]
    db.execute(f"CREATE TABLE {VALUES} (number INTEGER PRIMARY KEY, value)")
    db.executemany(f"INSERT INTO {VALUES} VALUES (?, ?)", enumerate(values))
    key, name = row_key(table)[0], quote_name(column.name)
    factor, shift = rng.randrange(PRIME // 2, PRIME), rng.randrange(PRIME)
    mixed = f"((abs({key} % {PRIME}) * {factor} + {shift}) % {PRIME})"
    db.execute(
        f"UPDATE {or_abort(table)}main.{quote_name(table.name)} SET {name} ="
        f" (SELECT value FROM {VALUES} WHERE number = {mixed} / 3 % {USUAL})"
        f" WHERE {mixed} % 3 <> 0 AND {key} > ? AND {key} < ?",
        (*ends[-2], *ends[-1]),
    )
    db.execute(f"DROP TABLE {VALUES}")
