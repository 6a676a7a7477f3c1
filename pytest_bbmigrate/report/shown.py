"""A finding as it may be printed. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.verdict import Example
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from pytest_bbmigrate.verdict import Cells, Finding


def shown_finding(finding: Finding) -> Finding:
    """Return ``finding`` with control characters in its texts made visible, names in one line.

    Values stay as they are: ``show_cell`` makes them visible.
    """
    return replace(
        finding,
        table=visible_line(finding.table),
        column=visible_line(finding.column),
        name=visible_line(finding.name),
        found_by=visible_line(finding.found_by),
        expected=visible(finding.expected),
        observed=visible(finding.observed),
        examples=tuple(map(shown_example, finding.examples)),
        cause=visible(finding.cause),
        allow=visible_line(finding.allow),
        prove=visible_line(finding.prove),
        printed=visible(finding.printed),
    )


def shown_example(example: Example) -> Example:
    """Return ``example`` with the names of its columns made visible."""
    return Example(
        shown_names(example.key), shown_names(example.before), shown_names(example.after)
    )


def shown_names(cells: Cells) -> Cells:
    """Return ``cells`` with their names made visible."""
    return tuple((visible_line(name), cell) for name, cell in cells)
