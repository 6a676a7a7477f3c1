"""Sources of values for columns: pools, unique values, row numbers and the keys of parents."""

from __future__ import annotations

from itertools import chain, repeat
from itertools import count as counting
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.seeding.values.pools import NULL_SHARE, mix_values

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.values.pools import Pool
    from pytest_bbmigrate.sql.values import Cell

    Row = list[Cell]

GAP_EVERY = 17  # row numbers between two gaps, which a copy without row numbers would close
FIRST_PLACEHOLDER = 1_000_000_000  # as a key beyond those of any generated row
TRIES = 12  # to find parents that agree where foreign keys share columns


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
        self._realistic = frozenset(map(exact_key, pool.realistic))
        self._hostile = frozenset(map(exact_key, pool.hostile)) - self._realistic
        self._expected = frozenset(map(exact_key, pool.expected))

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

    def is_hostile(self, row: Row) -> bool:
        """Return whether ``row`` has a hostile value here, other than one that is common."""
        return exact_key(row[self.positions[0]]) in self._hostile

    def is_expected(self, row: Row) -> bool:
        """Return whether migrations look for the value in ``row``."""
        return bool(self._expected) and exact_key(row[self.positions[0]]) in self._expected

    def avoid_assigned(self, row: Row, rng: random.Random) -> None:
        """Replace the value in ``row`` by another one if an UPDATE sets that value."""
        position, assigned = self.positions[0], frozenset(map(exact_key, self.pool.assigned))
        if exact_key(row[position]) in assigned - self._expected:
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

    def is_expected(self, row: Row) -> bool:
        """Return whether migrations look for the value in ``row``."""
        return bool(self._expected) and exact_key(row[self.positions[0]]) in self._expected


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


class Reference:
    """One foreign key, and the keys of the ``parents`` that it can refer to.

    Where any of the ``nullable`` positions is NULL the key refers to nothing. With ``once`` no two
    rows refer to the same parent.
    """

    def __init__(
        self,
        positions: tuple[int, ...],
        parents: Sequence[Key],
        nullable: Collection[int],
        *,
        once: bool,
    ) -> None:
        self.positions = positions
        self.parents = list(parents)
        self.nullable = tuple(position for position in positions if position in nullable)
        self.once = once
        self._by_values: dict[tuple[int, ...], dict[Key, list[Key]]] = {}

    def choose(self, chosen: dict[int, Cell], rng: random.Random, *, null: bool) -> bool:
        """Add this key's values to those ``chosen`` for other keys; return False if none fit."""
        free = [position for position in self.nullable if position not in chosen]
        refers_to_nothing = any(chosen.get(position, 0) is None for position in self.positions)
        if free and (null or refers_to_nothing):
            chosen.update(dict.fromkeys(free))
            refers_to_nothing = True
        fixed = tuple(position for position in self.positions if chosen.get(position) is not None)
        fitting = self._with_values(fixed, tuple(chosen[position] for position in fixed))
        if fitting:
            use_up = self.once and not refers_to_nothing
            parent = fitting.pop() if use_up else rng.choice(fitting)
            for position, value in zip(self.positions, parent, strict=True):
                chosen.setdefault(position, value)
            return True
        chosen.update(dict.fromkeys(free))
        return bool(free)

    def _with_values(self, fixed: tuple[int, ...], values: Key) -> list[Key]:
        """Return the parents that have ``values`` at the positions ``fixed``."""
        if not fixed:
            return self.parents
        if fixed not in self._by_values:
            indexes = [self.positions.index(position) for position in fixed]
            groups = self._by_values[fixed] = {}
            for parent in self.parents:
                groups.setdefault(tuple(parent[index] for index in indexes), []).append(parent)
        return self._by_values[fixed].get(values, [])


class FromParents:
    """The columns of one foreign key, or of several that share columns."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self.references = sorted(references, key=lambda reference: -len(reference.positions))
        self.positions = tuple(
            dict.fromkeys(
                position for reference in self.references for position in reference.positions
            )
        )
        self.repeatable = not any(reference.once for reference in references)
        self.kept: frozenset[int] = frozenset()  # positions whose values stay as they are

    def fill(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put keys of parents into ``rows``, NULL into the second and some further ones."""
        for number, row in enumerate(rows):
            if not self._choose(row, rng, null=number == 1):
                return number
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put the keys of other parents into ``row``, or NULL into half of the ``plain`` ones."""
        return self._choose(row, rng, null=plain and rng.random() < 0.5)

    def _choose(self, row: Row, rng: random.Random, *, null: bool) -> bool:
        for _ in range(TRIES):
            chosen = {position: row[position] for position in self.kept}
            if all(
                reference.choose(chosen, rng, null=null or rng.random() * NULL_SHARE < 1)
                for reference in self.references
            ):
                for position, value in chosen.items():
                    row[position] = value
                return True
        return False


def sources_of(references: Iterable[Reference]) -> list[FromParents]:
    """Return a source for each group of ``references`` that share columns with one another."""
    groups: list[list[Reference]] = []
    for reference in references:
        joined = [
            group
            for group in groups
            if any(set(other.positions) & set(reference.positions) for other in group)
        ]
        groups = [group for group in groups if group not in joined]
        groups.append([*chain.from_iterable(joined), reference])
    return [FromParents(group) for group in groups]


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
