"""The differences of one table, counted by kind, so that a million of them are a few numbers."""

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

EXAMPLES = 5
KEPT = 1000  # differences in memory, of tables in files


@dataclass(frozen=True)
class DifferenceGroup:
    """Differences of one kind: rows lost, rows added, or values of one ``column`` changed.

    The rows before met the same conditions, ``met``. ``first`` are the first few, each with its
    place among all differences of the table; ``filled`` the columns in which a row that came holds
    anything, or one that went did not hold NULL.
    """

    kind: Kind
    column: str
    met: frozenset[str]
    count: int
    first: tuple[tuple[int, RowDifference], ...]
    filled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Differences:
    """What differs in one table: counted, and to be gone through as often as wanted.

    Where there are many, going through them compares the table anew, for which both contents must
    still be there.
    """

    alike: tuple[DifferenceGroup, ...] = ()
    kept: tuple[RowDifference, ...] = ()
    again: Callable[[], Iterator[RowDifference]] | None = None

    def __bool__(self) -> bool:
        return bool(self.alike)

    def __len__(self) -> int:
        return sum(alike.count for alike in self.alike)

    def __iter__(self) -> Iterator[RowDifference]:
        return iter(self.kept) if self.again is None else self.again()

    def which(self, wanted: Callable[[RowDifference], bool]) -> Differences:
        """Return those that are ``wanted``, which must be so of all that are alike, or of none."""
        alike = tuple(a for a in self.alike if wanted(a.first[0][1]))
        if len(alike) == len(self.alike):
            return self
        groups = {(a.kind, a.column, a.met) for a in alike}
        kept = tuple(d for d in self.kept if group_of(d) in groups)
        again = self.again
        if again is None:
            return Differences(alike, kept)
        return Differences(alike, kept, lambda: (d for d in again() if group_of(d) in groups))


def differences_of(found: Iterable[RowDifference]) -> Differences:
    """Return differences that are all in memory."""
    kept = tuple(found)
    return Differences(count_alike(kept), kept)


def gather(
    found: Iterable[RowDifference],
    again: Callable[[], Iterator[RowDifference]],
    *,
    most: int = KEPT,
) -> Differences:
    """Return the differences ``found``, of which at most ``most`` are kept.

    Where there are more, ``again()`` yields all of them anew.
    """
    kept: list[RowDifference] = []
    too_many = False

    def noted() -> Iterator[RowDifference]:
        nonlocal too_many
        for difference in found:
            if len(kept) < most:
                kept.append(difference)
            else:
                too_many = True
            yield difference

    alike = count_alike(noted())
    if too_many:
        return Differences(alike, (), again)
    return Differences(alike, tuple(kept))


def count_alike(found: Iterable[RowDifference]) -> tuple[DifferenceGroup, ...]:
    """Return ``found`` counted, in the order in which each kind first comes."""
    counts = Counter[Group]()
    first: dict[Group, list[tuple[int, RowDifference]]] = {}
    filled: dict[Group, set[str]] = {}
    for place, difference in enumerate(found):
        group = group_of(difference)
        counts[group] += 1
        if counts[group] <= EXAMPLES:
            first.setdefault(group, []).append((place, difference))
        if not isinstance(difference, ValueChanged):
            names = filled.setdefault(group, set())
            if len(names) < len(difference.row):
                came = isinstance(difference, RowAdded)
                names.update(n for n, cell in difference.row.items() if came or cell is not None)
    return tuple(
        DifferenceGroup(*group, count, tuple(first[group]), frozenset(filled.get(group, ())))
        for group, count in counts.items()
    )


def group_of(difference: RowDifference) -> Group:
    """Return what a difference has in common with those that are alike."""
    if isinstance(difference, ValueChanged):
        return ValueChanged, difference.column, difference.met
    if isinstance(difference, RowLost):
        return RowLost, "", difference.met
    return RowAdded, "", NO_CONDITION
