"""What rows that were drawn have in common: keys that agree in part, ends without NULL, twins."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.parents import TWINS_FROM, FromParents
from pytest_bbmigrate.seeding.filling.sources import FromPool, OneByOne
from pytest_bbmigrate.seeding.values.household_words import MERCHANTS

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.seeding.filling.sources import Row, Source

_KNOWN_MERCHANTS = frozenset(chain.from_iterable(MERCHANTS.values()))


def match_merchants(rows: Sequence[Row], merchant: int, category: int, rng: random.Random) -> None:
    """Replace realistic merchants by some of the row's category."""
    for row in rows:
        fitting = MERCHANTS.get(str(row[category]))
        if fitting and row[merchant] in _KNOWN_MERCHANTS:
            row[merchant] = rng.choice(fitting)


def repeat_first(rows: Sequence[Row], sources: Iterable[Source]) -> None:
    """Make the last row a duplicate of the first, but for what is unique."""
    for source in sources:
        for position in source.positions:
            if source.repeatable:
                rows[-1][position] = rows[0][position]


def fill_ends(rows: Sequence[Row], sources: Iterable[Source], rng: random.Random) -> None:
    """Give the first and the last row a value where they have NULL, if there is any."""
    for source in sources:
        for number in dict.fromkeys((0, len(rows) - 1)):
            row = rows[number]
            if all(row[position] is not None for position in source.positions):
                continue
            if isinstance(source, FromParents):
                source.refer(row, rng)
            elif isinstance(source, FromPool | OneByOne):
                is_left = not _swap_null(rows, number, source.positions[0])
                if is_left and isinstance(source, FromPool):
                    source.choose_any(row, rng)


def _swap_null(rows: Sequence[Row], number: int, position: int) -> bool:
    """Let another row, not at an end, have the NULL of row ``number``; return if one does."""
    for other in rows[1:-1]:
        if other[position] is not None:
            rows[number][position], other[position] = other[position], None
            return True
    return False


def repeat_odd_texts(rows: Sequence[Row], sources: Sequence[Source]) -> None:
    """Give one more row an odd text that only rows have which migrations look for.

    These may be deleted rightly, and what is done to such a text in the others would be unseen.
    """
    expecting = [
        source for source in sources if isinstance(source, FromPool | OneByOne) and source.expects
    ]
    for source in sources:
        others = [other for other in expecting if other is not source]
        if not isinstance(source, FromPool) or not others:
            continue
        position = source.positions[0]

        def is_met(row: Row, others: Sequence[FromPool | OneByOne] = tuple(others)) -> bool:
            return any(other.is_expected(row) for other in others)

        free = [
            row
            for row in rows[1:-1]
            if not (is_met(row) or source.is_hostile(row) or source.is_expected(row))
        ]
        for text in source.odd_texts():
            having = [row for row in rows if row[position] == text]
            if having and free and all(map(is_met, having)):
                free.pop()[position] = text


def agree_in_part(
    rows: Sequence[Row], sources: Sequence[Source], keys: Iterable[Collection[int]]
) -> None:
    """Let rows agree in all columns but one of each of ``keys``, sets of positions.

    In the one that is left they have all that migrations look for, or else different values. So
    rows that belong together, as the settings of one user do, are there together.
    """
    first = TWINS_FROM
    for key in keys:
        for source in sources:
            if not set(source.positions) <= set(key) or not source.repeatable:
                continue
            others = [
                other
                for other in sources
                if other is not source and set(other.positions) <= set(key) and other.repeatable
            ]
            twins = _different_rows(rows[first:], source) if others else []
            for row in twins[1:]:
                for position in chain.from_iterable(other.positions for other in others):
                    row[position] = twins[0][position]
            first += bool(twins)


def _different_rows(rows: Sequence[Row], source: Source) -> list[Row]:
    """Return rows that differ in ``source``: one for each value that is looked for, or two."""
    found: dict[str, Row] = {}
    for row in rows:
        value = repr([row[position] for position in source.positions])
        if any(row[position] is None for position in source.positions):
            continue
        if not isinstance(source, FromPool) or source.is_expected(row):
            found.setdefault(value, row)
        if not isinstance(source, FromPool) and len(found) == 2:
            break
    if len(found) < 2:
        for row in rows:
            value = repr([row[position] for position in source.positions])
            if row[source.positions[0]] is not None and len(found) < 2:
                found.setdefault(value, row)
    return list(found.values())
