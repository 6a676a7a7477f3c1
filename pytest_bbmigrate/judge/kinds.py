"""Values that were masked in another process are shown as such again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.private import as_kind
from pytest_bbmigrate.verdict import Example

if TYPE_CHECKING:
    from pytest_bbmigrate.verdict import Cells, Verdict


def with_kinds(verdict: Verdict) -> Verdict:
    """Return ``verdict``, of another process, whose masked values are shown as such again."""

    def retyped(cells: Cells) -> Cells:
        return tuple((name, as_kind(cell)) for name, cell in cells)

    return replace(
        verdict,
        findings=tuple(
            replace(
                finding,
                examples=tuple(
                    Example(retyped(row.key), retyped(row.before), retyped(row.after))
                    for row in finding.examples
                ),
            )
            for finding in verdict.findings
        ),
    )
