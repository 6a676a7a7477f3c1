"""Foreign keys of rows that are there: parents that came later, and no reference to nothing."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, matching, or_abort, row_key, select
from pytest_bbmigrate.seeding.filling.references import (
    dangling_rows,
    missing_parent,
    nullable_columns,
    parent_keys,
)
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import same_name
from pytest_bbmigrate.sqlite_files.in_time import (
    CALLS_OF_A_WRITE,
    given_up_after,
    is_given_up,
    is_interrupt,
)

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.sql.values import Cell

TRIES = 4
ROOTS = 4  # one row in so many of a table that refers to itself is the top of a tree
KEPT_BY_A_TRIGGER = "a trigger kept them as they were"


def update_row(db: sqlite3.Connection, table: Table, key: Key, values: Mapping[str, Cell]) -> str:
    """Set ``values`` (by column) in the row with ``key``; return '' or why that was refused."""
    return refusal_of(db, update_of(table, values), (*values.values(), *key))


def update_of(table: Table, columns: Iterable[str]) -> str:
    """Return the UPDATE of ``columns`` of one row: values first, then the row's key."""
    assigned = ", ".join(f"{quote_name(column)} = ?" for column in columns)
    return (
        f"UPDATE {or_abort(table)}main.{quote_name(table.name)} SET {assigned}"
        f" WHERE {matching(row_key(table))}"
    )


def connect_foreign_key(
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
    to_itself = same_name(key.parent, table.name)
    width = len(row_key(table))
    order = f"FROM main.{quote_name(table.name)} ORDER BY {', '.join(row_key(table))}"
    children = select(db, f"SELECT {', '.join(row_key(table))}, {listed(key.columns)} {order}")
    own_keys = f"SELECT {listed(key.parent_columns)} {order}"
    parents = select(db, own_keys) if to_itself else parent_keys(db, key)
    fixed = [position for position, name in enumerate(key.columns) if name not in free]
    fitting = _numbers_by_values(parents, fixed)
    untried = [] if to_itself or fixed else rng.sample(range(len(parents)), len(parents))
    nullable = bool(nullable_columns(table, key))
    update, places = update_of(table, free), [key.columns.index(name) for name in free]
    connected = 0
    for number, child in enumerate(children):
        row = child[:width]
        is_root = nullable and rng.random() * ROOTS < 1 and number < len(children) - 1
        if row not in rows or is_root:
            continue
        group = fitting.get(tuple(child[width + position] for position in fixed), [])
        if to_itself:
            candidates = _earlier_rows(group, number, rng, or_any=not nullable)
        else:
            candidates = _some_parents(group, untried, rng)
        for candidate in candidates:
            parent = parents[candidate]
            refusal = refusal_of(db, update, (*(parent[place] for place in places), *row))
            if is_given_up(refusal):  # by what a trigger does, which others would meet as well
                return connected
            if not refusal:
                connected += 1
                break
    return connected


def _numbers_by_values(parents: Sequence[Key], positions: Sequence[int]) -> dict[Key, list[int]]:
    """Return the numbers of ``parents`` by their values at ``positions``."""
    numbers: dict[Key, list[int]] = {}
    for number, parent in enumerate(parents):
        if all(value is not None and storable(value) for value in parent):
            values = tuple(parent[position] for position in positions)
            numbers.setdefault(values, []).append(number)
    return numbers


def _earlier_rows(
    fitting: Sequence[int], number: int, rng: random.Random, *, or_any: bool
) -> Iterator[int]:
    """Yield which of the rows ``fitting`` to try as the parent of row ``number``.

    Where no row can do without a parent, the first one is its own, or any is.
    """
    earlier = bisect_left(fitting, number)
    if earlier:
        yield from (fitting[rng.randrange(earlier)] for _ in range(TRIES))
        yield fitting[earlier - 1]
    if or_any and fitting:
        yield number
        yield from rng.choices(fitting, k=TRIES)


def _some_parents(fitting: Sequence[int], untried: list[int], rng: random.Random) -> Iterator[int]:
    """Yield which of the parents ``fitting`` to try: some of them, then those ``untried`` so far.

    With these, no parent is left out where each may have one child.
    """
    if fitting:
        yield from rng.choices(fitting, k=TRIES)
    while untried:
        yield untried.pop()


def mend_dangling(
    db: sqlite3.Connection, schema: Schema, table: Table, kept: Collection[Key]
) -> tuple[int, str]:
    """Leave no row but those ``kept`` without a parent: it gets NULL where that may be, or goes.

    Return how many references were mended, and why another could not be, or ''.
    """
    mended, obstacle = 0, ""
    for key in table.foreign_keys:
        if missing_parent(schema, key):
            continue
        loose = _new_dangling_rows(db, table, key, kept)
        if loose and (nullable := nullable_columns(table, key)):
            for row in loose:
                update_row(db, table, row, dict.fromkeys(nullable))
        refusals = []
        for row in _new_dangling_rows(db, table, key, kept):
            refusals.append(refusal_of_deletion(db, table, row))
            if is_given_up(refusals[-1]):
                break
        left = _new_dangling_rows(db, table, key, kept) if refusals else []
        mended += len(loose) - len(left)
        if left:
            obstacle = next(filter(None, refusals), KEPT_BY_A_TRIGGER)
    return mended, obstacle


def _new_dangling_rows(
    db: sqlite3.Connection, table: Table, key: ForeignKey, kept: Collection[Key]
) -> list[Key]:
    return [row for row in dangling_rows(db, table, key) if row not in kept]


def refusal_of_deletion(db: sqlite3.Connection, table: Table, row: Key) -> str:
    """Delete ``row``; return '' or why that was refused."""
    name, condition = quote_name(table.name), matching(row_key(table))
    return refusal_of(db, f"DELETE FROM main.{name} WHERE {condition}", row)


def refusal_of(db: sqlite3.Connection, sql: str, parameters: Sequence[Cell]) -> str:
    """Run a statement; return '' or why it was refused, or given up.

    Raises: sqlite3.OperationalError where it is what came before that took too long.
    """
    try:
        with given_up_after(db, CALLS_OF_A_WRITE):
            db.execute(sql, parameters)
    except REFUSALS as error:
        if is_interrupt(error):
            raise
        return str(error)
    return ""
