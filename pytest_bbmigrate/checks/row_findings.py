"""Differences of rows gathered into findings: one for each table and kind, with examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.places import LOSES_ROWS, WRITES_VALUES, place_of
from pytest_bbmigrate.checks.verdict import Example, Finding
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.evidence import TablePassage
    from pytest_bbmigrate.rows import Key, RowDifference

EXAMPLES = 5


def find_in_rows(
    differences: Iterable[RowDifference], passage: TablePassage, part: Part, step: str
) -> tuple[Finding, ...]:
    """Return a finding for lost rows, one for added rows and one for each column that changed."""
    differences = tuple(differences)
    lost = [d for d in differences if isinstance(d, RowLost)]
    added = [d for d in differences if isinstance(d, RowAdded)]
    changed: dict[str, list[ValueChanged]] = {}
    for difference in differences:
        if isinstance(difference, ValueChanged):
            changed.setdefault(difference.column, []).append(difference)
    names = (passage.table, passage.after or "")
    found = []
    for kind, rows, verbs in (
        ("rows lost", lost, LOSES_ROWS),
        ("rows added", added, WRITES_VALUES[1:]),
    ):
        if rows:
            place = place_of(part, names, verbs)
            found.append(
                Finding(
                    kind,
                    step,
                    place.path,
                    place.line,
                    table=passage.table,
                    count=len(rows),
                    total=passage.rows_before,
                    examples=tuple(example_of(row, passage) for row in rows[:EXAMPLES]),
                )
            )
    for column, cells in changed.items():
        place = place_of(part, names, WRITES_VALUES)
        found.append(
            Finding(
                "values changed",
                step,
                place.path,
                place.line,
                table=passage.table,
                column=column,
                count=len(cells),
                total=passage.rows_before,
                examples=tuple(example_of(cell, passage) for cell in cells[:EXAMPLES]),
            )
        )
    return tuple(found)


def example_of(difference: RowDifference, passage: TablePassage) -> Example:
    """Return one difference as an example."""
    key = named_key(difference.key, passage)
    if isinstance(difference, ValueChanged):
        column = difference.column
        return Example(key, ((column, difference.before),), ((column, difference.after),))
    cells = tuple(difference.row.items())
    return (
        Example(key, before=cells) if isinstance(difference, RowLost) else Example(key, (), cells)
    )


def named_key(
    key: Key, passage: TablePassage
) -> tuple[tuple[str, int | float | str | bytes | None], ...]:
    """Return a key with the names of its columns; a rowid where the table has no key."""
    names = passage.key if len(passage.key) == len(key) else ("rowid",) * len(key)
    return tuple(zip(names, key, strict=True))
