"""Verdicts of checks where some rows are the user's own, and the others are generated."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.masking.findings import (
    NOT_RUN,
    mask_example,
    mask_finding,
    mask_sequence,
)
from pytest_bbmigrate.private import HIDDEN, said_by_sqlite, shape_of
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.checks import Example, Finding, Verdict
    from pytest_bbmigrate.experiment.own_rows import RowOwner
    from pytest_bbmigrate.private import Known
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Cells

SAID_OF_CONDITIONS = frozenset({"condition fails", "invariant never runs"})
MADE_OF_VALUES = frozenset({"invariant broken"})
REFUSED = re.compile(r"(?P<before>.*\brefused: )(?P<said>.*)", re.DOTALL)
STATEMENT = re.compile(r"`(?P<sql>.*)`", re.DOTALL)


def mask_own_rows(
    verdict: Verdict, own: RowOwner, schemas: Iterable[Schema], known: Known
) -> Verdict:
    """Return ``verdict`` without what may be from the user's own rows; the others stay as found.

    What SQLite, Python and the migration said is told as far as it is ``known``, for it may be of
    any row.
    """
    columns = referring(own, schemas)
    return replace(
        verdict,
        findings=tuple(mask_one(each, own, columns, known) for each in verdict.findings),
        reason=mask_reason(verdict.reason, known),
        notes=tuple(mask_reason(note, known) for note in verdict.notes),
    )


def referring(own: RowOwner, schemas: Iterable[Schema]) -> frozenset[tuple[str, str]]:
    """Return the (table, column), folded, in which generated rows have keys of own ones."""
    return frozenset(
        (fold_name(table.name), fold_name(column))
        for schema in schemas
        for table in schema.tables
        for key in table.foreign_keys
        if fold_name(key.parent) in own.tables
        for column in key.columns
    )


def mask_one(
    finding: Finding, own: RowOwner, columns: frozenset[tuple[str, str]], known: Known
) -> Finding:
    """Return ``finding`` without what may be from own rows."""
    if finding.kind in NOT_RUN | MADE_OF_VALUES:
        return mask_finding(finding, known)
    if finding.kind == "no rows":
        return replace(finding, observed=mask_reason(finding.observed, known))
    if finding.kind in SAID_OF_CONDITIONS:
        return replace(finding, observed=said_by_sqlite(finding.observed, known))
    table = fold_name(finding.table)
    if table in own.tables or (finding.examples and not table):
        masked = replace(finding, examples=tuple(map(mask_example, finding.examples)))
        is_of_ids = finding.kind == "sequence lowered"
        return mask_sequence(finding, masked, known) if is_of_ids else masked
    told = tuple(mask_some(each, table, own, columns) for each in finding.examples)
    return replace(finding, examples=told)


def mask_some(
    example: Example, table: str, own: RowOwner, columns: frozenset[tuple[str, str]]
) -> Example:
    """Return a generated row without the keys of own rows, and whatever repeats an own value."""

    def is_own(name: str, cell: Cell) -> bool:
        return (table, fold_name(name)) in columns or own.holds(cell)

    def told(cells: Cells) -> Cells:
        return tuple((name, shape_of(cell) if is_own(name, cell) else cell) for name, cell in cells)

    return replace(
        example, key=told(example.key), before=told(example.before), after=told(example.after)
    )


def mask_reason(reason: str, known: Known) -> str:
    """Return why a check was skipped, or a note, without what was put together from rows."""
    if said := REFUSED.fullmatch(reason):
        return said["before"] + said_by_sqlite(said["said"], known)
    sql = STATEMENT.search(reason)
    if sql is None or known.holds_sql(sql["sql"]) or known.holds_statement(sql["sql"]):
        return reason
    return STATEMENT.sub(f"a statement ({HIDDEN})", reason)
