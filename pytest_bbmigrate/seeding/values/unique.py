"""Values for a column that is unique by itself: all different, and none that a row has."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count as counting
from itertools import islice, repeat
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.values.accepted import accepted_values
from pytest_bbmigrate.seeding.values.expressions import sizes_for, texts_for
from pytest_bbmigrate.seeding.values.household_words import FIRST_DAY, LAST_DAY
from pytest_bbmigrate.seeding.values.meaning import FREE_TEXT, TEMPORAL, Family
from pytest_bbmigrate.seeding.values.pools import FIRST_ROWS, ROWS_FOR_ALL_HOSTILE, build_pool
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.seeding.values.pools import ColumnProfile
    from pytest_bbmigrate.sql.values import Cell

SAMPLES = 3  # of a length, to see whether it is the one that is asked for
SPARE = 20  # further values, to replace those that the table refuses
STEPS_BACK = 50_000  # days or weeks before 2024: no more than the calendar has


def unique_values(
    profile: ColumnProfile, count: int, taken: Collection[Cell], rng: random.Random
) -> list[Cell]:
    """Return up to ``count`` + SPARE different values, none of them ``taken``, hostile ones early.

    The column decides what is different: by its collation, and 1 is 1.0. No two NULLs are equal.
    """
    pool = build_pool(profile)
    seen = {_compared(value, profile) for value in taken}
    usual = [value for value in pool.realistic if value is not None]
    rng.shuffle(usual)
    hostile = list(_unseen(pool.expected, seen, profile))  # they stand early as well
    ordinary = list(_unseen((*pool.hinted, *usual), seen, profile))
    hostile += [
        value for value in pool.hostile if value is None or [*_unseen([value], seen, profile)]
    ]
    if profile.null_key and None not in taken:
        hostile += accepted_values(profile.probe, [[None]])[0]
    mentioned = {value for _, value in profile.literals}
    series = (
        _counted_values(profile, usual, rng),
        _pattern_values(profile, rng),
        _sized_values(profile, rng),
    )
    for further in series if usual else ():
        lacking = count + SPARE - len(ordinary) - len(hostile)
        if lacking > 0:
            # A series starts over each time: its first values may be taken.
            values = islice(further, lacking + lacking // 2 + len(taken))
            candidates = [value for value in values if value not in mentioned]
            (accepted,) = accepted_values(profile.probe, [candidates])
            ordinary += _unseen(accepted, seen, profile)
    if None in hostile and not profile.null_key:
        ordinary += [None] * max(count - len(ordinary) - len(hostile), 0)
    return _mixed(ordinary, hostile, count, rng)


def _mixed(ordinary: list[Cell], hostile: list[Cell], count: int, rng: random.Random) -> list[Cell]:
    """Return ``ordinary`` values with ``hostile`` ones among the first, but not in front."""
    if count < ROWS_FOR_ALL_HOSTILE:
        hostile = hostile[: count // 2]
    mixed = ordinary[: count + SPARE - len(hostile)]
    for value in hostile:
        last = max(min(FIRST_ROWS - len(hostile), len(mixed), count), 1)
        mixed.insert(rng.randint(1, last), value)
    return mixed


def _unseen(values: Iterable[Cell], seen: set[Cell], profile: ColumnProfile) -> Iterator[Cell]:
    """Yield those of ``values`` that are not NULL and not in ``seen``, to which they are added."""
    for value in values:
        compared = _compared(value, profile)
        if value is not None and compared not in seen:
            seen.add(compared)
            yield value


def _compared(value: Cell, profile: ColumnProfile) -> Cell:
    """Return ``value`` as its collation compares it (https://sqlite.org/datatype3.html, 7)."""
    collation = profile.probe.collation.upper()
    if isinstance(value, str) and collation == "NOCASE":
        return fold_name(value)
    if isinstance(value, str) and collation == "RTRIM":
        return value.rstrip(" ")
    return value


def _counted_values(
    profile: ColumnProfile, usual: Sequence[Cell], rng: random.Random
) -> Iterator[Cell]:
    """Return an endless series of values of the column's kind."""
    if profile.family is Family.INTEGER:
        return counting(1_704_067_200, 86_400) if profile.meaning in TEMPORAL else counting(1)
    if profile.family is Family.REAL:
        return counting(1.25)
    if profile.family is Family.BLOB:
        return (rng.randbytes(12) for _ in repeat(None))
    return (
        _counted_text(profile, usual[number % len(usual)], number, rng) for number in counting(1)
    )


def _pattern_values(profile: ColumnProfile, rng: random.Random) -> Iterator[Cell]:
    """Yield texts for the GLOB patterns in the column's constraints, without end if it has any."""
    while any("glob" in tokens for tokens in profile.check_tokens):
        for tokens in profile.check_tokens:
            yield from texts_for(tokens, rng)


def _sized_values(profile: ColumnProfile, rng: random.Random) -> Iterator[Cell]:
    """Yield values of each length that the column's constraints ask for, without end if any."""
    sized = _random_blob if profile.family is Family.BLOB else _random_text
    asked = {size for tokens in profile.check_tokens for size in sizes_for(tokens)}
    sizes = [
        size
        for size in sorted(asked)
        if accepted_values(profile.probe, [[sized(size, rng) for _ in range(SAMPLES)]])[0]
    ]
    while sizes:
        yield from (sized(size, rng) for size in sizes)


def _random_blob(size: int, rng: random.Random) -> bytes:
    return rng.randbytes(size)


def _random_text(size: int, rng: random.Random) -> str:
    return rng.randbytes((size + 1) // 2).hex()[:size]


def _counted_text(profile: ColumnProfile, value: Cell, number: int, rng: random.Random) -> str:
    if profile.meaning == "uuid":
        import uuid  # for few columns

        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if profile.meaning in _MAKERS:
        return _MAKERS[profile.meaning](number)
    return _numbered(value, number, profile)


def _numbered(value: Cell, number: int, profile: ColumnProfile) -> str:
    """Return the text ``value`` with ``number`` added, within the declared length."""
    text = str(value)
    if profile.meaning == "email":
        return f"{number}.{text}"
    mark = f" {number}" if profile.meaning in FREE_TEXT else f"{number}"
    if profile.limit:
        text = text[: max(profile.limit - len(mark), 0)]
    return text + mark


def _day(number: int, step: int = 1) -> date:
    """Return the ``number``-th day, ``step`` days apart: 2024 to 2026, then ever further back."""
    ahead = (LAST_DAY - FIRST_DAY).days // step + 1
    steps = number - 1 if number <= ahead else -((number - ahead) % STEPS_BACK)
    return FIRST_DAY + timedelta(step * steps)


def _month(number: int) -> str:
    """Return the ``number``-th month: from 2024 to 2026, then further and further back."""
    index = number - 1 if number <= 36 else 36 - number
    return f"{2024 + index // 12}-{index % 12 + 1:02}"


_MAKERS: Mapping[str, Callable[[int], str]] = {
    "date": lambda number: _day(number).isoformat(),
    "week_start": lambda number: _day(number, 7).isoformat(),
    "week_end": lambda number: (_day(number, 7) + timedelta(6)).isoformat(),
    "month": _month,
    "month_start": lambda number: f"{_month(number)}-01",
    "timestamp": lambda number: f"{_day(number)} {number % 24:02}:{number * 7 % 60:02}:00",
    "time": lambda number: f"{number // 60 % 24:02}:{number % 60:02}:{number // 1440 % 60:02}",
    "json": lambda number: f'{{"number": {number}}}',
}
