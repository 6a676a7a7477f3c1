"""Mask verdicts where some rows are the user's own and the others generated."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.masking.findings import (
    NOT_RUN_KINDS,
    mask_example,
    mask_finding,
    mask_sequence,
)
from pytest_bbmigrate.private import HIDDEN, kind_of_value, safe_sqlite_message
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.experiment.own_rows import RowOwner
    from pytest_bbmigrate.private import Known
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Cells, Example, Finding, Verdict

KINDS_ABOUT_CONDITIONS = frozenset({"condition fails", "invariant never runs"})
DERIVED_KINDS = frozenset({"values not derived", "rows not derived", "derivation fails"})
KINDS_MADE_OF_VALUES = frozenset({"invariant broken"})
REFUSED = re.compile(r"(?P<before>.*\brefused: )(?P<message>.*)", re.DOTALL)
STATEMENT = re.compile(r"`(?P<sql>.*)`", re.DOTALL)


def mask_own_rows(
    verdict: Verdict, own: RowOwner, schemas: Iterable[Schema], known: Known
) -> Verdict:
    """Return ``verdict`` without what may be from the user's own rows; generated ones stay.

    Of the messages of SQLite, Python and the migration, which may be on any row, only what is
    ``known`` stays.
    """
    columns = columns_referring_to(own, schemas)
    return replace(
        verdict,
        findings=tuple(mask_own_finding(each, own, columns, known) for each in verdict.findings),
        reason=mask_reason(verdict.reason, known),
        notes=tuple(mask_reason(note, known) for note in verdict.notes),
    )


def columns_referring_to(own: RowOwner, schemas: Iterable[Schema]) -> frozenset[tuple[str, str]]:
    """Return the (table, column), folded, in which generated rows hold keys of own rows."""
    return frozenset(
        (fold_name(table.name), fold_name(column))
        for schema in schemas
        for table in schema.tables
        for key in table.foreign_keys
        if fold_name(key.parent) in own.tables
        for column in key.columns
    )


def mask_own_finding(
    finding: Finding, own: RowOwner, columns: frozenset[tuple[str, str]], known: Known
) -> Finding:
    """Return ``finding`` without values of own rows."""
    if finding.kind in NOT_RUN_KINDS | KINDS_MADE_OF_VALUES:
        return mask_finding(finding, known)
    if finding.kind == "no rows":
        return replace(finding, observed=mask_reason(finding.observed, known))
    if finding.kind == "derivation fails":
        observed = safe_sqlite_message(finding.observed, known)
        finding = replace(finding, observed=observed)
    if finding.kind in KINDS_ABOUT_CONDITIONS:
        return replace(finding, observed=safe_sqlite_message(finding.observed, known))
    table = fold_name(finding.table)
    # What is derived of own rows is as much theirs, in whatever table it stands.
    is_of_own = finding.kind in DERIVED_KINDS and fold_name(finding.name) in own.tables
    if table in own.tables or is_of_own or (finding.examples and not table):
        masked = replace(finding, examples=tuple(map(mask_example, finding.examples)))
        is_of_ids = finding.kind == "sequence lowered"
        return mask_sequence(finding, masked, known) if is_of_ids else masked
    examples = tuple(mask_own_values(each, table, own, columns) for each in finding.examples)
    return replace(finding, examples=examples)


def mask_own_values(
    example: Example, table: str, own: RowOwner, columns: frozenset[tuple[str, str]]
) -> Example:
    """Return a generated row without keys of own rows and other values that own rows have."""

    def is_own(name: str, cell: Cell) -> bool:
        return (table, fold_name(name)) in columns or own.holds(cell)

    def masked(cells: Cells) -> Cells:
        return tuple(
            (name, kind_of_value(cell) if is_own(name, cell) else cell) for name, cell in cells
        )

    return replace(
        example,
        key=masked(example.key),
        before=masked(example.before),
        after=masked(example.after),
    )


def mask_reason(reason: str, known: Known) -> str:
    """Return the reason of a skip, or a note, without what may hold values of rows."""
    if refused := REFUSED.fullmatch(reason):
        return refused["before"] + safe_sqlite_message(refused["message"], known)
    sql = STATEMENT.search(reason)
    if sql is None or known.contains_sql(sql["sql"]) or known.contains_statement(sql["sql"]):
        return reason
    return STATEMENT.sub(f"a statement ({HIDDEN})", reason)
