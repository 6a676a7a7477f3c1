"""Mask findings, each kind in its way: only what is known to be no value is left in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.alike import AS_DECLARED
from pytest_bbmigrate.explain.advice_by_runner import every_advice
from pytest_bbmigrate.explain.causes import CAUSES, SECOND_TIME
from pytest_bbmigrate.explain.messages import MESSAGES
from pytest_bbmigrate.explain.unrestored import UNRESTORED
from pytest_bbmigrate.private import (
    HIDDEN,
    INTEGER,
    Known,
    kind_of_value,
    safe_python_message,
    safe_sqlite_message,
)
from pytest_bbmigrate.private.message_shapes import INTEGRITY
from pytest_bbmigrate.private.safe_messages import is_known
from pytest_bbmigrate.sandbox.in_process import OUTSIDE
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Example, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Finding, Verdict

NOT_RUN_KINDS = frozenset({"does not run", "set-up lacks"})
NAMED_CAUSES = frozenset(name for name, _ in (*CAUSES, *SECOND_TIME))
ONLY_WHERE = "only rows where "
LINE_SAYS = "a requires line says so"
# Pieces of advice that repeat nothing of the message.
ADVICE = frozenset(advice for _, advice in MESSAGES if "{" not in advice)


def known_names(schemas: Iterable[Schema]) -> Known:
    """Return as known the names of everything in ``schemas``."""
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
    """Return ``verdict`` with the kind for each value of a row, and messages as far as known.

    Names of the schema, counts, locations and the migration's own text stay.
    """
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    findings = tuple(mask_finding(finding, known) for finding in verdict.findings)
    return replace(verdict, findings=findings)


def mask_finding(finding: Finding, known: Known) -> Finding:
    """Return ``finding`` without values: of its texts, only what is known for its kind is left."""
    masked = replace(
        mask_examples(finding),
        table=known_or_masked(finding.table, known),
        column=known_or_masked(finding.column, known),
        name=known_or_masked(finding.name, known),
        found_by=known_or_masked(finding.found_by, known),
        expected=finding.expected
        if finding.expected == AS_DECLARED
        else known.masked_sql(finding.expected),
        observed=known.masked_sql(finding.observed),
        cause=finding.cause if finding.cause in NAMED_CAUSES else "",
        allow=finding.allow if known.contains_line(finding.allow) else "",
        prove=finding.prove if known.contains_line(finding.prove) else "",
        printed=HIDDEN if finding.printed else "",
        unrestored=finding.unrestored if finding.unrestored in UNRESTORED else "",
    )
    mask = MASKS.get(finding.kind)
    return mask(finding, masked, known) if mask else masked


def mask_failure(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return why a part did not run: the message, its statement and the advice, as far as known."""
    message = safe_part_message(finding.path, finding.observed, finding.error, known)
    is_named = finding.kind != "set-up lacks" or is_known_lack(finding.name, known)
    cause = advice_of(finding.cause, is_shown=message == finding.observed)
    speaks_of_line = cause.endswith(LINE_SAYS) and finding.allow and not masked.allow
    return replace(
        masked,
        kind=finding.kind if is_named else "does not run",
        name=finding.name if is_named else "",
        observed=message,
        expected=statement_of(finding.expected, known),
        cause=f"{cause} ({HIDDEN})" if speaks_of_line else cause,
    )


def safe_part_message(path: Path, message: str, error: str, known: Known) -> str:
    """Return the ``message`` with which the part in ``path`` failed, as far as known."""
    if path.suffix == ".py":
        return safe_python_message(message, known)
    return safe_sqlite_message(message, known, error)


def statement_of(statement: str, known: Known) -> str:
    """Return the SQL at fault if it stands in a file; else it was put together, and is hidden."""
    return statement if not statement or known.contains_statement(statement) else HIDDEN


def is_known_lack(missing: str, known: Known) -> bool:
    """Return whether what the set-up lacks ('function f', 'SQLite 3.45') is known."""
    kind, _, name = missing.rpartition(" ")
    return kind == "SQLite" or known.contains(name)


def advice_of(cause: str, *, is_shown: bool) -> str:
    """Return the advice on a message; if that is not shown in full, without what repeats it."""
    if is_shown or cause in NAMED_CAUSES:
        return cause
    advice, outside, _ = f"\n{cause}".rpartition(f"\n{OUTSIDE}")
    note = f"\n{cause}".removeprefix(advice).strip() if outside else ""
    told = (advice if outside else cause).strip()
    return cause if told in ADVICE | every_advice() else note


def mask_damage(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return what SQLite finds damaged, in which table or index."""
    message = finding.observed
    is_safe = is_known(message, known, INTEGRITY) or is_known(message, known)
    return replace(masked, observed=message if is_safe else f"({HIDDEN})")


def mask_broken(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return why a view or a trigger does not compile any more."""
    return replace(masked, observed=safe_sqlite_message(finding.observed, known))


def mask_invariant(finding: Finding, masked: Finding, known: Known) -> Finding:  # noqa: ARG001 - as all
    """Return that the result of an invariant, which is made of values, has changed."""
    return replace(masked, expected="the result it had before", observed="another result")


def mask_sequence(finding: Finding, masked: Finding, known: Known) -> Finding:  # noqa: ARG001 - as all
    """Return that ids are given out again, but not which."""
    return replace(masked, expected=INTEGER, observed=INTEGER)


def mask_mismatch(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return what a parent lacks: in words of ours, and the names of its columns."""
    return replace(
        masked, expected=known_or_masked(finding.expected, known), observed=finding.observed
    )


def mask_derivation(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return why a derived value cannot be computed or judged: the message, as far as known."""
    return replace(masked, observed=safe_sqlite_message(finding.observed, known))


def mask_zone(finding: Finding, masked: Finding, known: Known) -> Finding:  # noqa: ARG001 - as all
    """Return how many statements ran in which zone: that tells nothing of rows."""
    return replace(masked, name=finding.name, expected=finding.expected, observed=finding.observed)


def mask_condition(finding: Finding, masked: Finding, known: Known) -> Finding:
    """Return the condition of a declaration if it stands in a file."""
    before, separator, condition = finding.expected.partition(ONLY_WHERE)
    if not finding.expected or (separator and not before and known.contains(condition)):
        return replace(masked, expected=finding.expected)
    return masked


def known_or_masked(name: str, known: Known) -> str:
    """Return a name, or names with commas, if known; else '<name>'."""
    return name if not name or known.contains_names(name) else "<name>"


def mask_verdict_examples(verdict: Verdict) -> Verdict:
    """Return ``verdict``, which another process has masked, with every value in its rows masked."""
    return replace(verdict, findings=tuple(map(mask_examples, verdict.findings)))


def mask_examples(finding: Finding) -> Finding:
    """Return ``finding`` with the kind for each value of its rows."""
    return replace(finding, examples=tuple(map(mask_example, finding.examples)))


def mask_unnamed(finding: Finding) -> Finding:
    """Return ``finding``, on two snapshots, without values; nothing is known of what it names."""
    masked = mask_examples(finding)
    if finding.kind == "derivation fails":
        return mask_derivation(finding, masked, Known())
    return mask_sequence(finding, masked, Known()) if finding.kind == "sequence lowered" else masked


def mask_example(example: Example) -> Example:
    """Return ``example`` with the kind for each of its values."""
    return replace(
        example,
        key=mask_cells(example.key),
        before=mask_cells(example.before),
        after=mask_cells(example.after),
    )


def mask_cells(cells: tuple[tuple[str, Cell], ...]) -> tuple[tuple[str, Cell], ...]:
    """Return named cells with the kind for each value."""
    return tuple((name, kind_of_value(cell)) for name, cell in cells)


MASKS: dict[str, Callable[[Finding, Finding, Known], Finding]] = {
    "depends on the zone": mask_zone,
    "does not run": mask_failure,
    "set-up lacks": mask_failure,
    "integrity": mask_damage,
    "view broken": mask_broken,
    "table broken": mask_broken,
    "table never reads": mask_broken,
    "trigger broken": mask_broken,
    "view never compiles": mask_broken,
    "trigger never compiles": mask_broken,
    "invariant broken": mask_invariant,
    "sequence lowered": mask_sequence,
    "mismatched reference": mask_mismatch,
    "derivation fails": mask_derivation,
    "values changed": mask_condition,
    "rows lost": mask_condition,
}
