"""Sources of values for foreign keys: the keys of the parents that are there."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.values.hostile import kind_of_text
from pytest_bbmigrate.seeding.values.pools import FIRST_ROWS, NULL_SHARE, ROWS_FOR_ALL_HOSTILE

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.sources import Row
    from pytest_bbmigrate.sql.values import Cell

TRIES = 12  # to find parents that agree where foreign keys share columns
TWINS_FROM = 2  # the first row that refers to a notable parent: the first of all is realistic
MANY_OF_TEN = 7  # of ten rows so many refer to one parent
MOST_NOTABLE = 20  # parents that have a child because of what they are


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
        self.notable: list[Key] = []  # parents that are to have a child
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
        """Put keys of parents into ``rows``, NULL into the second and some further ones.

        The notable parents come first. Of the rows after FIRST_ROWS most refer to one parent, which
        so has hundreds of children where there are hundreds of rows.
        """
        for number, row in enumerate(rows):
            if not self._choose(row, rng, null=number == 1):
                return number
            if len(rows) >= ROWS_FOR_ALL_HOSTILE:
                self._prefer(row, number)
        return len(rows)

    def _prefer(self, row: Row, number: int) -> None:
        """Let ``row`` refer to the parent that is meant for row ``number``, if any is."""
        (reference, *others) = self.references
        if others or reference.once or not reference.parents:
            return
        notable = reference.notable
        if TWINS_FROM <= number < TWINS_FROM + len(notable):
            parent = notable[number - TWINS_FROM]
        elif number > FIRST_ROWS and number % 10 < MANY_OF_TEN:
            parent = reference.parents[0]
        else:
            return
        for position, value in zip(reference.positions, parent, strict=True):
            row[position] = value

    def refer(self, row: Row, rng: random.Random) -> bool:
        """Put the keys of parents into ``row``, not NULL."""
        for position in self.positions:
            if position not in self.kept:
                row[position] = None
        return self._choose(row, rng, null=False, always=True)

    def redraw(self, row: Row, rng: random.Random, *, plain: bool = False) -> bool:
        """Put the keys of other parents into ``row``, or NULL into half of the ``plain`` ones."""
        return self._choose(row, rng, null=plain and rng.random() < 0.5)

    def _choose(self, row: Row, rng: random.Random, *, null: bool, always: bool = False) -> bool:
        for _ in range(TRIES):
            chosen = {position: row[position] for position in self.kept}
            if all(
                reference.choose(
                    chosen, rng, null=null or (not always and rng.random() * NULL_SHARE < 1)
                )
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


def notable_parents(
    context: Context, table: Table, key: ForeignKey, parents: Iterable[Key]
) -> list[Key]:
    """Return those of ``parents`` that have odd texts, or what migrations look for.

    None where a column of ``table`` would store their key as another value.
    """
    parent = context.schema.table(key.parent)
    expected: set[Cell] = set()
    for name, theirs in zip(key.columns, key.parent_columns, strict=False):
        own, column = table.column(name), parent.column(theirs) if parent else None
        if parent is None or column is None or own is None or own.affinity != column.affinity:
            return []
        expected.update(context.expected(parent, column))
    found: dict[str, Key] = {}
    for row in parents:
        for value in row:
            sort = f"expected {value!r}" if value in expected else kind_of_text(value)
            if sort:
                found.setdefault(sort, row)
    return list(found.values())[:MOST_NOTABLE]
