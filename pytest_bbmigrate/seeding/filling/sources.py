"""Where the values of a row come from: pools, unique values, row numbers and parents' keys.

A source serves the columns at its ``positions``. It starts all rows off and can be asked for other
values for one row that the table refused.
"""

from __future__ import annotations

from itertools import count as counting
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.seeding.model import exact
from pytest_bbmigrate.seeding.values.pools import NULL_SHARE, spread

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pytest_bbmigrate.seeding.model import Cell
    from pytest_bbmigrate.seeding.values.pools import Pool

    Row = list[Cell]

GAP_EVERY = 17  # row numbers between two gaps, which a copy without row numbers would close
PENDING = 1_000_000_000  # stands for a parent that is yet to come, in a column that takes no NULL
CHOICES = 12  # tries to find parents that agree where foreign keys share columns


class Source(Protocol):
    """One or more columns' values."""

    positions: tuple[int, ...]
    repeatable: bool  # whether two rows may have the same values

    def start(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put values into ``rows``; return for how many of them there were any."""
        ...

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put other values into ``row``, ``plain`` ones if so; return whether there were any."""
        ...


class FromPool:
    """A column whose values may repeat."""

    repeatable = True

    def __init__(self, position: int, pool: Pool) -> None:
        self.positions: tuple[int, ...] = (position,)
        self.pool = pool
        self.sought = frozenset(exact(value) for value in pool.sought)
        self.hostile = frozenset(map(exact, pool.hostile)) - frozenset(map(exact, pool.realistic))

    def start(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put a mixture of the pool into ``rows``."""
        position = self.positions[0]
        for row, value in zip(rows, spread(self.pool, len(rows), rng), strict=True):
            row[position] = value
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put a realistic value into ``row``, or a plain one."""
        row[self.positions[0]] = rng.choice(self.pool.simple if plain else self.pool.realistic)
        return True

    def is_hostile(self, row: Row) -> bool:
        """Return whether ``row`` has a value that breaks migrations, and that others lack."""
        return exact(row[self.positions[0]]) in self.hostile

    def is_sought(self, row: Row) -> bool:
        """Return whether migrations look for the value in ``row``."""
        return bool(self.sought) and exact(row[self.positions[0]]) in self.sought

    def avoid_assigned(self, row: Row, rng: random.Random) -> None:
        """Put another value into ``row`` where it has one that an UPDATE sets, if there is one."""
        position, assigned = self.positions[0], {exact(value) for value in self.pool.assigned}
        if exact(row[position]) in assigned - self.sought:
            others = [value for value in self.pool.realistic if exact(value) not in assigned]
            row[position] = rng.choice(others or [row[position]])


class OneByOne:
    """A column whose values are taken from ``values``, each once.

    By those that are ``sought``, migrations look for rows.
    """

    repeatable = False

    def __init__(self, position: int, values: Iterator[Cell], sought: Iterable[Cell] = ()) -> None:
        self.positions: tuple[int, ...] = (position,)
        self.values = values
        self.sought = frozenset(exact(value) for value in sought)

    def is_sought(self, row: Row) -> bool:
        """Return whether migrations look for the row by its value."""
        return bool(self.sought) and exact(row[self.positions[0]]) in self.sought

    def start(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put the first values into ``rows``, as far as they go."""
        return next(
            (number for number, row in enumerate(rows) if not self.redraw(row, rng)), len(rows)
        )

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:  # noqa: ARG002 -- as every source
        """Put the next value into ``row``; none is plainer than another."""
        for value in self.values:
            row[self.positions[0]] = value
            return True
        return False


class Pending:
    """Columns of a foreign key whose parents are yet to come: NULL, or a value to be replaced."""

    repeatable = True

    def __init__(self, positions: tuple[int, ...], values: Sequence[Iterator[Cell]]) -> None:
        self.positions = positions
        self.values = values

    def start(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put values into ``rows`` that no parent has."""
        for row in rows:
            self.redraw(row, rng)
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:  # noqa: ARG002 -- as every source
        """Put further values into ``row``; none is plainer than another."""
        for position, values in zip(self.positions, self.values, strict=True):
            row[position] = next(values)
        return True


class Reference:
    """One foreign key: the ``parents``' keys there are, for the columns at ``positions``.

    Where any of the ``nullable`` positions is NULL the key refers to nothing. With ``once`` no two
    rows refer to the same parent.
    """

    def __init__(
        self,
        positions: tuple[int, ...],
        parents: Sequence[tuple[Cell, ...]],
        nullable: Collection[int],
        *,
        once: bool,
    ) -> None:
        self.positions = positions
        self.parents = list(parents)
        self.nullable = tuple(position for position in positions if position in nullable)
        self.once = once
        self._grouped: dict[tuple[int, ...], dict[tuple[Cell, ...], list[tuple[Cell, ...]]]] = {}

    def choose(self, chosen: dict[int, Cell], rng: random.Random, *, null: bool) -> bool:
        """Add this key's values to ``chosen``, beside those of others; return whether it could."""
        free = [position for position in self.nullable if position not in chosen]
        nothing = any(chosen.get(position, 0) is None for position in self.positions)
        if free and (null or nothing):
            chosen.update(dict.fromkeys(free))
            nothing = True
        fixed = tuple(position for position in self.positions if chosen.get(position) is not None)
        fitting = self._matching(fixed, tuple(chosen[position] for position in fixed))
        if fitting:
            parent = fitting.pop() if self.once and not nothing else rng.choice(fitting)
            for position, value in zip(self.positions, parent, strict=True):
                chosen.setdefault(position, value)
            return True
        chosen.update(dict.fromkeys(free))
        return bool(free)

    def _matching(self, fixed: tuple[int, ...], values: tuple[Cell, ...]) -> list[tuple[Cell, ...]]:
        """Return the parents that have ``values`` at the positions ``fixed``."""
        if not fixed:
            return self.parents
        if fixed not in self._grouped:
            places = [self.positions.index(position) for position in fixed]
            groups = self._grouped[fixed] = {}
            for parent in self.parents:
                groups.setdefault(tuple(parent[place] for place in places), []).append(parent)
        return self._grouped[fixed].get(values, [])


class FromParents:
    """The columns of foreign keys that share columns; of one foreign key, as a rule."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self.references = sorted(references, key=lambda one: -len(one.positions))
        self.positions = tuple(
            dict.fromkeys(position for one in self.references for position in one.positions)
        )
        self.repeatable = not any(one.once for one in references)
        self.kept: frozenset[int] = frozenset()  # positions whose values stay as they are

    def start(self, rows: Sequence[Row], rng: random.Random) -> int:
        """Put parents' keys into ``rows``, NULL into the second and some further ones."""
        for number, row in enumerate(rows):
            if not self._choose(row, rng, null=number == 1):
                return number
        return len(rows)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put other parents' keys into ``row``; half of the ``plain`` ones are NULL."""
        return self._choose(row, rng, null=plain and rng.random() < 0.5)

    def _choose(self, row: Row, rng: random.Random, *, null: bool) -> bool:
        for _ in range(CHOICES):
            chosen = {position: row[position] for position in self.kept}
            if all(
                one.choose(chosen, rng, null=null or rng.random() * NULL_SHARE < 1)
                for one in self.references
            ):
                for position, value in chosen.items():
                    row[position] = value
                return True
        return False


def set_apart(rows: Sequence[Row], sources: Sequence[Source], rng: random.Random) -> None:
    """Keep what UPDATEs set out of the few rows that migrations look for.

    Those are the one row for each unique value, and rows with more than one value looked for. An
    UPDATE that finds its work done in all of them would change nothing.
    """
    keys = [source for source in sources if isinstance(source, OneByOne)]
    pools = [source for source in sources if isinstance(source, FromPool)]
    for row in rows:
        found = sum(pool.is_sought(row) for pool in pools)
        if found > 1 or any(key.is_sought(row) for key in keys):
            for source in pools:
                source.avoid_assigned(row, rng)


def row_numbers(first: int, avoided: Collection[Cell]) -> Iterator[Cell]:
    """Return integers from ``first`` on, with gaps and without those ``avoided``."""
    return (
        number
        for number in counting(first)
        if number not in avoided and (number - first) % GAP_EVERY != GAP_EVERY - 1
    )


def pending_values(*, nullable: bool, text: bool) -> Iterator[Cell]:
    """Return NULLs, or else values that no generated key has."""
    if nullable:
        return repeat(None)
    return (f"pending {number}" if text else number for number in counting(PENDING))
