"""The differences of one table, counted in groups: a million of them are a few numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.model import (
    NO_CONDITION,
    RowAdded,
    RowDifference,
    RowLost,
    ValueChanged,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Kind = type[RowLost] | type[RowAdded] | type[ValueChanged]
Group = tuple[Kind, str, frozenset[str]]

EXAMPLES_PER_GROUP = 5
MAX_IN_MEMORY = 1000  # differences that are kept; of more, only the groups are


@dataclass(frozen=True)
class DifferenceGroup:
    """Differences of one kind: rows lost, rows added, or values of one ``column`` changed.

    The same conditions, ``satisfied``, held for all their rows before. ``examples`` are the first
    few, each with its number among all differences of the table. ``filled`` are the columns that
    any of the added rows has, and those in which any of the lost rows was not NULL.
    """

    kind: Kind
    column: str
    satisfied: frozenset[str]
    count: int
    examples: tuple[tuple[int, RowDifference], ...]
    filled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Differences:
    """What differs in one table: counted in groups, and to be iterated as often as wanted.

    ``kept`` are all differences, if ``recompute`` is None. Else there were too many to keep, and to
    iterate compares the table again; both contents must still exist then.
    """

    groups: tuple[DifferenceGroup, ...] = ()
    kept: tuple[RowDifference, ...] = ()
    recompute: Callable[[], Iterator[RowDifference]] | None = None

    def __bool__(self) -> bool:
        return bool(self.groups)

    def __len__(self) -> int:
        return sum(group.count for group in self.groups)

    def __iter__(self) -> Iterator[RowDifference]:
        return iter(self.kept) if self.recompute is None else self.recompute()

    def filter_groups(self, wanted: Callable[[RowDifference], bool]) -> Differences:
        """Return the groups that are ``wanted``, which is asked of one difference of each.

        Its answer must be the same for all differences of a group.
        """
        groups = tuple(group for group in self.groups if wanted(group.examples[0][1]))
        if len(groups) == len(self.groups):
            return self
        keys = {(group.kind, group.column, group.satisfied) for group in groups}
        kept = tuple(each for each in self.kept if group_of(each) in keys)
        recompute = self.recompute
        if recompute is None:
            return Differences(groups, kept)
        return Differences(
            groups, kept, lambda: (each for each in recompute() if group_of(each) in keys)
        )


def differences_of(differences: Iterable[RowDifference]) -> Differences:
    """Return differences that are all in memory."""
    kept = tuple(differences)
    return Differences(count_groups(kept), kept)


def summarize(
    differences: Iterable[RowDifference],
    recompute: Callable[[], Iterator[RowDifference]],
    *,
    most: int = MAX_IN_MEMORY,
) -> Differences:
    """Return ``differences`` counted in groups, and all of them if they are at most ``most``.

    If there are more, ``recompute`` is kept instead, which yields all of them again.
    """
    kept: list[RowDifference] = []
    too_many = False

    def keep_first() -> Iterator[RowDifference]:
        nonlocal too_many
        for difference in differences:
            if len(kept) < most:
                kept.append(difference)
            else:
                too_many = True
            yield difference

    groups = count_groups(keep_first())
    if too_many:
        return Differences(groups, (), recompute)
    return Differences(groups, tuple(kept))


def count_groups(differences: Iterable[RowDifference]) -> tuple[DifferenceGroup, ...]:
    """Return the groups of ``differences``, in the order of the first difference of each."""
    counts = Counter[Group]()
    examples: dict[Group, list[tuple[int, RowDifference]]] = {}
    filled: dict[Group, set[str]] = {}
    for number, difference in enumerate(differences):
        group = group_of(difference)
        counts[group] += 1
        if counts[group] <= EXAMPLES_PER_GROUP:
            examples.setdefault(group, []).append((number, difference))
        if not isinstance(difference, ValueChanged):
            columns = filled.setdefault(group, set())
            if len(columns) < len(difference.row):  # else every column is among them already
                is_added = isinstance(difference, RowAdded)
                columns.update(
                    name for name, cell in difference.row.items() if is_added or cell is not None
                )
    return tuple(
        DifferenceGroup(*group, count, tuple(examples[group]), frozenset(filled.get(group, ())))
        for group, count in counts.items()
    )


def group_of(difference: RowDifference) -> Group:
    """Return the group of a difference: its kind, its column and the conditions that held."""
    if isinstance(difference, ValueChanged):
        return ValueChanged, difference.column, difference.satisfied
    if isinstance(difference, RowLost):
        return RowLost, "", difference.satisfied
    return RowAdded, "", NO_CONDITION
