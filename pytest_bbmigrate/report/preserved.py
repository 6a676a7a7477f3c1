"""What two snapshots differ in, in words: a small table for each finding, keys first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.report.headlines import headline
from pytest_bbmigrate.report.words import DEFAULT_EXPECTATION, expectation, labelled, show_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_bbmigrate.verdict import Example, Finding

MOST_COLUMNS = 7


def describe_unpreserved(findings: Iterable[Finding]) -> str:
    """Return the text of a failed assertion, '' for no findings; its first line stands alone."""
    return "\n\n".join("\n".join(lines_of(finding)) for finding in findings)


def lines_of(finding: Finding) -> Iterator[str]:
    """Yield what broke, its rows as a table or what was expected, and the line that allows it."""
    yield headline(finding)
    if finding.examples:
        if finding.expected and finding.expected not in DEFAULT_EXPECTATION.values():
            yield from labelled("expected", finding.expected)
        yield from (f"  {line}" for line in table_of(finding.examples))
        if finding.count > len(finding.examples):
            yield f"  .. and {finding.count - len(finding.examples):,} more"
    else:
        yield from expectation(finding)
    for line in filter(None, (finding.allow, finding.prove)):
        yield from labelled("to allow it", f"pass the line:  {line}")


def table_of(examples: Sequence[Example]) -> list[str]:
    """Return rows as lines of a table below the names of its columns."""
    rows = [dict(cells_of(example)) for example in examples]
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = names[:MOST_COLUMNS]
    cells = [shown, *([row.get(name, "") for name in shown] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    beyond = "  .." if names[MOST_COLUMNS:] else ""
    return [("  ".join(map(str.ljust, line, widths)) + beyond).rstrip() for line in cells]


def cells_of(example: Example) -> Iterator[tuple[str, str]]:
    """Yield the cells of a row, its key first; a value that changed as it was and as it is."""
    keys = dict(example.key)
    for name, cell in example.key:
        yield name, show_cell(cell)
    is_change = bool(example.before and example.after)
    is_derived = is_change and example.before[0][0] != example.after[0][0]
    for cells, when in ((example.before, " before"), (example.after, " after")):
        for name, cell in cells:
            if is_change and not is_derived:
                yield f"{name}{when}", show_cell(cell)
            elif name not in keys:
                yield name, show_cell(cell)
