"""What the migrations' text says of the values of a column, in the form that the column has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.read_columns import read_columns
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.seeding.values.expressions import dates_like
from pytest_bbmigrate.seeding.values.flags import flag_texts
from pytest_bbmigrate.seeding.values.meaning import AMOUNTS, FREE_TEXT, TEMPORAL, Family
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_bbmigrate.catalogue import ColumnRead
    from pytest_bbmigrate.schema import Column
    from pytest_bbmigrate.seeding.filling.read_columns import ReadColumns
    from pytest_bbmigrate.seeding.model import Recipe
    from pytest_bbmigrate.sql.values import Cell

    Literals = tuple[tuple[str | None, str | int | float], ...]

KEPT = 16  # of these, for the recipes of a few neighbouring states


@dataclass(frozen=True, eq=False)
class MentionedValues:
    """The literals of a recipe by the column that they are about, and what is read in columns.

    The names in mappings are folded; None stands for any column. ``expected_literals`` are what
    conditions of the migrations look for, ``assigned_literals`` what their UPDATEs set, and
    ``taken_literals`` those of them that a row may hold already.
    """

    seed: int
    literals: Mapping[str | None, tuple[Cell, ...]]
    expected_literals: Mapping[str | None, tuple[Cell, ...]]
    assigned_literals: Mapping[str | None, tuple[Cell, ...]]
    taken_literals: Mapping[str | None, tuple[Cell, ...]]
    reads: ReadColumns

    def expected(
        self, children: Iterable[str], column: Column, *, unique: bool
    ) -> tuple[Cell, ...]:
        """Return the literals that migrations look for in a column; by rowid, in the first one.

        Those, too, that they look for in the columns ``children`` that refer to it. In a ``unique``
        column also what UPDATEs set, which a row may hold already.
        """
        names = [fold_name(column.name), *children]
        literals = [self.expected_literals.get(name, ()) for name in names]
        literals += [self.taken_literals.get(names[0], ())] if unique else []
        by_rowid = () if column.position else self.expected_literals.get("rowid", ())
        return (*chain.from_iterable(literals), *by_rowid)

    def expected_in_form(
        self,
        children: Iterable[str],
        column: Column,
        family: Family,
        meaning: str,
        *,
        unique: bool,
    ) -> tuple[Cell, ...]:
        """Return the literals that migrations look for in a column, in the form that it has."""
        looked_for = self.expected(children, column, unique=unique)
        values = _suited(looked_for, family)
        if family is Family.TEXT:
            values += tuple(str(number) for number in looked_for if isinstance(number, int))
        if (meaning == "flag" and family is Family.INTEGER) or family is Family.TEXT:
            values += flag_texts(looked_for)
        if family in (Family.TEXT, Family.ANY) and meaning != "json":
            values += self.reads.texts(column, self.seed, meaning, unique=unique)
            values += tuple(chain.from_iterable(self.reads.documents(column)))
        is_day = meaning in TEMPORAL and family is Family.TEXT
        return dates_like(values, meaning) if is_day else values

    def assigned(self, name: str, family: Family) -> tuple[Cell, ...]:
        """Return what UPDATEs set a column of ``family`` to."""
        return _suited(self.assigned_literals.get(name, ()), family)

    def is_day(self, column: Column) -> bool:
        """Return whether something reads ``column`` as a day or a time."""
        return self.reads.is_day(column, self.literals.get(fold_name(column.name), ()))

    def possible(
        self, name: str, family: Family, meaning: str, *, avoided: bool
    ) -> tuple[Cell, ...]:
        """Return the literals that the column may hold, or with ``avoided`` must not hold."""
        own, others = self.literals.get(name, ()), self.literals.get(None, ())
        if avoided:
            return own + tuple(value for value in others if isinstance(value, str))
        if meaning in TEMPORAL and family is Family.TEXT:
            return dates_like(own + others, meaning)
        if meaning in TEMPORAL or family is Family.BLOB:
            return ()
        flags = flag_texts(own) if meaning == "flag" and family is Family.INTEGER else ()
        return flags + _suited(own, family) + _suited(others, family, meaning)


def mentioned_values(recipe: Recipe) -> MentionedValues:
    """Return what ``recipe`` says of values: the same object for one that says the same."""
    groups = (
        recipe.literals,
        recipe.expected_literals,
        recipe.assigned_literals,
        recipe.taken_literals,
    )
    # To Python 1 and 1.0 are equal.
    exact = tuple(repr(value) for group in groups for _, value in group if type(value) is not str)
    return _mentioned(recipe.seed, groups, exact, recipe.reads)


@lru_cache(maxsize=KEPT)
def _mentioned(
    seed: int,
    groups: tuple[Literals, Literals, Literals, Literals],
    exact: tuple[str, ...],  # noqa: ARG001 -- tells apart what is equal to Python
    reads: frozenset[ColumnRead],
) -> MentionedValues:
    literals, expected, assigned, taken = map(_by_column, groups)
    return MentionedValues(seed, literals, expected, assigned, taken, read_columns(reads))


def _by_column(
    literals: Iterable[tuple[str | None, str | int | float]],
) -> dict[str | None, tuple[Cell, ...]]:
    """Return the values that SQLite can store, by the (folded) column that they are about."""
    by_column: dict[str | None, list[Cell]] = {}
    for name, value in literals:
        if storable(value):
            by_column.setdefault(name and fold_name(name), []).append(value)
    return {name: tuple(values) for name, values in by_column.items()}


def _suited(values: Sequence[Cell], family: Family, meaning: str | None = None) -> tuple[Cell, ...]:
    """Return the values of the column's kind; given a ``meaning``, only where that allows any."""
    any_meaning = meaning is None
    kinds: tuple[type, ...] = ()
    if family in (Family.TEXT, Family.ANY) and (any_meaning or meaning in FREE_TEXT):
        kinds += (str,)
    if family is not Family.TEXT and (any_meaning or meaning in AMOUNTS | FREE_TEXT):
        kinds += (int,) if family is Family.INTEGER else (int, float)
    return tuple(value for value in values if isinstance(value, kinds))
