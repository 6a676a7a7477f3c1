"""What to change in a migration, where no reason is known and no line allows it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.explain.unrestored import UNRESTORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.verdict import Finding

IRREVERSIBLE = "irreversible because "
EMPTY_DOWN = "empty down part"  # the cause
UNWRITTEN = "no way back is written"
MOST_NAMED = 3

ONLY_WHERE = "only rows where "
BACK = "down"
REBUILT_BACK = "down must rebuild the table: create it as it was, copy the rows, drop the other one"
ON_ROWS = "down must undo what up did on the rows that are there by then, one by one by their keys"
BY_ORDER = (
    "give nothing out by the order in which rows happen to come: number them by ORDER BY what\n"
    "tells them apart, a key or all columns, or copy the numbers that they have"
)
MADE_AGAIN = "drop it before what it reads changes, and create it again as it must be then"
OF_UP = {
    "table broken": (
        "drop it before the table that it reads changes, create it again on what is there then,\n"
        "and fill it again, a full-text index by its command 'rebuild'"
    ),
    "table never reads": "create what it reads first",
    "view broken": MADE_AGAIN,
    "trigger broken": MADE_AGAIN,
    "depends on the zone": (
        "do the same in every zone: write the offset that is meant, and do not ask the machine"
    ),
}
OF_DOWN = {
    **dict.fromkeys(
        (
            *("check added", "check changed", "check lost"),
            *("unique added", "primary key", "foreign key added", "foreign key changed"),
        ),
        REBUILT_BACK,
    ),
    **dict.fromkeys(
        ("written rows lost", "written values changed", "edits undone", "deleted rows back"),
        ON_ROWS,
    ),
    "table lost": (
        "down must create it again, with its rows (without, where it is declared dropped), or\n"
        "rename it back"
    ),
    "column lost": (
        "down must add it again, with its values (without, where it is declared dropped), or\n"
        "rename it back"
    ),
    "index lost": (
        "down must create it again under the name that it had, or leave it where up did not make it"
    ),
    "index added": "down must drop it",
    "sequence lowered": (
        "down must set it again: UPDATE sqlite_sequence SET seq = .. WHERE name = .., or INSERT\n"
        "that row where the table has none"
    ),
}


def what_to_change(finding: Finding) -> str:
    """Return what to change in the file for ``finding``; '' where something else says it."""
    if finding.cause or finding.allow or finding.prove:
        return ""
    if finding.expected.startswith(ONLY_WHERE):
        return "narrow what the statement does to these rows, or widen the line in the file"
    if finding.step == "up again":
        return BY_ORDER if finding.kind.startswith(("rows ", "values ")) else ""
    if finding.unrestored:
        return UNRESTORED[finding.unrestored].mends
    if finding.step.startswith(BACK):
        return OF_DOWN.get(finding.kind, "")
    return OF_UP.get(finding.kind, "")


def irreversible_line(findings: Sequence[Finding]) -> str:
    """Return what to declare where nothing can restore ``findings``, '' where a way back is there.

    It says what cannot be had back and why. How many rows that was speaks of generated ones alone.
    One line is for all: a contract says ``irreversible`` once.
    """
    lost: dict[str, dict[str, None]] = {}
    for finding in findings:
        because = UNRESTORED[finding.unrestored].because if finding.unrestored else ""
        if because:
            table, columns = finding.table, finding.column.split(", ")
            names = (
                dotted(table, column) if column else bare_or_quoted(table) for column in columns
            )
            lost.setdefault(because, {}).update(dict.fromkeys(names))
    reasons = (because.format(what=listed(tuple(names))) for because, names in lost.items())
    return f"{IRREVERSIBLE}{', and '.join(reasons)}" if lost else ""


def no_way_back_line(findings: Sequence[Finding]) -> str:
    """Return the one line that says of all ``findings`` that there is no way back, '' for none.

    A down part without a statement is a reason as well: that it is meant, its author alone can say.
    """
    line = irreversible_line(findings)
    if not any(finding.cause == EMPTY_DOWN for finding in findings):
        return line
    return f"{line}, and {UNWRITTEN}" if line else f"{IRREVERSIBLE}{UNWRITTEN}"


def listed(names: tuple[str, ...]) -> str:
    """Return ``names`` in words, the first few of many."""
    more = len(names) - MOST_NAMED
    if more > 1:
        return f"{', '.join(names[:MOST_NAMED])} and {more} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
