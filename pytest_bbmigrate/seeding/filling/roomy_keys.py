"""Enough different values for the columns of a key, so that it can tell all rows apart."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.parents import FromParents
from pytest_bbmigrate.seeding.filling.sources import FromPool
from pytest_bbmigrate.seeding.values.unique import unique_values
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.sources import Source
    from pytest_bbmigrate.seeding.values.pools import ColumnProfile

ROOM = 2  # keys for each row: a row is drawn at random, and drawn again where its key is taken
LONE_ROOM = 4  # the same where none is drawn again, for the column alone may repeat


def make_room(
    sources: Sequence[Source],
    keys: Iterable[Collection[int]],
    profiles: Mapping[int, ColumnProfile],
    count: int,
    rng: random.Random,
) -> list[Source]:
    """Return ``sources`` with further values for ``keys`` that are too few for ``count`` rows.

    Keys are positions of columns that are unique together; ``profiles`` are those of the columns
    whose values may repeat. What its column does not accept is not added: a CHECK may allow two.
    """
    by_position = {position: source for source in sources for position in source.positions}
    for key in keys:
        if not by_position.keys() >= set(key):
            continue
        concerned = {id(by_position[position]): by_position[position] for position in sorted(key)}
        rooms = {name: _room(source, count) for name, source in concerned.items()}
        for name, source in concerned.items():
            others = prod(room for other, room in rooms.items() if other != name)
            room = ROOM if len(key) > 1 else LONE_ROOM
            wanted = -(-room * count // max(others, 1))
            if rooms[name] >= wanted or not isinstance(source, FromPool):
                continue
            (position,) = source.positions
            by_position[position] = roomier = _with_further(source, profiles[position], wanted, rng)
            rooms[name] = _room(roomier, count)
    return list(dict.fromkeys(by_position.values()))


def lone_keys(context: Context, table: Table) -> list[str]:
    """Return the columns (folded) of ``table`` of which others take each value once.

    A key of several columns can be referred to by a table that has one of them alone as its key.
    """
    return [
        fold_name(theirs)
        for child, key in context.children.get(fold_name(table.name), ())
        if len(key.columns) > 1
        for own, theirs in zip(key.columns, key.parent_columns, strict=False)
        if (fold_name(own),) in context.uniques(child)
    ]


def _room(source: Source, count: int) -> int:
    """Return how many different values ``source`` has, ``count`` where it does not run out."""
    if isinstance(source, FromPool):
        return len({value for value in source.pool.realistic if value is not None})
    if isinstance(source, FromParents):
        return prod(max(len(reference.parents), 1) for reference in source.references)
    return count


def _with_further(
    source: FromPool, profile: ColumnProfile, wanted: int, rng: random.Random
) -> FromPool:
    known = {*source.pool.realistic, *source.pool.hostile}
    further = unique_values(profile, wanted, sorted(known - {None}, key=repr), rng)
    added = tuple(value for value in further if value is not None and value not in known)
    pool = replace(source.pool, realistic=(*source.pool.realistic, *added))
    return FromPool(source.positions[0], pool)
