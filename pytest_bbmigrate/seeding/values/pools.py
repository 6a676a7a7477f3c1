"""The values that a column's rows are drawn from: realistic, hostile, and the migrations' own."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.seeding.values.accepted import ColumnProbe, accepted_values, evaluate
from pytest_bbmigrate.seeding.values.expressions import literals_in, sizes_for, texts_for
from pytest_bbmigrate.seeding.values.hostile import LOOSE_TEXTS, hostile_keys, hostile_values
from pytest_bbmigrate.seeding.values.meaning import TEMPORAL, Family
from pytest_bbmigrate.seeding.values.vocabulary import realistic
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.sql.values import Cell

ROWS_FOR_ALL_HOSTILE = 60  # a table of at least so many rows has every hostile value
FIRST_ROWS = 40  # the hostile values are among these
REPEATS = 3  # rows with one hostile value, to stand beside several of another column
REPEATS_EXPECTED = 8  # of these rows, those with a value that a migration's WHERE looks for
SIZED = 20  # blobs of one length, where a CHECK asks for it
NULL_SHARE = 12  # one in so many values of a nullable column is NULL, hostile ones aside
_CONSTANT = re.compile(r"\(*\s*([-+]?\s*[\d.]+(e[-+]?\d+)?|'([^']|'')*'|x'[\da-f]*')\s*\)*", re.I)
_ANY_TEXT = ("currency", "email", "uuid", "url", "phone", "color", "json")
_ANY_NUMBER = ("number", "year", "timestamp", "money")


_PLAIN: dict[Family, tuple[Cell, ...]] = {
    Family.INTEGER: (None, 0, 1, -1),
    Family.REAL: (None, 0.0, 1.0, -1.0),
    Family.TEXT: (None, "", "1", "a"),
    Family.BLOB: (None, b"", b"a"),
    Family.ANY: (None, 0, 1, "", "a"),
}


@dataclass(frozen=True)
class ColumnProfile:
    """All that decides a column's pool; columns with equal profiles share one.

    A ``key`` is (part of) a primary key, or what a foreign key refers to; with ``null_key`` one row
    may have NULL all the same. A ``distinct`` column is unique by itself.

    ``documents`` are the usual and the odd ones of JSON that SQL reads; in a ``loose`` column only
    the name promises numbers or days. ``expected``, ``assigned`` and ``literals`` are values from
    the migrations: those that conditions look for, those that UPDATEs set, and all of the column's
    own kind; for a key or a distinct column, all there are, since it avoids them. Two have
    ``exact_key`` beside each value, because profiles are compared and 1 equals 1.0 in Python.
    """

    probe: ColumnProbe
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
    expected: tuple[Cell, ...] = ()
    assigned: tuple[tuple[tuple[str, str], Cell], ...] = ()
    documents: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    loose: bool = False


@dataclass(frozen=True)
class Pool:
    """Values as the column stores them, each of which it accepts.

    ``realistic`` may have NULLs, not in front; it is empty where the column accepts nothing that is
    generated. ``hinted`` are named by constraints and defaults. ``plain`` ones are few and much the
    same in all columns, to meet constraints that compare columns.
    """

    realistic: tuple[Cell, ...]
    hostile: tuple[Cell, ...] = ()
    literals: tuple[Cell, ...] = ()
    plain: tuple[Cell, ...] = ()
    hinted: tuple[Cell, ...] = ()
    expected: tuple[Cell, ...] = ()
    assigned: tuple[Cell, ...] = ()


@lru_cache(maxsize=8192)
def build_pool(profile: ColumnProfile) -> Pool:
    """Return the pool of a column with this ``profile``."""
    usual = realistic(profile.seed, profile.family, profile.meaning)
    documents, odd_documents = profile.documents
    hostile_of = hostile_keys if profile.key else hostile_values
    odd = LOOSE_TEXTS if profile.loose else odd_documents
    candidates = (
        documents or usual,
        _hints(profile),
        (*hostile_of(profile.family, profile.meaning, usual[0]), *odd),
        () if profile.key or profile.distinct else [value for _, value in profile.literals],
        _PLAIN[profile.family],
        profile.expected,
        [value for _, value in profile.assigned],
    )
    usual, hinted, hostile, literals, plain, expected, assigned = accepted_values(
        profile.probe, [_shortened(profile, values) for values in candidates]
    )
    if profile.key or profile.distinct:
        usual, hinted, hostile = (
            _without_mentioned(profile, values) for values in (usual, hinted, hostile)
        )
    ordinary = usual if usual and profile.meaning in TEMPORAL else _distinct(usual + hinted)
    if not ordinary:
        (ordinary,) = accepted_values(profile.probe, [_shortened(profile, _anything(profile))])
    if not ordinary:
        ordinary = tuple(value for value in hostile + literals if value is not None)
    return Pool(
        _with_nulls(profile, ordinary, hostile),
        hostile,
        literals,
        plain + ordinary[:2],
        hinted,
        expected,
        assigned,
    )


def mix_values(pool: Pool, count: int, rng: random.Random) -> list[Cell]:
    """Return ``count`` values of ``pool``, most of them realistic.

    From ROWS_FOR_ALL_HOSTILE on, every hostile value is among the FIRST_ROWS, with what a WHERE
    looks for; literals of the migrations follow, in up to half of the other rows. In fewer rows, up
    to half of the values are hostile or literals.
    """
    if not count:
        return []
    values: list[Cell] = [pool.realistic[0], *rng.choices(pool.realistic, k=count - 1)]
    if count < ROWS_FOR_ALL_HOSTILE:
        special = [*pool.hostile[:2], *pool.literals, *pool.hostile[2:]]
        _place(values, special[: count // 2], range(1, count), rng)
        return values
    early = range(1, max(FIRST_ROWS, len(pool.hostile) + 1))
    repeats = min(max(FIRST_ROWS // 2 // max(len(pool.hostile), 1), 1), REPEATS)
    taken = _place(values, pool.hostile * repeats, early, rng)
    later = range(FIRST_ROWS, count - 1)  # the last row may become a duplicate
    _place(values, pool.literals[: len(later) // 2], later, rng)
    free = [position for position in early if position not in taken]
    _place(values, (pool.expected * REPEATS_EXPECTED)[: len(free)], free, rng)
    return values


def _place(
    values: list[Cell], chosen: Sequence[Cell], positions: Sequence[int], rng: random.Random
) -> Collection[int]:
    """Put each of ``chosen`` at one of ``positions``; return those that are taken then."""
    taken = rng.sample(positions, len(chosen))
    for position, value in zip(taken, chosen, strict=True):
        values[position] = value
    return taken


def _hints(profile: ColumnProfile) -> list[Cell]:
    """Return the values that the column's own constraints and default name."""
    hints: list[Cell] = []
    for tokens in profile.check_tokens:
        hints += literals_in(tokens, numbers=profile.family is not Family.TEXT)
    if profile.default and _CONSTANT.fullmatch(profile.default):
        hints += evaluate([profile.default])
    return hints


def _shortened(profile: ColumnProfile, values: Iterable[Cell]) -> list[Cell]:
    """Return ``values`` cut to the declared length, and without NULL where none may be."""
    return [
        value[: profile.limit] if isinstance(value, str) else value
        for value in values
        if profile.nullable or value is not None
    ]


def _anything(profile: ColumnProfile) -> list[Cell]:
    """Return values of every kind, for a CHECK that the column's name does not explain."""
    seed = f"{profile.seed}:{profile.check_tokens}"
    rng = random.Random(seed)  # noqa: S311 -- must be reproducible
    values: list[Cell] = []
    for tokens in profile.check_tokens:
        if profile.family is Family.BLOB:
            values += (rng.randbytes(size) for size in sizes_for(tokens) for _ in range(SIZED))
        values += literals_in(tokens, numbers=True)
        values += texts_for(tokens, rng)
    for meaning in (*sorted(TEMPORAL), *_ANY_TEXT):
        values += realistic(profile.seed, Family.TEXT, meaning)[:8]
    for meaning in _ANY_NUMBER:
        values += realistic(profile.seed, Family.INTEGER, meaning)
    return [*values, *range(-3, 13), 0.5, 100, 1000, "a", "A", "", b"blob", b""]


def _without_mentioned(profile: ColumnProfile, values: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return ``values`` without the migrations' literals, which a migration may yet INSERT."""
    mentioned = {_folded(value) for _, value in profile.literals}
    return tuple(value for value in values if _folded(value) not in mentioned) or values


def _folded(value: Cell) -> Cell:
    return fold_name(value) if isinstance(value, str) else value


def _distinct(values: Iterable[Cell]) -> tuple[Cell, ...]:
    return tuple({exact_key(value): value for value in values}.values())


def _with_nulls(
    profile: ColumnProfile, ordinary: tuple[Cell, ...], hostile: tuple[Cell, ...]
) -> tuple[Cell, ...]:
    if profile.key or None not in hostile:
        return ordinary
    return ordinary + (None,) * (len(ordinary) // NULL_SHARE + 1)
