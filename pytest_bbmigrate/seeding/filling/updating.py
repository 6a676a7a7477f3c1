"""Other values for rows that are there: of a new column, of keys to parents that came later."""

from __future__ import annotations

from bisect import bisect_left
from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, matching, or_abort, row_key, select
from pytest_bbmigrate.seeding.filling.references import (
    dangling,
    missing_parent,
    nullable_columns,
    parent_keys,
)
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import same_name

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.model import Cell

TRIES = 4
ROOTS = 4  # one row in so many of a table that refers to itself is the top of a tree


def update_row(db: sqlite3.Connection, table: Table, key: Key, values: Mapping[str, Cell]) -> str:
    """Set ``values`` (by column) in the row with ``key``; return '' or why that was refused."""
    assigned = ", ".join(f"{quote_name(column)} = ?" for column in values)
    return _run(
        db,
        f"UPDATE {or_abort(table)}main.{quote_name(table.name)} SET {assigned}"
        f" WHERE {matching(row_key(table))}",
        (*values.values(), *key),
    )


def settle(
    db: sqlite3.Connection,
    table: Table,
    key: ForeignKey,
    free: Sequence[str],
    rows: Collection[Key],
    rng: random.Random,
) -> int:
    """Let ``rows`` refer to parents by ``key``, whose columns ``free`` are to be set.

    Return how many do. In a table that refers to itself a parent is an earlier row, so that there
    is no circle in which a recursive query would run for ever.
    """
    itself = same_name(key.parent, table.name)
    width = len(row_key(table))
    order = f"FROM main.{quote_name(table.name)} ORDER BY {', '.join(row_key(table))}"
    found = select(db, f"SELECT {', '.join(row_key(table))}, {listed(key.columns)} {order}")
    own = f"SELECT {listed(key.parent_columns)} {order}"
    parents = select(db, own) if itself else parent_keys(db, key)
    fixed = [at for at, name in enumerate(key.columns) if name not in free]
    fitting = _grouped(parents, fixed)
    unused = [] if itself or fixed else rng.sample(range(len(parents)), len(parents))
    roots = ROOTS if nullable_columns(table, key) else 0
    settled = 0
    for number, row in enumerate(found):
        if row[:width] not in rows or (roots and rng.random() * roots < 1):
            continue
        group = fitting.get(tuple(row[width + at] for at in fixed), [])
        choices = _choices(group, number if itself else None, rng, anywhere=not roots)
        for choice in chain(choices, _popped(unused)):
            values = dict(zip(key.columns, parents[choice], strict=True))
            if not update_row(db, table, row[:width], {name: values[name] for name in free}):
                settled += 1
                break
    return settled


def _popped(unused: list[int]) -> Iterator[int]:
    """Yield some of ``unused``, which are then used: where no two rows may have one parent."""
    for _ in range(min(TRIES, len(unused))):
        yield unused.pop()


def _grouped(parents: Sequence[Key], places: Sequence[int]) -> dict[Key, list[int]]:
    """Return the numbers of ``parents`` by their values at ``places``."""
    groups: dict[Key, list[int]] = {}
    for number, parent in enumerate(parents):
        if all(value is not None and storable(value) for value in parent):
            groups.setdefault(tuple(parent[at] for at in places), []).append(number)
    return groups


def repair(
    db: sqlite3.Connection,
    schema: Schema,
    table: Table,
    kept: Collection[Key],
    rng: random.Random,
    *,
    gently: bool,
) -> list[str]:
    """Leave no row but those ``kept`` without a parent.

    Such a row gets NULL where that may be, or else another parent if ``gently``, or else it goes.
    Return '' for each row that was mended or went, or why it could not be.
    """
    outcomes = []
    for key in table.foreign_keys:
        if missing_parent(schema, key):
            continue
        loose = [row for row in dangling(db, table, key) if row not in kept]
        parents = parent_keys(db, key) if loose and gently else []
        outcomes += [_mend_reference(db, table, key, row, parents, rng) for row in loose]
    return outcomes


def _mend_reference(
    db: sqlite3.Connection,
    table: Table,
    key: ForeignKey,
    row: Key,
    parents: Sequence[Key],
    rng: random.Random,
) -> str:
    """Give ``row`` a NULL, another parent or its end; return '' or why none of it could be."""
    nullable = nullable_columns(table, key)
    attempts = [dict.fromkeys(nullable)] if nullable else []
    if parents and not same_name(key.parent, table.name):
        chosen = rng.choices(parents, k=TRIES)
        attempts += [dict(zip(key.columns, parent, strict=True)) for parent in chosen]
    if any(not update_row(db, table, row, values) for values in attempts):
        return ""
    delete = f"DELETE FROM main.{quote_name(table.name)} WHERE {matching(row_key(table))}"
    return _run(db, delete, row)


def _choices(
    fitting: Sequence[int], number: int | None, rng: random.Random, *, anywhere: bool
) -> Iterator[int]:
    """Yield which of the parents ``fitting`` to try.

    Given the ``number`` of a row it is those before it, and itself and any only where they must.
    """
    earlier = len(fitting) if number is None else bisect_left(fitting, number)
    if earlier:
        yield from (fitting[rng.randrange(earlier)] for _ in range(TRIES))
        yield fitting[earlier - 1]
    if number is not None and anywhere and fitting:
        yield number
        yield from (rng.choice(fitting) for _ in range(TRIES))


def _run(db: sqlite3.Connection, sql: str, parameters: Sequence[Cell]) -> str:
    try:
        db.execute(sql, parameters)
    except REFUSALS as error:
        return str(error)
    return ""
