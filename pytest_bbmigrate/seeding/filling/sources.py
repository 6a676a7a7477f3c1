"""Sources of values for columns: pools, unique values, row numbers and the keys of parents."""

from __future__ import annotations

from itertools import count as counting
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.seeding.values.hostile import kind_of_text
from pytest_bbmigrate.seeding.values.pools import mix_values

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pytest_bbmigrate.seeding.values.pools import Pool
    from pytest_bbmigrate.sql.values import Cell

    Row = list[Cell]

GAP_EVERY = 17  # row numbers between two gaps, which a copy without row numbers would close
FIRST_PLACEHOLDER = 1_000_000_000  # as a key beyond those of any generated row


class Source(Protocol):
    """Where the values of one or more columns come from.

    ``positions`` are those of its columns in a row. It is ``repeatable`` if two rows may have the
    same values from it.
    """

    positions: tuple[int, ...]
    repeatable: bool

    def fill(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put values into ``rows``, as many as there are; return in how many rows."""
        ...

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put other values, or ``plain`` ones, into ``row``; return False if there are none."""
        ...


class FromPool:
    """A column whose values may repeat."""

    repeatable = True

    def __init__(self, position: int, pool: Pool) -> None:
        self.positions: tuple[int, ...] = (position,)
        self.pool = pool

    def fill(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put a mixture of the pool's values into ``rows``."""
        position = self.positions[0]
        for row, value in zip(rows, mix_values(self.pool, len(rows), rng), strict=True):
            row[position] = value
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put a realistic value into ``row``, or a plain one."""
        row[self.positions[0]] = rng.choice(self.pool.plain if plain else self.pool.realistic)
        return True

    def choose_any(self, row: Row, rng: random.Random) -> None:
        """Put a realistic value that is not NULL into ``row``, where there is one."""
        values = [value for value in self.pool.realistic if value is not None]
        row[self.positions[0]] = rng.choice(values) if values else None

    def is_hostile(self, row: Row) -> bool:
        """Return whether ``row`` has a hostile value here, other than one that is common."""
        return exact_key(row[self.positions[0]]) in self.pool.odd_keys

    @property
    def expects(self) -> bool:
        """Whether migrations look for any value here."""
        return bool(self.pool.expected)

    def is_expected(self, row: Row) -> bool:
        """Return whether migrations look for the value in ``row``."""
        return self.expects and exact_key(row[self.positions[0]]) in self.pool.expected_keys

    def odd_texts(self) -> list[str]:
        """Return the hostile values that are texts, odd in one way or another."""
        return [str(value) for value in self.pool.hostile if kind_of_text(value)]

    def avoid_assigned(self, row: Row, rng: random.Random) -> None:
        """Replace the value in ``row`` by another one if an UPDATE sets that value."""
        position, assigned = self.positions[0], frozenset(map(exact_key, self.pool.assigned))
        if exact_key(row[position]) in assigned - self.pool.expected_keys:
            others = [value for value in self.pool.realistic if exact_key(value) not in assigned]
            row[position] = rng.choice(others or [row[position]])


class OneByOne:
    """A column that takes each of ``values`` once; migrations look for those ``expected``."""

    repeatable = False

    def __init__(
        self, position: int, values: Iterator[Cell], expected: Iterable[Cell] = ()
    ) -> None:
        self.positions: tuple[int, ...] = (position,)
        self._values = values
        self._expected = frozenset(map(exact_key, expected))

    def fill(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put the first values into ``rows``, as far as they go."""
        return next(
            (number for number, row in enumerate(rows) if not self.redraw(row, rng)), len(rows)
        )

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:  # noqa: ARG002 -- as every source
        """Put the next value into ``row``."""
        for value in self._values:
            row[self.positions[0]] = value
            return True
        return False

    @property
    def expects(self) -> bool:
        """Whether migrations look for any value here."""
        return bool(self._expected)

    def is_expected(self, row: Row) -> bool:
        """Return whether migrations look for the value in ``row``."""
        return self.expects and exact_key(row[self.positions[0]]) in self._expected


class Placeholders:
    """The columns of a foreign key whose parents come later: NULL, or values that no parent has."""

    repeatable = True

    def __init__(self, positions: tuple[int, ...], values: Sequence[Iterator[Cell]]) -> None:
        self.positions = positions
        self._values = values

    def fill(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put placeholders into ``rows``."""
        for row in rows:
            self.redraw(row, rng)
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:  # noqa: ARG002 -- as every source
        """Put the next placeholders into ``row``."""
        for position, values in zip(self.positions, self._values, strict=True):
            row[position] = next(values)
        return True


def avoid_assigned_values(
    rows: Sequence[Row], sources: Sequence[Source], rng: random.Random
) -> None:
    """Replace what UPDATEs set in the few rows that migrations look for.

    Those are the row with a unique value that they look for, and rows with two values or more. An
    UPDATE that found its values in all of these already would change nothing.
    """
    unique = [source for source in sources if isinstance(source, OneByOne)]
    pools = [source for source in sources if isinstance(source, FromPool)]
    for row in rows:
        expected = sum(source.is_expected(row) for source in pools)
        if expected > 1 or any(source.is_expected(row) for source in unique):
            for source in pools:
                source.avoid_assigned(row, rng)


def row_numbers(first: int, avoided: Collection[Cell]) -> Iterator[Cell]:
    """Return integers from ``first`` on, with gaps and without those ``avoided``."""
    return (
        number
        for number in counting(first)
        if number not in avoided and (number - first) % GAP_EVERY != GAP_EVERY - 1
    )


def placeholders(*, nullable: bool, text: bool) -> Iterator[Cell]:
    """Return NULLs, or else values that no generated key has."""
    if nullable:
        return repeat(None)
    return (f"pending {number}" if text else number for number in counting(FIRST_PLACEHOLDER))
