"""Put the questions to the evidence on a migration, and conclude what each answer amounts to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.alike import gather_alike
from pytest_bbmigrate.checks.catalogue_reads import ask_catalogue_reads
from pytest_bbmigrate.checks.data_survives import ask_data_survives
from pytest_bbmigrate.checks.down_restores import ask_down_restores
from pytest_bbmigrate.checks.foreign_keys_hold import ask_foreign_keys_hold
from pytest_bbmigrate.checks.narrowed import NONE_LEFT, rows_looked_at
from pytest_bbmigrate.checks.schema_survives import ask_schema_survives
from pytest_bbmigrate.checks.unproved import ask_for_rows, ask_for_sight
from pytest_bbmigrate.checks.up_applies import ask_up_applies
from pytest_bbmigrate.checks.up_repeats import ask_up_repeats
from pytest_bbmigrate.explain.causes import with_cause
from pytest_bbmigrate.explain.way_back import with_way_back
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, DOWN_CHECKS, Answer, Outcome, Verdict

if TYPE_CHECKING:
    from pytest_bbmigrate.chain import Chain
    from pytest_bbmigrate.experiment import Evidence

QUESTIONS = {
    "up_applies": ask_up_applies,
    "data_survives": ask_data_survives,
    "schema_survives": ask_schema_survives,
    "foreign_keys_hold": ask_foreign_keys_hold,
    "down_restores": ask_down_restores,
    "up_repeats": ask_up_repeats,
}
NEEDS_ROWS = frozenset({"data_survives", "foreign_keys_hold", *DOWN_CHECKS})

__all__ = [
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
    looked_at = rows_looked_at(evidence)
    if asks_for_rows and not answer.findings and not answer.reason:
        answer = ask_for_any(check, answer, evidence, strict=strict)
    explained = tuple(with_cause(finding, evidence) for finding in answer.findings)
    explained = tuple(with_way_back(finding, evidence, explained) for finding in explained)
    if looked_at and not explained and not answer.reason:
        note = f"judged on {looked_at}"
        answer = replace(answer, notes=(*answer.notes, note))
    verdict = conclude(check, name, replace(answer, findings=gather_alike(explained)))
    return replace(verdict, narrowed=looked_at)


def ask_for_any(check: str, answer: Answer, evidence: Evidence, *, strict: bool) -> Answer:
    """Return ``answer``, unless there were no rows, or none of a kind, that could prove it."""
    if evidence.narrowed is not None and evidence.narrowed.is_empty:
        return replace(answer, reason=NONE_LEFT)
    answer = ask_for_rows(answer, evidence, strict=strict)
    if check == "data_survives" and not answer.findings and not answer.reason:
        answer = ask_for_sight(answer, evidence, strict=strict)
    return answer


def judge_catalogue(chain: Chain, before: int = 0) -> Verdict:
    """Return whether every contract of the catalogue names what exists (it reads, being here).

    Those of the migrations ``before`` a position are known to.
    """
    answer = ask_catalogue_reads(chain, before)
    return conclude(CATALOGUE_CHECK, chain.catalogue.folder.name, answer)


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
        answer.unneeded,
    )
