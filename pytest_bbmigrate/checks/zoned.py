"""What is told of a migration whose result depends on the time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.sql.names import same_name
from pytest_bbmigrate.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.experiment import Evidence

DEPENDS = "its result depends on the time zone"
MOST_NAMED = 4  # columns that a note names


def zone_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Return that up does something else in another zone, rather than the same with other values.

    What turns a time of one zone into that of another changes nothing in that zone, and should.
    """
    other, up = evidence.other_zone, evidence.up
    if other is None or (other.statements == up.statements and not other.fails):
        return ()
    part = evidence.migration.up
    there = "a failure" if other.fails else counted(other.statements, "statement")
    return (
        Finding(
            "depends on the zone",
            "up",
            part.path,
            getattr(part, "line", None),
            name=other.zone,
            expected=f"{counted(up.statements, 'statement')} in every zone",
            observed=f"{there} in {other.zone}",
        ),
    )


def zone_notes(evidence: Evidence, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return a note where up gives other values in another zone, and no finding tells of them."""
    other = evidence.other_zone
    told = tuple(findings)
    if other is None or any(finding.kind == "depends on the zone" for finding in told):
        return ()
    names = [
        f"{table}.{column}" if column else f"rows of {table}"
        for table, column in other.columns
        if not any(
            finding.kind == "values changed"
            and same_name(finding.table, table)
            and same_name(finding.column, column)
            for finding in told
        )
    ]
    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
    listed = ", ".join(names[:MOST_NAMED])
    return (f"{DEPENDS}: it is another one in {other.zone} in {listed}{more}",) if names else ()
