"""Migrations that have shipped and are not what they were: catalogue_reads fails for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.verdict import Finding, Outcome

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.since import Change, Past
    from pytest_bbmigrate.verdict import Verdict

MEND = (
    "databases that have run it have what it said then: put it back as it was, and write a new "
    "migration for what is to be different"
)


def with_changes(verdict: Verdict, past: Past) -> Verdict:
    """Return the ``verdict`` on the folder, failed where what has to stay as it is has changed."""
    changed = tuple(changed_finding(change, past.ref) for change in past.changes)
    if not changed:
        return verdict
    return replace(verdict, outcome=Outcome.FAILED, findings=(*changed, *verdict.findings))


def changed_finding(change: Change, ref: str) -> Finding:
    """Return what has become of a migration that ``ref`` has."""
    what = f"renamed to {change.renamed}" if change.renamed else change.what
    by = f" by commit {change.commit}" if change.commit else ", which is not committed"
    return Finding(
        "changed since",
        "contract",
        change.path,
        name=change.migration,
        expected=f"it to stay as {ref} has it",
        observed=f"{what}{by}",
        cause=MEND,
    )
