"""Add lines to the text of a TOML file with contracts; what a person wrote in it stays."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.catalogue.toml_text import place_texts, read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue.toml_text import PlacedText

HEAD = """\
# What migrations declare whose files must not be touched. The lines were drafted from what a check
# run has seen: accept each, change it, or take it for the fault that it is and mend the migration.
"""
NOTHING_NEEDS = "# nothing needs this any more: "
PASSED_OVER = re.compile(r"(?:\s|#[^\n]*)*")
OPENS = re.compile(r"\s*=\s*\[")
INDENT = "    "


@dataclass(frozen=True)
class DraftedLine:
    """A contract line, and what was seen that it allows, in words."""

    line: str
    seen: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """From ``start`` to ``end`` of a text stands ``new`` instead."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Draft:
    """The new ``text`` of the file; lines added, for how many migrations, and marked."""

    text: str
    added: int
    migrations: int
    marked: int


def not_asked(name: str, line: str) -> None:
    """Return that nothing is known of whether a line is needed."""


class _Entry:
    """The key of a migration in the text, and its lines."""

    def __init__(self, key: PlacedText, lines: list[PlacedText]) -> None:
        self.key = key
        self.lines = lines


def add_lines(
    path: Path,
    text: str,
    drafted: Mapping[str, Sequence[DraftedLine]],
    is_needed: Callable[[str, str], bool | None] = not_asked,
) -> Draft:
    """Return ``text``, that of ``path``, with the lines of ``drafted`` that it has not yet.

    These are by the name of their migration. A line of which ``is_needed``, given its migration and
    itself, says False gets a comment that says so; one of which it says True has it no more.

    Raises: CatalogueError when the text is no file of contracts, or cannot be added to.
    """
    held = read_toml(path, text)
    entries = _entries(text, held)
    newline = "\r\n" if "\r\n" in text else "\n"
    missing = {
        name: [each for each in lines if each.line not in held.get(name, ())]
        for name, lines in drafted.items()
    }
    edits = [
        edit
        for name, lines in missing.items()
        if lines and name in entries
        for edit in _added_to(text, entries[name], lines)
    ]
    asked = [
        (line, is_needed(name, line.text))
        for name, entry in entries.items()
        for line in entry.lines
    ]
    marks = list(_marks(text, (line for line, needed in asked if needed is False)))
    outdated = _outdated_marks(text, (line for line, needed in asked if needed))
    changed = _edited(text, [*edits, *marks, *outdated])
    blocks = [
        _block(name, lines) for name, lines in missing.items() if lines and name not in entries
    ]
    whole = _joined(changed, blocks)
    expected = {name: list(lines) for name, lines in held.items()}
    for name, lines in missing.items():
        if lines:
            expected.setdefault(name, []).extend(each.line for each in lines)
    result = whole.replace("\r\n", "\n").replace("\n", newline)
    if read_toml(path, result) != expected:
        raise fault(
            path,
            "the lines cannot be put between those that are there",
            'give each migration a list, "NAME" = [..], with one line of the contract on each line',
        )
    added = [len(lines) for lines in missing.values() if lines]
    return Draft(result, sum(added), len(added), len(marks))


def _entries(text: str, held: Mapping[str, Sequence[str]]) -> dict[str, _Entry]:
    wanted = (each for name, lines in held.items() for each in (name, *lines))
    places = place_texts(text, wanted)
    return {
        name: _Entry(next(places), [next(places) for _ in lines]) for name, lines in held.items()
    }


def _added_to(text: str, entry: _Entry, lines: Iterable[DraftedLine]) -> Iterator[Edit]:
    """Yield the edits that put ``lines`` at the end of the list of an entry."""
    opens = OPENS.match(text, entry.key.end)
    last = entry.lines[-1].end if entry.lines else opens.end() if opens else entry.key.end
    close = _skipped(text, last)
    wants_comma = bool(entry.lines) and text[close] != ","
    if text[close] == ",":
        close = _skipped(text, close + 1)
    start = _start_of_line(text, close)
    new = "".join(map(_shown, lines))
    if text[start:close].strip():
        yield Edit(close, close, f"\n{new}")
    else:
        yield Edit(start, start, new)
    if wants_comma:  # last: of two edits in one place it is to come first in the text
        yield Edit(last, last, ",")


def _skipped(text: str, start: int) -> int:
    match = PASSED_OVER.match(text, start)
    return match.end() if match else start


def _start_of_line(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _mark_of(line: PlacedText) -> str:
    return f"{NOTHING_NEEDS}{' '.join(line.text.split())}"


def _marks(text: str, unneeded: Iterable[PlacedText]) -> Iterator[Edit]:
    """Yield the edits that put a comment above each line that nothing needs."""
    for line in unneeded:
        start, mark = _start_of_line(text, line.start), _mark_of(line)
        if not any(there == mark for _, _, there in _above(text, start)):
            shown = text[start : line.start]
            indent = shown if not shown.strip() else ""
            yield Edit(start, start, f"{indent}{mark}\n")


def _outdated_marks(text: str, needed: Iterable[PlacedText]) -> Iterator[Edit]:
    """Yield the edits that take away what says of lines that nothing needs them."""
    for line in needed:
        for start, end, mark in _above(text, _start_of_line(text, line.start)):
            if mark == _mark_of(line):
                yield Edit(start, end, "")


def _above(text: str, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the text of our comments right above the line at ``end``."""
    while end > 0:
        start = _start_of_line(text, end - 1)
        mark = text[start:end].strip()
        if not mark.startswith(NOTHING_NEEDS):
            return
        yield start, end, mark
        end = start


def _edited(text: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, key=lambda each: (each.start, each.end), reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _joined(text: str, blocks: Sequence[str]) -> str:
    """Return ``text`` with ``blocks`` below it, an empty line before each."""
    if not text.strip():
        text = HEAD
    if blocks and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"\n{block}" for block in blocks)


def _block(name: str, lines: Iterable[DraftedLine]) -> str:
    return f"{_quoted(name)} = [\n{''.join(map(_shown, lines))}]\n"


def _shown(drafted: DraftedLine) -> str:
    seen = "".join(f"{INDENT}# {each}\n" for each in drafted.seen)
    return f"{seen}{INDENT}{_quoted(drafted.line)},\n"


def _quoted(text: str) -> str:
    r"""Return ``text`` as a basic string: as JSON has it, but for DEL (https://toml.io)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
