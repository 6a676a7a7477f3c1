"""The text of failed checks. Pure."""

from __future__ import annotations

import os
from textwrap import wrap
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.report.headlines import headline
from pytest_bbmigrate.report.remedies import no_way_back_line, what_to_change
from pytest_bbmigrate.report.shown import shown_finding
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.errors import CatalogueError
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.verdict import Example, Finding, Verdict

GENERATED = "generated for this check, none of them real"
LABEL_WIDTH = 11
WIDTH = 88  # of an explanation, beside its label
LONGEST_CELL = 60
MOST_CELLS = 6
MOST_LINES = 10


def beside_own(settings: Sequence[str], *, hidden: bool) -> str:
    """Return whose rows were looked at, when the user's own, of ``settings``, are among them."""
    text = f"generated for this check, but for your own, of {' and '.join(settings)}"
    return f"{text}; --bb-show-values shows the values of those" if hidden else text


def describe_failure(verdict: Verdict, rerun: str, rows: str = GENERATED) -> str:
    """Return the text of a failed verdict; its first line stands alone.

    pytest puts the migration and the check before it, here and in its short summary.
    ``rerun`` is the command that asks the check again; ``rows`` says which rows were looked at.
    """
    findings = tuple(map(shown_finding, verdict.findings))
    first, *others = findings
    more = f" (and {len(others)} more)" if others else ""
    lines = [f"{headline(first)}{more}"]
    unrestored = [finding for finding in findings if no_way_back_line([finding])]
    last_unrestored = unrestored[-1] if unrestored else None
    for number, finding in enumerate(findings):
        if number:
            lines += ["", headline(finding)]
        lines += details(finding)
        is_last = finding is last_unrestored
        lines += labelled("to allow it", what_to_declare(finding, findings if is_last else ()))
    if verdict.check != CATALOGUE_CHECK:
        lines += labelled("rows", rows)
        lines += labelled(*rows_judged(verdict))
    return "\n".join([*lines, *labelled("rerun", visible_line(rerun))])


def rows_judged(verdict: Verdict) -> tuple[str, str]:
    """Return which of the rows were judged, with its label, where up does not run on all."""
    if not verdict.narrowed:
        return "", ""
    if verdict.check == CHECKS[0]:
        return "the rest", f"was judged on {verdict.narrowed}"
    return "judged on", verdict.narrowed


def describe_unreadable(error: CatalogueError, rerun: str) -> str:
    """Return the text for a folder that cannot be read; its first line stands alone.

    What is wrong with several files is said once, with the names of all.
    """
    first, *others = error.problems
    more = f" (and {len(others)} more)" if others else ""
    lines = [f"{shown_place(first.path, first.line)}: {visible(first.message)}{more}"]
    causes: dict[tuple[str, str], list[str]] = {}
    for problem in error.problems:
        place = shown_place(problem.path, problem.line)
        causes.setdefault((problem.message, problem.remedy), []).append(place)
    for number, ((message, remedy), places) in enumerate(causes.items()):
        if number:
            lines += ["", visible(message)]
        lines += labelled("where", wrapped(", ".join(in_one_folder(places))))
        lines += labelled("remedy", visible(remedy))
    return "\n".join([*lines, *labelled("rerun", visible_line(rerun))])


def in_one_folder(places: Sequence[str]) -> Iterator[str]:
    """Yield ``places``, those in the folder of the first by their names."""
    folder = places[0].rpartition("/")[0]
    yield places[0]
    for place in places[1:]:
        above, _, name = place.rpartition("/")
        yield name if above == folder else place


EXPECTED_ALONE = frozenset(
    {
        "changed since",
        "condition fails",
        "derivation fails",
        "no rows",
        "integrity",
        "invariant never runs",
    }
)
EXPECTED: dict[str, str] = {
    "table lost": "the table, under its own or a declared new name",
    "column lost": "the column, under its own or a declared new name",
    "rows added": "no row added to a table that was there before",
    "dangling reference": "every reference to have its row",
    "written rows lost": "rows written after up to be there after down",
    "written values changed": "values written after up to be there after down",
    "edits undone": "what an old row was set to after up to be there after down",
    "deleted rows back": "what was deleted after up to stay deleted",
    "table broken": "it to be readable, as it was before",
    "view broken": "it to compile, as it did before",
    "trigger broken": "it to compile, as it did before",
    "names nothing": "",
}


def details(finding: Finding) -> Iterator[str]:
    """Yield the labelled lines of a finding."""
    where = shown_place(finding.path, finding.line)
    step = "" if finding.step == "contract" else f" ({finding.lies_in or finding.step})"
    yield from labelled("where", f"{where}{step}")
    yield from expectation(finding)
    for example in finding.examples:
        yield from labelled("", describe_example(example, named=", " in finding.column))
    yield from labelled("why", REASONS.get(finding.cause) or wrapped(finding.cause))
    if finding.allow:
        yield from labelled("to allow it", f"add the line:  {finding.allow}")
    yield from labelled("to mend it", what_to_change(finding))
    if finding.prove:
        yield from labelled("to prove it", f"and the line:  {finding.prove}")


def what_to_declare(finding: Finding, findings: Sequence[Finding]) -> str:
    """Return the declarations that allow a down part that cannot restore every row and value.

    That there is no way back is said once, of all ``findings``, at the last that it is said of.
    """
    mark = "#" if finding.path.suffix == ".py" else "--"
    lines = []
    if finding.may_require:
        table = bare_or_quoted(finding.table)
        lines.append(
            f"where no real row is like these, a requires line of {table} can say what all are"
        )
        if any(cell is None for each in finding.examples for _, cell in each.before):
            lines.append("(NULL passes it as it does a CHECK: say IS NOT NULL as well)")
    if irreversible := no_way_back_line(findings):
        lines += ["where nothing can restore it:", f"{mark} bb: {irreversible}"]
    return "\n".join(lines)


def expectation(finding: Finding) -> Iterator[str]:
    """Yield what was expected and what was observed."""
    if finding.kind in {"does not run", "set-up lacks"}:
        yield from labelled("statement", shorten(finding.expected, 300))
        yield from labelled("observed", finding.observed)
        yield from labelled("printed", last_lines(finding.printed))
        return
    if finding.kind == "names nothing":
        yield from labelled("there are", finding.expected)
        return
    expected = EXPECTED.get(
        finding.kind, finding.expected or DEFAULT_EXPECTATION.get(finding.kind, "")
    )
    if finding.kind in EXPECTED_ALONE:
        yield from labelled("expected", expected)
        return
    if finding.kind == "mismatched reference":
        yield from labelled(
            "expected", f"a table {finding.name} with {finding.expected} as its key"
        )
        yield from labelled("observed", f"no such {finding.observed}")
        return
    yield from labelled("expected", expected or "nothing of it")
    nothing = "no table of that name" if is_kept_elsewhere(finding) else "nothing of it"
    observed = finding.observed or ("" if finding.examples else nothing)
    if finding.examples:
        shown = len(finding.examples)
        observed = (
            f"for example ({shown} of {finding.count:,})" if finding.count > shown else "these"
        )
    yield from labelled("observed", observed)


def is_kept_elsewhere(finding: Finding) -> bool:
    """Return whether a table is gone, and rows of it are in another."""
    return finding.kind == "table lost" and bool(finding.name)


DEFAULT_EXPECTATION = {
    "rows lost": "every row that was there before",
    "rows renumbered": "every row under the key that links to it",
    "values changed": "every value as it was, in type and in every byte",
}


def describe_example(example: Example, *, named: bool = False) -> str:
    """Return one row in one line: its key, and what was before and after.

    What changed is ``named`` where it is not in the headline alone.
    """
    key = describe_cells(example.key)
    before, after = describe_cells(example.before), describe_cells(example.after)
    if example.before and example.after and example.before[0][0] != example.after[0][0]:
        return ", ".join(filter(None, [key, before, after]))
    if example.before and example.after:
        cell_before, cell_after = example.before[0][1], example.after[0][1]
        name = f"{example.before[0][0]}: " * named
        change = f"{name}{show_cell(cell_before)} -> {show_cell(cell_after)}"
        return f"{key}: {change}" if key else change
    cells = example.before or example.after
    if cells and {name for name, _ in example.key} <= {name for name, _ in cells}:
        return describe_cells(cells)
    row = before or after
    return f"{key}: {row}" if key and row else key or row


def describe_cells(cells: tuple[tuple[str, Cell], ...]) -> str:
    """Return named cells, the first few of a wide row."""
    shown = ", ".join(f"{name}={show_cell(cell)}" for name, cell in cells[:MOST_CELLS])
    return shown + (", .." if len(cells) > MOST_CELLS else "")


def show_cell(cell: Cell) -> str:
    """Return a value so that its type can be told: NULL, 1, 1.0, 'text', x'00'."""
    if cell is None:
        return "NULL"
    if isinstance(cell, bytes):
        return f"x'{shorten(cell.hex(), LONGEST_CELL)}'"
    return shorten(repr(cell), LONGEST_CELL)


def shorten(text: str, length: int) -> str:
    """Return ``text``, its middle left out where it is longer than ``length``."""
    if len(text) <= length:
        return text
    half = (length - 4) // 2
    return f"{text[:half]} .. {text[-half:]}"


def wrapped(text: str) -> str:
    """Return ``text`` wrapped to the width of a failure text, its own line breaks kept."""
    return "\n".join(
        part
        for line in text.splitlines()
        for part in wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
    )


def last_lines(text: str) -> str:
    """Return the last lines of what a program printed: they often say why it failed."""
    lines = text.rstrip().splitlines()
    return "\n".join(["..", *lines[-MOST_LINES:]] if len(lines) > MOST_LINES else lines)


def labelled(label: str, text: str) -> list[str]:
    """Return ``text`` as lines behind a label; none for an empty text."""
    if not text:
        return []
    first, *others = text.splitlines()
    return [
        f"  {label:<{LABEL_WIDTH}} {first}",
        *(f"  {'':<{LABEL_WIDTH}} {line}" for line in others),
    ]


def shown_place(path: Path, line: int | None) -> str:
    """Return ``path:line``, the path relative to the working directory when it lies below."""
    relative = os.path.relpath(path)
    shown = visible_line(str(path) if relative.startswith("..") else relative)
    return f"{shown}:{line}" if line else shown
