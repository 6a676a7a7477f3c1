"""The values that one column's rows are made of: realistic, hostile, and from the migrations."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import exact
from pytest_bbmigrate.seeding.values.accepted import Gate, admit, evaluate
from pytest_bbmigrate.seeding.values.expressions import literals_in, texts_for
from pytest_bbmigrate.seeding.values.hostile import hostile_values, key_values
from pytest_bbmigrate.seeding.values.meaning import TEMPORAL, Family
from pytest_bbmigrate.seeding.values.vocabulary import realistic
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.seeding.model import Cell

ENOUGH_ROWS = 60  # from here on every hostile value has a row
HOSTILE_ROWS = 40  # the first rows, in which they are
TIMES = 3  # rows with a hostile value, to be beside more than one of another column
TIMES_SOUGHT = 8  # of these rows those with a value that a migration's WHERE looks for
NULL_SHARE = 12  # one in so many further values of a nullable column is NULL
_CONSTANT = re.compile(r"\(*\s*([-+]?\s*[\d.]+(e[-+]?\d+)?|'([^']|'')*'|x'[\da-f]*')\s*\)*", re.I)


_SIMPLE: dict[Family, tuple[Cell, ...]] = {
    Family.INTEGER: (None, 0, 1, -1),
    Family.REAL: (None, 0.0, 1.0, -1.0),
    Family.TEXT: (None, "", "1", "a"),
    Family.BLOB: (None, b"", b"a"),
    Family.ANY: (None, 0, 1, "", "a"),
}


@dataclass(frozen=True)
class Facts:
    """All that decides a column's pool; two columns with equal facts share it.

    A ``key`` is (part of) a primary key or what a foreign key refers to; a ``null_key`` may be NULL
    all the same, in one row. ``distinct`` columns are unique by themselves. ``literals`` are values
    from migrations, each with ``exact`` of it, for 1 equals 1.0 in Python: of the column's own
    kind, or all there are when they are to be avoided. ``sought`` are those that migrations expect
    to find, for a key or unique column the only ones; ``assigned`` what their UPDATEs set.
    """

    gate: Gate
    family: Family
    meaning: str
    seed: int
    nullable: bool = True
    key: bool = False
    null_key: bool = False
    distinct: bool = False
    default: str | None = None
    limit: int | None = None
    check_tokens: tuple[Tokens, ...] = ()
    literals: tuple[tuple[tuple[str, str], Cell], ...] = ()
    sought: tuple[Cell, ...] = ()
    assigned: tuple[tuple[tuple[str, str], Cell], ...] = ()


@dataclass(frozen=True)
class Pool:
    """Values in the form in which the column stores them, all of which it takes by itself.

    ``realistic`` may hold NULLs, further back; it is empty when nothing generated gets through.
    ``hinted`` are those that constraints and defaults name. ``simple`` ones are to fall back on
    where rows are refused for reasons not understood.
    """

    realistic: tuple[Cell, ...]
    hostile: tuple[Cell, ...] = ()
    literals: tuple[Cell, ...] = ()
    simple: tuple[Cell, ...] = ()
    hinted: tuple[Cell, ...] = ()
    sought: tuple[Cell, ...] = ()
    assigned: tuple[Cell, ...] = ()


@lru_cache(maxsize=8192)
def build_pool(facts: Facts) -> Pool:
    """Return the pool of a column with these ``facts``."""
    usual = realistic(facts.seed, facts.family, facts.meaning)
    nasty = (key_values if facts.key else hostile_values)(facts.family, facts.meaning, usual[0])
    spoken = () if facts.key or facts.distinct else tuple(value for _, value in facts.literals)
    assigned = [value for _, value in facts.assigned]
    groups = (usual, _hints(facts), nasty, spoken, _SIMPLE[facts.family], facts.sought, assigned)
    fit, hinted, hostile, literals, simple, sought, written = admit(
        facts.gate, [_fitting(facts, group) for group in groups]
    )
    if facts.key or facts.distinct:
        fit, hinted, hostile = (_unspoken(facts, group) for group in (fit, hinted, hostile))
    plain = fit if fit and facts.meaning in TEMPORAL else _distinct(fit + hinted)
    if not plain:
        (plain,) = admit(facts.gate, [_fitting(facts, _anything(facts))])
    if not plain:
        plain = tuple(value for value in hostile + literals if value is not None)
    usual = _with_nulls(facts, plain, hostile)
    return Pool(usual, hostile, literals, simple + plain[:2], hinted, sought, written)


def spread(pool: Pool, count: int, rng: random.Random) -> list[Cell]:
    """Return ``count`` values of ``pool``: mostly realistic, with every hostile one if it fits.

    With ENOUGH_ROWS each hostile value is among the first HOSTILE_ROWS; the migrations' literals
    follow, in up to half of the rest, and what a WHERE looks for is among the first as well, beside
    the hostile values of other columns. With fewer rows every second one may be hostile.
    """
    if not count:
        return []
    values: list[Cell] = [pool.realistic[0], *rng.choices(pool.realistic, k=count - 1)]
    if count < ENOUGH_ROWS:
        chosen = [*pool.hostile[:2], *pool.literals, *pool.hostile[2:]][: count // 2]
        _put(values, chosen, range(1, count), rng)
        return values
    early = range(1, max(HOSTILE_ROWS, len(pool.hostile) + 1))
    times = min(max(HOSTILE_ROWS // 2 // max(len(pool.hostile), 1), 1), TIMES)
    taken = _put(values, pool.hostile * times, early, rng)
    rest = range(HOSTILE_ROWS, count - 1)  # the last row may become a duplicate
    _put(values, pool.literals[: len(rest) // 2], rest, rng)
    free = [place for place in early if place not in taken]
    _put(values, (pool.sought * TIMES_SOUGHT)[: len(free)], free, rng)
    return values


def _put(
    values: list[Cell], chosen: Sequence[Cell], places: Sequence[int], rng: random.Random
) -> Collection[int]:
    """Put each of ``chosen`` at a place of its own; return the places."""
    taken = rng.sample(places, len(chosen))
    for place, value in zip(taken, chosen, strict=True):
        values[place] = value
    return taken


def _hints(facts: Facts) -> list[Cell]:
    """Return what the column's own constraints and default suggest as values."""
    hints: list[Cell] = []
    for tokens in facts.check_tokens:
        hints += literals_in(tokens, numbers=facts.family is not Family.TEXT)
    if facts.default and _CONSTANT.fullmatch(facts.default):
        hints.append(evaluate(facts.default))
    return hints


def _fitting(facts: Facts, values: Iterable[Cell]) -> list[Cell]:
    """Return ``values`` without NULL where none may be, and cut to the declared length."""
    return [
        value[: facts.limit] if isinstance(value, str) else value
        for value in values
        if facts.nullable or value is not None
    ]


def _anything(facts: Facts) -> list[Cell]:
    """Return candidates of every kind, for a CHECK that asks for what no name tells."""
    rng = random.Random(f"{facts.seed}:{facts.check_tokens}")  # noqa: S311 -- must be reproducible
    found: list[Cell] = []
    for tokens in facts.check_tokens:
        found += literals_in(tokens, numbers=True)
        found += texts_for(tokens, rng)
    for meaning in (
        *sorted(TEMPORAL),
        "currency",
        "email",
        "uuid",
        "url",
        "phone",
        "color",
        "json",
    ):
        found += realistic(facts.seed, Family.TEXT, meaning)[:8]
    for meaning in ("number", "year", "timestamp", "money"):
        found += realistic(facts.seed, Family.INTEGER, meaning)
    return [*found, *range(-3, 13), 0.5, 100, 1000, "a", "A", "", b"blob", b""]


def _unspoken(facts: Facts, values: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return ``values`` without those of migrations, which may still INSERT them into the key."""
    spoken = {_folded(value) for _, value in facts.literals}
    return tuple(value for value in values if _folded(value) not in spoken) or values


def _folded(value: Cell) -> Cell:
    return fold_name(value) if isinstance(value, str) else value


def _distinct(values: Iterable[Cell]) -> tuple[Cell, ...]:
    return tuple({exact(value): value for value in values}.values())


def _with_nulls(facts: Facts, plain: tuple[Cell, ...], nasty: tuple[Cell, ...]) -> tuple[Cell, ...]:
    if facts.key or not _holds(nasty, None):
        return plain
    return plain + (None,) * (len(plain) // NULL_SHARE + 1)


def _holds(values: Iterable[Cell], value: Cell) -> bool:
    return any(exact(one) == exact(value) for one in values)
