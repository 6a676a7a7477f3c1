"""Verdicts on somebody's real rows, without the values."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks import Outcome
from pytest_bbmigrate.runner.messages import WRITES_FILES

if TYPE_CHECKING:
    from pytest_bbmigrate.checks import Example, Finding, Verdict
    from pytest_bbmigrate.rows import Cell

HIDDEN = "not shown: it may hold values of the database"
CONSTRAINT = re.compile(
    r"(CHECK constraint failed: .*|(UNIQUE|NOT NULL|FOREIGN KEY) constraint failed(: [\w., ]+)?)$"
)
EXIT_CODE = re.compile(r"SystemExit: \d{1,2}")
NAME = re.compile(r"[\w.]+")


class Shape(str):
    """What kind of value stood there; shown as it is, where a text is shown in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def mask_verdict(verdict: Verdict) -> Verdict:
    """Return ``verdict`` with each value of a row as its kind, and what a migration said left out.

    Names of tables and columns, counts and the migration's own text stay.
    """
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    return replace(verdict, findings=tuple(map(mask_finding, verdict.findings)))


def mask_finding(finding: Finding) -> Finding:
    """Return ``finding`` without values."""
    masked = replace(
        finding,
        examples=tuple(map(mask_example, finding.examples)),
        printed=HIDDEN if finding.printed else "",
    )
    if finding.kind == "invariant broken":
        return replace(masked, expected="the result it had before", observed="another result")
    if finding.kind in {"does not run", "set-up lacks"} and finding.path.suffix == ".py":
        said = mask_message(finding.observed)
        statement = HIDDEN if finding.expected else ""
        # Other advice may repeat what was said.
        cause = finding.cause if finding.cause == WRITES_FILES else ""
        return replace(masked, observed=said, expected=statement, cause=cause)
    return masked


def mask_example(example: Example) -> Example:
    """Return ``example`` with the kinds of its values."""
    return replace(
        example,
        key=mask_cells(example.key),
        before=mask_cells(example.before),
        after=mask_cells(example.after),
    )


def mask_cells(cells: tuple[tuple[str, Cell], ...]) -> tuple[tuple[str, Cell], ...]:
    """Return named cells with the kind of each."""
    return tuple((name, shape_of(cell)) for name, cell in cells)


def shape_of(cell: Cell) -> Cell:
    """Return what kind of value a cell is, and how long; NULL has nothing to hide."""
    if cell is None:
        return None
    if isinstance(cell, str):
        return Shape(f"<text of {len(cell)}>")
    if isinstance(cell, bytes):
        return Shape(f"<blob of {len(cell)}>")
    return Shape("<real>" if isinstance(cell, float) else "<integer>")


def mask_message(message: str) -> str:
    """Return what a Python migration raised without its text, which may quote a value.

    What SQLite says of a constraint names tables and columns alone; an exit code is no value.
    """
    kind, colon, said = message.partition(": ")
    if not colon or EXIT_CODE.fullmatch(message) or CONSTRAINT.match(said or kind):
        return message
    return f"{kind} ({HIDDEN})" if NAME.fullmatch(kind) else f"({HIDDEN})"
