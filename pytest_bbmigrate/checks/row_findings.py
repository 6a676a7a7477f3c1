"""Differences of rows gathered into findings: one for each table and kind, with examples."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.locate import LOSES_ROWS, WRITES_VALUES, locate, locate_new_rows
from pytest_bbmigrate.rows import Differences, RowAdded, RowLost, ValueChanged, differences_of
from pytest_bbmigrate.verdict import Cells, Example, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.experiment import TableDiff
    from pytest_bbmigrate.experiment.model import Renumbered
    from pytest_bbmigrate.rows import DifferenceGroup, Key, RowDifference
    from pytest_bbmigrate.rows.differences import Kind

EXAMPLES = 5
VERBS = {RowLost: LOSES_ROWS, RowAdded: WRITES_VALUES[1:], ValueChanged: WRITES_VALUES}
KINDS = {RowLost: "rows lost", RowAdded: "rows added", ValueChanged: "values changed"}


def find_in_rows(
    differences: Iterable[RowDifference],
    diff: TableDiff,
    part: Part,
    step: str,
    *,
    lost: Differences | None = None,
) -> tuple[Finding, ...]:
    """Return a finding for lost rows, one for added rows and one for each column that changed.

    Where the same rows stand under other keys, that is the one finding, and another that some are
    lost beside that: ``lost``, unless all of them are to be told.
    """
    if not isinstance(differences, Differences):
        differences = differences_of(differences)
    if diff.renumbered is not None and differences:
        found = renumbered_finding(differences, diff.renumbered, diff, part, step)
        beside = diff.renumbered.lost if lost is None else lost
        by_values = replace(diff, renumbered=None, key=())
        told = find_in_rows(beside, by_values, part, step) if beside else ()
        return (as_declared(found, diff), *told)
    groups: dict[tuple[Kind, str], list[DifferenceGroup]] = {}
    for alike in differences.groups:
        groups.setdefault((alike.kind, alike.column), []).append(alike)
    ordered = sorted(groups.items(), key=lambda group: list(KINDS).index(group[0][0]))
    names = (diff.table, diff.after or "")
    findings = []
    for (kind, column), group in ordered:
        place = locate(part, names, VERBS[kind], column)
        if kind is RowAdded:
            place = locate_new_rows(part, *names) or place
        findings.append(
            Finding(
                KINDS[kind],
                step,
                place.path,
                place.line,
                table=diff.table,
                column=column,
                count=sum(alike.count for alike in group),
                total=diff.rows_before,
                examples=tuple(example_of(found, diff) for found in first_of(group)),
            )
        )
    return tuple(as_declared(finding, diff) for finding in findings)


def as_declared(finding: Finding, diff: TableDiff) -> Finding:
    """Return ``finding`` with its columns as they are declared, not folded."""
    spelled = diff.spelled

    def cells(named: Cells) -> Cells:
        return tuple((spelled.get(name, name), cell) for name, cell in named)

    return replace(
        finding,
        column=spelled.get(finding.column, finding.column),
        examples=tuple(
            Example(cells(example.key), cells(example.before), cells(example.after))
            for example in finding.examples
        ),
    )


def first_of(group: Iterable[DifferenceGroup]) -> list[RowDifference]:
    """Return the first few differences of a group, in their order."""
    placed = sorted((pair for alike in group for pair in alike.examples), key=itemgetter(0))
    return [difference for _, difference in placed[:EXAMPLES]]


def renumbered_finding(
    differences: Differences,
    renumbered: Renumbered,
    diff: TableDiff,
    part: Part,
    step: str,
) -> Finding:
    """Return the finding that rows have another key, and differ in nothing else."""
    place = locate(part, (diff.table, diff.after or ""), WRITES_VALUES)
    column = renumbered.column
    return Finding(
        "rows renumbered",
        step,
        place.path,
        place.line,
        table=diff.table,
        column=column,
        count=len({d.key for d in differences if not isinstance(d, RowAdded)}),
        total=diff.rows_before,
        examples=tuple(
            Example((), ((column, was),), ((column, now),)) for was, now in renumbered.values
        ),
    )


def example_of(difference: RowDifference, diff: TableDiff) -> Example:
    """Return one difference as an example."""
    key = named_key(difference.key, diff)
    if isinstance(difference, ValueChanged):
        column = difference.column
        return Example(key, ((column, difference.before),), ((column, difference.after),))
    cells = tuple(difference.row.items())
    return (
        Example(key, before=cells) if isinstance(difference, RowLost) else Example(key, (), cells)
    )


def named_key(
    key: Key, diff: TableDiff
) -> tuple[tuple[str, int | float | str | bytes | None], ...]:
    """Return a key with the names of its columns; a rowid where the table has no key."""
    names = diff.key if len(diff.key) == len(key) else ("rowid",) * len(key)
    return tuple(zip(names, key, strict=True))
