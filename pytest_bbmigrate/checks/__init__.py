"""Named questions put to the evidence on a migration; each answers with a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.checks.catalogue_reads import ask_catalogue_reads
from pytest_bbmigrate.checks.data_survives import ask_data_survives, find_lost_data
from pytest_bbmigrate.checks.down_restores import ask_down_restores
from pytest_bbmigrate.checks.foreign_keys_hold import ask_foreign_keys_hold
from pytest_bbmigrate.checks.schema_survives import ask_schema_survives
from pytest_bbmigrate.checks.untested_statements import idle_statements
from pytest_bbmigrate.checks.up_applies import ask_up_applies
from pytest_bbmigrate.checks.up_repeats import ask_up_repeats
from pytest_bbmigrate.explain.causes import with_cause
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Answer, Example, Finding, Outcome, Verdict

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import Chain, Evidence
    from pytest_bbmigrate.seeding import Unfilled

QUESTIONS = {
    "up_applies": ask_up_applies,
    "data_survives": ask_data_survives,
    "schema_survives": ask_schema_survives,
    "foreign_keys_hold": ask_foreign_keys_hold,
    "down_restores": ask_down_restores,
    "up_repeats": ask_up_repeats,
}
CHECKS = tuple(QUESTIONS)
CATALOGUE_CHECK = "catalogue_reads"
NEEDS_ROWS = frozenset({"data_survives", "foreign_keys_hold", "down_restores", "up_repeats"})

__all__ = [
    "CATALOGUE_CHECK",
    "CHECKS",
    "Example",
    "Finding",
    "Outcome",
    "Verdict",
    "find_lost_data",
    "judge",
    "judge_catalogue",
]


def judge(check: str, evidence: Evidence, *, strict: bool = False) -> Verdict:
    """Return what ``check`` (one of CHECKS) says of ``evidence``.

    With ``strict``, a check that needed rows which could not be made fails instead of skipping.
    """
    answer = QUESTIONS[check](evidence)
    name = evidence.migration.name
    asks_for_rows = check in NEEDS_ROWS and not evidence.on_real_rows
    if asks_for_rows and not answer.findings and not answer.reason:
        answer = ask_for_rows(answer, evidence, strict=strict)
        if check == "data_survives" and not answer.findings and not answer.reason:
            answer = ask_for_effect(answer, evidence, strict=strict)
    explained = tuple(with_cause(finding, evidence) for finding in answer.findings)
    return conclude(check, name, replace(answer, findings=explained))


def judge_catalogue(chain: Chain) -> Verdict:
    """Return whether every contract of the catalogue names what exists (it reads, being here)."""
    return conclude(CATALOGUE_CHECK, chain.catalogue.folder.name, ask_catalogue_reads(chain))


def conclude(check: str, subject: str, answer: Answer) -> Verdict:
    """Return the verdict that an answer amounts to."""
    outcome = Outcome.PASSED
    if answer.findings:
        outcome = Outcome.FAILED
    elif answer.reason:
        outcome = Outcome.SKIPPED
    return Verdict(
        check,
        subject,
        outcome,
        answer.findings,
        answer.reason,
        answer.notes,
        answer.rows,
        answer.values,
    )


def ask_for_rows(answer: Answer, evidence: Evidence, *, strict: bool) -> Answer:
    """Return ``answer``, unless the migration works on a table that has no rows to lose."""
    words = {word for sql in evidence.up.executed for word in folded(sql)}
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


def ask_for_effect(answer: Answer, evidence: Evidence, *, strict: bool) -> Answer:
    """Return ``answer``, unless up says what may concern rows and concerned no generated one."""
    idle = tuple(idle_statements(evidence))
    if not idle:
        return answer
    if strict:
        path = evidence.migration.up.path
        return Answer(
            tuple(
                Finding("no rows", "up", path, table=table, observed=f"none {how} `{sql}`")
                for table, how, sql in idle
            )
        )
    return Answer(
        reason=f"no generated row in {idle[0].table} {idle[0].how} `{idle[0].sql}`, "
        "and the contract does not declare what it does"
    )


def is_concerned(unfilled: Unfilled, words: set[str]) -> bool:
    """Return whether a migration that names ``words`` works on what is not filled."""
    return fold_name(unfilled.table) in words and (
        not unfilled.column or fold_name(unfilled.column) in words
    )
