"""Compare the verdicts that a rehearsal reports with what was ordered: it is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.rehearsal.journal_mode import ROLLBACK, WAL
from pytest_bbmigrate.checks.down_restores import NOT_RUN, why_no_down
from pytest_bbmigrate.checks.rollback import CHECK as ROLLS_BACK
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.verdict import CHECKS, DOWN_CHECKS, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.apply.model import Preflight, Rehearsal
    from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.verdict import Verdict

MODES = frozenset({"", WAL, ROLLBACK})
MOST_FAULTS = 5


def refuse_forged_verdicts(
    preflight: Preflight, order: RehearsalOrder, rehearsal: Rehearsal
) -> None:
    """Make sure that the verdicts of a rehearsal are those on the migrations that it was given.

    Raises: StepFailed.
    """
    refuse_faults([*verdict_faults(preflight, order, rehearsal)])


def refuse_faults(faults: Sequence[str]) -> None:
    """Raise StepFailed that names the first of the ``faults`` of a rehearsal, if there are any."""
    if not faults:
        return
    more = [f"and {len(faults) - MOST_FAULTS:,} more"] if len(faults) > MOST_FAULTS else []
    lines = "\n".join([*faults[:MOST_FAULTS], *more])
    raise StepFailed(
        f"what the rehearsal says does not hold, so nothing was published:\n{lines}\n"
        "a migration is to change the database that it is given, and to leave the process that it "
        "runs in, its files and the history alone"
    )


def verdict_faults(
    preflight: Preflight, order: RehearsalOrder, rehearsal: Rehearsal
) -> Iterator[str]:
    """Yield what is wrong with the verdicts: there must be one for each check of each migration.

    After a migration with a failure there are none.
    """
    checks = (ROLLS_BACK,) if preflight.is_rollback else CHECKS
    expected = [(migration.name, check) for migration in preflight.pending for check in checks]
    verdicts = {(verdict.subject, verdict.check): verdict for verdict in rehearsal.verdicts}
    failed = {v.subject for v in rehearsal.verdicts if v.outcome is Outcome.FAILED}
    if len(verdicts) != len(rehearsal.verdicts) or not verdicts.keys() <= set(expected):
        yield "there are verdicts that nothing was asked for"
    if bool(failed) is bool(rehearsal.digest):
        yield "the verdicts and the working copy do not go together"
    if rehearsal.journal_mode not in MODES:
        yield "there is no such journal mode"
    for migration in preflight.pending:
        is_failed = migration.name in failed
        for check in checks:
            verdict = verdicts.get((migration.name, check))
            if fault := _fault_of(verdict, migration, order, failed=is_failed):
                yield f"{migration.name}: {check} {fault}"
        if is_failed:
            return


def _fault_of(
    verdict: Verdict | None, migration: Migration, order: RehearsalOrder, *, failed: bool
) -> str:
    """Return what is wrong with one verdict, '' for nothing."""
    if verdict is None:
        return "has no verdict"
    if verdict.rows < 0 or verdict.values < 0:
        return "counts less than nothing"
    if (verdict.outcome is Outcome.FAILED) != bool(verdict.findings):
        return "and its findings are at odds"
    if (verdict.outcome is Outcome.SKIPPED) != bool(verdict.reason):
        return "and its reason are at odds"
    if verdict.outcome is not Outcome.SKIPPED or failed:
        return ""
    reasons = {why_no_down(migration), *([NOT_RUN] if order.skip_down else [])} - {""}
    if verdict.check in DOWN_CHECKS and verdict.reason in reasons:
        return ""
    return "was skipped for no reason of ours"
