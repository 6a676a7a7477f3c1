"""Findings, each kind of them without what is not known to be no value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks import Outcome
from pytest_bbmigrate.explain.causes import CAUSES, SECOND_TIME
from pytest_bbmigrate.explain.messages import MESSAGES
from pytest_bbmigrate.private import (
    HIDDEN,
    INTEGER,
    Known,
    said_by_python,
    said_by_sqlite,
    shape_of,
)
from pytest_bbmigrate.private.said import is_known
from pytest_bbmigrate.private.shapes import INTEGRITY
from pytest_bbmigrate.sandbox.in_process import NOTHING_KEPT
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pytest_bbmigrate.checks import Example, Finding, Verdict
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell

NOT_RUN = frozenset({"does not run", "set-up lacks"})
NAMED_CAUSES = frozenset(name for name, _ in (*CAUSES, *SECOND_TIME))
ONLY_WHERE = "only rows where "
# Advice into which nothing of the message is put.
ADVICE = frozenset(advice for _, advice in MESSAGES if "{" not in advice)


def names_in(schemas: Iterable[Schema]) -> Known:
    """Return the names of everything in ``schemas`` as known."""
    names: set[str] = set()
    for schema in schemas:
        names.update(view.name for view in schema.views)
        names.update(trigger.name for trigger in schema.triggers)
        for table in schema.tables:
            names.add(table.name)
            names.update(column.name for column in table.columns)
            names.update(index.name for index in table.indexes if index.name)
    return Known(frozenset(fold_name(name) for name in names))


def mask_verdict(verdict: Verdict, known: Known) -> Verdict:
    """Return ``verdict`` with each value of a row as its kind, and what was said as far as known.

    Names of the schema, counts, places and the migration's own text stay.
    """
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    findings = tuple(mask_finding(finding, known) for finding in verdict.findings)
    return replace(verdict, findings=findings)


def mask_finding(finding: Finding, known: Known) -> Finding:
    """Return ``finding`` without values: its texts go but for what is known of its kind."""
    masked = replace(
        mask_examples(finding),
        table=named(finding.table, known),
        column=named(finding.column, known),
        name=named(finding.name, known),
        expected=known.masked_sql(finding.expected),
        observed=known.masked_sql(finding.observed),
        cause=finding.cause if finding.cause in NAMED_CAUSES else "",
        allow=finding.allow if known.holds_sql(finding.allow) else "",
        printed=HIDDEN if finding.printed else "",
    )
    mask = MASKS.get(finding.kind)
    return mask(finding, masked, known) if mask else masked


def mask_failure(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return why a part did not run: SQLite's words and Python's class, as far as known."""
    said = said_of(finding.path, finding.observed, finding.error, known)
    is_named = finding.kind != "set-up lacks" or lacks_known(finding.name, known)
    return replace(
        masked,
        kind=finding.kind if is_named else "does not run",
        name=finding.name if is_named else "",
        observed=said,
        expected=statement_of(finding.expected, known),
        cause=advice_of(finding.cause, is_told=said == finding.observed),
    )


def said_of(path: Path, message: str, error: str, known: Known) -> str:
    """Return the ``message`` that a part in the file ``path`` failed with, as far as known."""
    if path.suffix == ".py":
        return said_by_python(message, known)
    return said_by_sqlite(message, known, error)


def statement_of(statement: str, known: Known) -> str:
    """Return the SQL at fault where it stands in a file; what was put together may hold values."""
    return statement if not statement or known.holds_statement(statement) else HIDDEN


def lacks_known(missing: str, known: Known) -> bool:
    """Return whether what the set-up lacks is named in a file: a function, a module, a version."""
    kind, _, name = missing.rpartition(" ")
    return kind == "SQLite" or known.holds(name)


def advice_of(cause: str, *, is_told: bool) -> str:
    """Return the advice on a message that is not told in full, but for what repeats it."""
    if is_told or cause in NAMED_CAUSES:
        return cause
    advice, *_ = cause.partition(f"\n{NOTHING_KEPT}")
    if advice in ADVICE:
        return cause
    return NOTHING_KEPT if NOTHING_KEPT in cause else ""


def mask_damage(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return what SQLite finds damaged, in which table or index."""
    said = finding.observed
    told = is_known(said, known, INTEGRITY) or is_known(said, known)
    return replace(masked, observed=said if told else f"({HIDDEN})")


def mask_broken(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return why a view or a trigger does not compile any more."""
    return replace(masked, observed=said_by_sqlite(finding.observed, known))


def mask_invariant(finding: Finding, masked: Finding, known: Known) -> Finding:  # noqa: ARG001 - as all
    """Return that a result, which is made of values, is another one."""
    return replace(masked, expected="the result it had before", observed="another result")


def mask_sequence(finding: Finding, masked: Finding, known: Known) -> Finding:  # noqa: ARG001 - as all
    """Return that ids are given out again, and not which."""
    return replace(masked, expected=INTEGER, observed=INTEGER)


def mask_mismatch(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return what of a parent is missing: a word of ours, and the names of its columns."""
    return replace(masked, expected=named(finding.expected, known), observed=finding.observed)


def mask_condition(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return which rows a declaration is about, where that stands in a file."""
    first, told, condition = finding.expected.partition(ONLY_WHERE)
    if not finding.expected or (told and not first and known.holds(condition)):
        return replace(masked, expected=finding.expected)
    return masked


def named(name: str, known: Known) -> str:
    """Return a name, or names with commas, of the schema."""
    return name if not name or known.holds_names(name) else "<name>"


def mask_examples_of(verdict: Verdict) -> Verdict:
    """Return ``verdict``, masked by another process, with no value that this has left in a row."""
    return replace(verdict, findings=tuple(map(mask_examples, verdict.findings)))


def mask_examples(finding: Finding) -> Finding:
    """Return ``finding`` with the kinds of the values of its rows."""
    return replace(finding, examples=tuple(map(mask_example, finding.examples)))


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


MASKS: dict[str, Callable[[Finding, Finding, Known], Finding]] = {
    "does not run": mask_failure,
    "set-up lacks": mask_failure,
    "integrity": mask_damage,
    "view broken": mask_broken,
    "trigger broken": mask_broken,
    "invariant broken": mask_invariant,
    "sequence lowered": mask_sequence,
    "mismatched reference": mask_mismatch,
    "values changed": mask_condition,
    "rows lost": mask_condition,
}
