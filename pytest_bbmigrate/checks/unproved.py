"""What keeps a check from being proved by the rows there were: none, or none that showed it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.checks.untested_statements import idle_statements
from pytest_bbmigrate.checks.unused import CANNOT_BE_ASKED, unproved_declarations, why_unused
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.checks.untested_statements import UntestedStatement
    from pytest_bbmigrate.checks.unused import Unused
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.seeding.model import Unfilled

GIVE_SOME = "rows of your own (bb_rows_from) can show it"
NOT_IN_QUERY = ("not", "in", "(", "select")


def ask_for_rows(answer: Answer, evidence: Evidence, *, strict: bool) -> Answer:
    """Return ``answer``, unless the migration works on a table that has no rows to lose."""
    words = {word for sql in evidence.up.shapes for word in folded(sql)}
    unknown = isinstance(evidence.migration.up, ScriptPart)  # its SQL runs in another process
    missing = [u for u in evidence.state.unfilled if unknown or is_concerned(u, words)]
    if not missing:
        return answer
    if strict:
        return Answer(
            tuple(
                Finding(
                    "no rows",
                    "up",
                    evidence.migration.up.path,
                    table=unfilled.table,
                    column=unfilled.column,
                    observed=unfilled.reason,
                )
                for unfilled in missing
            )
        )
    first = missing[0]
    subject = f"{first.table}.{first.column}" if first.column else first.table
    return Answer(reason=f"no generated rows in {subject}: {first.reason}")


def ask_for_sight(answer: Answer, evidence: Evidence, *, strict: bool) -> Answer:
    """Return ``answer``, unless up or the contract speaks of rows and no generated one showed it.

    A statement that is not declared is told first, then a declaration, then another statement.
    """
    idle = tuple(idle_statements(evidence))
    undeclared = tuple(each for each in idle if not each.is_declared)
    unused = tuple(unproved_declarations(evidence))
    if undeclared:
        return told_of_statements(answer, undeclared, evidence, strict=strict)
    if unused:
        why = next(filter(None, map(why_not_met, idle)), "")
        return told_of_declarations(answer, unused, evidence, why, strict=strict)
    if idle:
        return told_of_statements(answer, idle, evidence, strict=strict)
    return answer


def told_of_statements(
    answer: Answer, idle: Sequence[UntestedStatement], evidence: Evidence, *, strict: bool
) -> Answer:
    """Return ``answer`` as a skip because of ``idle`` statements; a failure with ``strict``."""
    if strict:
        path = evidence.migration.up.path
        return Answer(
            tuple(
                Finding(
                    "no rows",
                    "up",
                    path,
                    table=each.table,
                    observed=f"none {each.how} `{each.sql}`{why_not_met(each)}",
                )
                for each in idle
            )
        )
    first = idle[0]
    rest = f"; all else held, and {GIVE_SOME}"
    if not first.is_declared:
        rest = ", and the contract does not declare what it does"
    said = f"no generated row in {first.table} {first.how} `{first.sql}`{why_not_met(first)}"
    return replace(answer, reason=f"{said}{rest}")


def why_not_met(statement: UntestedStatement) -> str:
    """Return what kept every row from meeting a condition, '' where that is not known."""
    words = folded(statement.sql)
    asks = any(words[at : at + len(NOT_IN_QUERY)] == NOT_IN_QUERY for at in range(len(words)))
    return f" ({' '.join(REASONS['not in null'].split())})" if asks else ""


def told_of_declarations(
    answer: Answer, unused: Sequence[Unused], evidence: Evidence, hint: str, *, strict: bool
) -> Answer:
    """Return ``answer`` as a skip because of ``unused`` declarations; a failure with ``strict``.

    ``hint`` is what may have kept the rows from being met, '' for nothing known.
    """
    if strict:
        path = evidence.migration.path
        return Answer(
            tuple(
                Finding(
                    "no rows",
                    "contract",
                    each.path or path,
                    each.line,
                    table=each.table,
                    column=each.column,
                    observed=f"none used `{each.text}`: {why_unused(each, evidence)}{hint}"
                    f"{'; ' * bool(given := rows_that_can_show(each, evidence))}{given}",
                )
                for each in unused
            )
        )
    first = unused[0]
    more = f" (and {len(unused) - 1} more)" if unused[1:] else ""
    why = f"{why_unused(first, evidence)}{hint}"
    given = rows_that_can_show(first, evidence)
    return replace(
        answer,
        reason=f"no generated row used `{first.text}`{more}: {why}; all else held"
        f"{', and ' * bool(given)}{given}",
    )


def rows_that_can_show(unused: Unused, evidence: Evidence) -> str:
    """Return how to have rows that show what is declared, '' where no row at all could."""
    is_lost = unused.is_unusable or why_unused(unused, evidence) == CANNOT_BE_ASKED
    return "" if is_lost else GIVE_SOME


def is_concerned(unfilled: Unfilled, words: set[str]) -> bool:
    """Return whether a migration that names ``words`` works on what is not filled."""
    return fold_name(unfilled.table) in words and (
        not unfilled.column or fold_name(unfilled.column) in words
    )
