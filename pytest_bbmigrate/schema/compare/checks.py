"""Compare the CHECKs of a table before and after: a multiset, of which some have a name.

A CHECK without a name is known by its text alone. Of those that only one side has, two that are
about the same are one that changed: whether it is wider or narrower than it was is not asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare.table_pair import is_part_of, only
from pytest_bbmigrate.schema.compare.wording import check_text
from pytest_bbmigrate.schema.read.tokens import equal_under
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
    from pytest_bbmigrate.schema.compare.table_pair import TablePair
    from pytest_bbmigrate.schema.model import CheckConstraint, Table

    IsSame = Callable[[TablePair, CheckConstraint, CheckConstraint], bool]

CHANGED = "check changed"
LEAST_ALIKE = 0.5  # of two CHECKs that have a column in common, and others beside it


def compare_checks(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield the CHECKs that are lost, changed or added.

    Not those that are part of a column which is itself lost or added.
    """
    before, after = unmatched(pair)
    changed = dict(pairs(pair, before, after))
    for position, check in enumerate(before):
        column = only(columns_of(check, pair.before))
        if position in changed:
            new = check_text(after[changed[position]])
            yield pair.difference(CHANGED, column, check_text(check), new)
        else:
            yield pair.difference("check lost", column, check_text(check), "")
    for position, check in enumerate(after):
        if position not in changed.values():
            column = only(columns_of(check, pair.after))
            yield pair.addition("check added", column, check_text(check))


def apart(differences: Iterable[SchemaDifference]) -> Iterator[SchemaDifference]:
    """Yield ``differences``, a CHECK that changed as one that is lost and another that is added."""
    for difference in differences:
        if difference.kind == CHANGED:
            yield replace(difference, kind="check lost", after="")
            yield replace(difference, kind="check added", before="")
        else:
            yield difference


def unmatched(pair: TablePair) -> tuple[list[CheckConstraint], list[CheckConstraint]]:
    """Return the CHECKs that only one side has: (before, after)."""
    lost, added = [], list(pair.after.checks)
    for check in pair.before.checks:
        match = next((c for c in added if equal_under(pair.words, check.tokens, c.tokens)), None)
        if match is None:
            lost.append(check)
        else:
            added.remove(match)
    return (
        [check for check in lost if not is_part_of(columns_of(check, pair.before), pair.lost)],
        [check for check in added if not is_part_of(columns_of(check, pair.after), pair.added)],
    )


def pairs(
    pair: TablePair, before: list[CheckConstraint], after: list[CheckConstraint]
) -> Iterator[tuple[int, int]]:
    """Yield the positions of each two that are one CHECK, which changed.

    They have the same name; else they are written with the same column, name the same columns, or
    have a column and most of their words in common. Of several, the most alike come first.
    """
    free = {(old, new) for old in range(len(before)) for new in range(len(after))}
    for is_same in (has_same_name, is_of_same_column, names_same_columns, is_much_alike):
        fitting = [(old, new) for old, new in free if is_same(pair, before[old], after[new])]
        # In an order that is the same the other way round.
        fitting.sort(
            key=lambda both: (-alike(pair, before[both[0]], after[both[1]]), sum(both), *both)
        )
        for old, new in fitting:
            if (old, new) in free:
                yield old, new
                free -= {(o, n) for o, n in free if o == old or n == new}


def has_same_name(_pair: TablePair, old: CheckConstraint, new: CheckConstraint) -> bool:
    """Return whether both are constraints of one name."""
    return bool(old.name) and fold_name(old.name) == fold_name(new.name)


def is_of_same_column(pair: TablePair, old: CheckConstraint, new: CheckConstraint) -> bool:
    """Return whether both are written with one column."""
    return bool(old.column) and pair.columns.get(old.column) == new.column


def names_same_columns(pair: TablePair, old: CheckConstraint, new: CheckConstraint) -> bool:
    """Return whether both name the same columns."""
    then, now = columns_on_both_sides(pair, old, new)
    return then == now


def is_much_alike(pair: TablePair, old: CheckConstraint, new: CheckConstraint) -> bool:
    """Return whether both have a column and most of their words in common."""
    then, now = columns_on_both_sides(pair, old, new)
    return bool(then & now) and alike(pair, old, new) >= LEAST_ALIKE


def columns_on_both_sides(
    pair: TablePair, old: CheckConstraint, new: CheckConstraint
) -> tuple[set[str], set[str]]:
    """Return the (folded) columns that each names, by their names after; '' for a lost one."""
    then = {pair.columns.get(fold_name(name), "") for name in columns_of(old, pair.before)}
    return then, {fold_name(name) for name in columns_of(new, pair.after)}


def alike(pair: TablePair, old: CheckConstraint, new: CheckConstraint) -> float:
    """Return which part of the words of the longer one both have, from 0 to 1."""
    then = Counter(pair.columns.get(word, word) for word in old.tokens)
    longest = max(len(old.tokens), len(new.tokens))
    return (then & Counter(new.tokens)).total() / longest if longest else 0.0


def columns_of(check: CheckConstraint, table: Table) -> list[str]:
    """Return the columns of ``table``, as they are declared, that a CHECK names."""
    return [column.name for column in table.columns if fold_name(column.name) in check.tokens]
