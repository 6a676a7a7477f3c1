"""One cause, one finding: what several columns, or up and down, have in common is told once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.verdict import Finding

OF_COLUMNS = frozenset(
    {
        "column type",
        "column not null",
        "column default",
        "column collation",
        "values changed",
    }
)
BROKEN = frozenset({"view broken", "trigger broken"})
DECLARED = "bb: "
AS_DECLARED = "every column as it was declared"


def gather_alike(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return ``findings``, those of several columns that have one known cause as one."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        groups.setdefault(group_of(finding, number), []).append(finding)
    return tuple(group[0] if len(group) == 1 else as_one(group) for group in groups.values())


def group_of(finding: Finding, number: int) -> object:
    """Return what findings have in common that can be told as one; ``number`` for nothing."""
    verb, _, target = finding.allow.partition(DECLARED)[2].partition(" ")
    tells_more = finding.prove or " where " in target or (finding.allow and not target)
    if finding.kind not in OF_COLUMNS or not finding.cause or not finding.column or tells_more:
        return number
    place = (finding.step, finding.path, finding.line)
    expected = finding.expected if finding.kind == "values changed" else ""
    return finding.kind, place, finding.table, finding.cause, verb, expected


def as_one(group: Sequence[Finding]) -> Finding:
    """Return findings on columns of one table as one, with a line for each column."""
    first = group[0]
    is_structure = first.kind != "values changed"
    return replace(
        first,
        column=", ".join(finding.column for finding in group),
        name=first.table if first.name else "",
        count=max(finding.count for finding in group),
        expected=AS_DECLARED if is_structure else first.expected,
        observed="\n".join(map(change_of, group)) if is_structure else first.observed,
        examples=tuple(example for finding in group for example in finding.examples[:1]),
        allow=joined_lines(group),
    )


def change_of(finding: Finding) -> str:
    """Return in one line what a column was declared and what it is."""
    was, now = (text or "nothing of it" for text in (finding.expected, finding.observed))
    return f"{finding.column}: {was} -> {now}"


def joined_lines(group: Sequence[Finding]) -> str:
    """Return the one contract line that allows all of ``group``."""
    lines = [finding.allow for finding in group]
    if not all(lines):
        return ""
    head, separator, declaration = lines[0].partition(DECLARED)
    verb = declaration.partition(" ")[0]
    targets = (line.partition(DECLARED)[2].partition(" ")[2] for line in lines)
    return f"{head}{separator}{verb} {', '.join(dict.fromkeys(targets))}"


def is_told_of_up(finding: Finding, evidence: Evidence) -> bool:
    """Return whether a view or a trigger does not compile since up, which schema_survives tells."""
    differences = evidence.up_diff.schema if evidence.up_diff else ()
    return finding.kind in BROKEN and (finding.kind, finding.name) in {
        (difference.kind, difference.name) for difference in differences
    }
