"""up_applies: it runs, on a filled and on an empty database, and the database is sound after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.experiment.model import Refused
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.explain.broken_before import broken_before
from pytest_bbmigrate.explain.causes import with_cause
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.explain.copy_refused import advice_on_copy
from pytest_bbmigrate.explain.indexes_in_the_way import with_every_index
from pytest_bbmigrate.explain.json_seen import advice_on_json
from pytest_bbmigrate.explain.left_out import advice_on_missing_value
from pytest_bbmigrate.explain.nearest_name import with_nearest
from pytest_bbmigrate.runner.dialect import read_addition
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.runner import Failure, Run

HELPED = "ADD COLUMN IF NOT EXISTS is no SQLite: bbmigrate does what it means, other tools fail"


def ask_up_applies(evidence: Evidence) -> Answer:
    """Return what kept the way up from running, or what it left damaged."""
    narrowed = evidence.narrowed
    refused = narrowed.refused if narrowed else (Refused(evidence.up, evidence.state),)
    findings = [
        refusal_finding(each.up.failure, each, evidence) for each in refused if each.up.failure
    ]
    on_empty = evidence.up_on_empty.failure if evidence.up_on_empty else None
    told = {
        (each.up.failure.statement, each.up.failure.message) for each in refused if each.up.failure
    }
    if on_empty and (on_empty.statement, on_empty.message) not in told:
        findings.append(on_empty_finding(on_empty))
    part = evidence.migration.up
    findings += [
        Finding("integrity", "up", part.path, observed=message) for message in evidence.integrity
    ]
    findings += conflict_findings(evidence.up)
    state = evidence.state
    return Answer(
        tuple(findings), notes=notes_on_help(evidence), rows=sum(state.row_counts.values())
    )


def refusal_finding(failure: Failure, refused: Refused, evidence: Evidence) -> Finding:
    """Return a ``failure`` of up, with the line under which it was seen to come further."""
    line = ""
    if refused.requirement:
        line = contract_line(evidence.migration, f"requires {refused.requirement}")
    finding = failure_finding(failure, "up", refused.up.printed, has_line=bool(line))
    before, executed = evidence.state.schema, refused.up.executed
    finding = with_every_index(finding, failure, before, executed)
    finding = with_nearest(finding, failure, before, executed)
    of_json = None if evidence.on_real_rows else advice_on_json(failure, refused.state)
    if of_json is not None:
        finding = replace(finding, cause=of_json)
    cause = (
        broken_before(failure, before)
        or advice_on_copy(failure, executed, before)
        or advice_on_missing_value(refused.up, evidence.migration, line)
        or finding.cause
    )
    return with_cause(replace(finding, cause=cause, allow=line), replace(evidence, up=refused.up))


def notes_on_help(evidence: Evidence) -> tuple[str, ...]:
    """Return a note where the runner did what SQLite has no syntax for."""
    part = evidence.migration.up
    if not evidence.profile.helps_add_column or not isinstance(part, SqlPart):
        return ()
    helped = any(map(read_addition, (statement.text for statement in part.statements)))
    return (HELPED,) if helped else ()


def on_empty_finding(failure: Failure) -> Finding:
    """Return a failure on an empty database, where advice on the rows there says nothing."""
    finding = failure_finding(failure, "up on an empty database")
    return finding if finding.name else replace(finding, cause="")


def failure_finding(
    failure: Failure, step: str, printed: str = "", *, has_line: bool = False
) -> Finding:
    """Return a part's failure to run as a finding, with what it had ``printed`` by then.

    ``has_line`` is whether a requires line that helps is told with it.
    """
    advice = advise_on_failure(failure, has_line=has_line)
    return Finding(
        "set-up lacks" if advice.missing else "does not run",
        step,
        failure.path,
        failure.line,
        name=advice.missing,
        expected=failure.statement,
        observed=failure.message,
        cause=advice.text,
        printed=printed,
        error=failure.error,
    )


def conflict_findings(run: Run) -> list[Finding]:
    """Return the IF NOT EXISTS of a run that met something of another shape."""
    return [
        Finding(
            "shape conflict",
            "up",
            conflict.path,
            conflict.line,
            name=conflict.name,
            expected=conflict.wanted,
            observed=conflict.there,
        )
        for conflict in run.conflicts
    ]
