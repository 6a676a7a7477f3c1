"""Values for a column that is unique by itself: no two alike, and none that is there already."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from itertools import count as counting
from itertools import islice, repeat
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.values.accepted import admit
from pytest_bbmigrate.seeding.values.expressions import texts_for
from pytest_bbmigrate.seeding.values.household_words import FIRST_DAY, LAST_DAY
from pytest_bbmigrate.seeding.values.meaning import FREE_TEXT, TEMPORAL, Family
from pytest_bbmigrate.seeding.values.pools import ENOUGH_ROWS, HOSTILE_ROWS, build_pool
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.seeding.model import Cell
    from pytest_bbmigrate.seeding.values.pools import Facts

SPARE = 20  # values beyond those asked for, to replace what the table refuses
STEPS_BACK = 50_000  # weeks before 2024 that the calendar has


def distinct_values(
    facts: Facts, count: int, taken: Collection[Cell], rng: random.Random
) -> list[Cell]:
    """Return up to ``count`` + SPARE values, hostile ones early, that differ from all ``taken``.

    Different means to the column: by its collation, and 1 is 1.0. NULLs are no duplicates.
    """
    pool = build_pool(facts)
    seen = {_compared(value, facts) for value in taken}
    usual = [value for value in pool.realistic if value is not None]
    rng.shuffle(usual)
    sought = list(_fresh(pool.sought, seen, facts))
    plain = list(_fresh((*pool.hinted, *usual), seen, facts))
    hostile = sought + [
        value for value in pool.hostile if value is None or [*_fresh([value], seen, facts)]
    ]
    if facts.null_key and None not in taken:
        hostile += admit(facts.gate, [[None]])[0]
    makers = (_made(facts, usual, rng), _patterned(facts, rng)) if usual else ()
    for maker in makers:
        lacking = count + SPARE - len(plain) - len(hostile)
        if lacking > 0:
            # Makers count from one, and the first of what they make may be there already.
            candidates = list(islice(maker, lacking + lacking // 2 + len(taken)))
            spoken = {value for _, value in facts.literals}
            (made,) = admit(facts.gate, [[one for one in candidates if one not in spoken]])
            plain += _fresh(made, seen, facts)
    if None in hostile and not facts.null_key:
        plain += [None] * max(count - len(plain) - len(hostile), 0)
    return _mixed(plain, hostile, count, rng)


def _mixed(plain: list[Cell], hostile: list[Cell], count: int, rng: random.Random) -> list[Cell]:
    """Return ``plain`` with ``hostile`` values among the first, after one that is plain."""
    if count < ENOUGH_ROWS:
        hostile = hostile[: count // 2]
    mixed = plain[: count + SPARE - len(hostile)]
    for value in hostile:
        last = max(min(HOSTILE_ROWS - len(hostile), len(mixed), count), 1)
        mixed.insert(rng.randint(1, last), value)
    return mixed


def _fresh(values: Iterable[Cell], seen: set[Cell], facts: Facts) -> Iterator[Cell]:
    """Yield those of ``values`` that are not in ``seen``, and put them there."""
    for value in values:
        compared = _compared(value, facts)
        if value is not None and compared not in seen:
            seen.add(compared)
            yield value


def _compared(value: Cell, facts: Facts) -> Cell:
    """Return ``value`` as the column's collation sees it (https://sqlite.org/datatype3.html, 7)."""
    collation = facts.gate.collation.upper()
    if isinstance(value, str) and collation == "NOCASE":
        return fold_name(value)
    if isinstance(value, str) and collation == "RTRIM":
        return value.rstrip(" ")
    return value


def _made(facts: Facts, usual: Sequence[Cell], rng: random.Random) -> Iterator[Cell]:
    """Return new values of the column's kind, without end."""
    if facts.family is Family.INTEGER:
        return counting(1_704_067_200, 86_400) if facts.meaning in TEMPORAL else counting(1)
    if facts.family is Family.REAL:
        return counting(1.25)
    if facts.family is Family.BLOB:
        return (rng.randbytes(12) for _ in repeat(None))
    return (_made_text(facts, usual[number % len(usual)], number, rng) for number in counting(1))


def _patterned(facts: Facts, rng: random.Random) -> Iterator[Cell]:
    """Yield texts of the patterns in the column's own constraints, without end if there are any."""
    while any("glob" in tokens for tokens in facts.check_tokens):
        for tokens in facts.check_tokens:
            yield from texts_for(tokens, rng)


def _made_text(facts: Facts, value: Cell, number: int, rng: random.Random) -> str:
    if facts.meaning == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if facts.meaning in _MAKERS:
        return _MAKERS[facts.meaning](number)
    return _numbered(value, number, facts)


def _numbered(value: Cell, number: int, facts: Facts) -> str:
    """Return the text ``value`` made different by ``number``, within the declared length."""
    text = str(value)
    if facts.meaning == "email":
        return f"{number}.{text}"
    mark = f" {number}" if facts.meaning in FREE_TEXT else f"{number}"
    if facts.limit:
        text = text[: max(facts.limit - len(mark), 0)]
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
