"""Marker comments of dbmate and goose, and the sections they cut a file into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_text import Section
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.sql import UnreadableSql, read_comments

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path


MARKER = re.compile(r"(migrate:(?=\S)|\+goose\b)\s*(.*)", re.IGNORECASE)
# The other tools look at lines only, so that to them a line within a string is a marker.
MARKER_LINE = re.compile(r"--\s*(?:migrate:(?=\S)|\+goose\b)", re.IGNORECASE)
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Marker:
    """A marker: ``words`` are what follows ``migrate:`` or ``+goose``, in lower case."""

    dialect: str
    words: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class MarkedParts:
    """A marked file cut at its up and down markers."""

    header: Section
    up: Section
    down: Section | None


def find_markers(path: Path, text: str) -> tuple[Marker, ...]:
    """Return the markers of ``text``, in order.

    Raises: CatalogueError when one does not begin its line or is no comment, or the text is no SQL.
    """
    lowered = text.lower()
    if "migrate:" not in lowered and "+goose" not in lowered:
        return ()
    try:
        comments = read_comments(text)
    except UnreadableSql as error:
        raise fault(path, error.message, error.remedy, error.line) from error
    by_line = {
        comment.line: _marker(match, comment.line)
        for comment in comments
        if (match := MARKER.fullmatch(comment.text))
    }
    _check_places(path, LINE_END.split(text), by_line.keys())
    return tuple(by_line.values())


def cut(
    path: Path, text: str, up: Sequence[Marker], down: Sequence[Marker], word: str
) -> MarkedParts:
    """Return ``text`` cut at its one up and perhaps one down marker; ``word`` spells the first.

    Raises: CatalogueError when there is no up marker, more than one of either, or down comes first.
    """
    problems = [
        Problem(path, marker.line, "the same marker a second time", "leave one of them out")
        for marker in (*up[1:], *down[1:])
    ]
    if not up:
        raise fault(
            path,
            "no marker says where the up part begins",
            f"write `{word}` on a line above it",
            down[0].line if down else None,
        )
    if down and down[0].line < up[0].line:
        problems.append(
            Problem(path, down[0].line, "the down part comes first", f"put `{word}` above it")
        )
    if problems:
        raise CatalogueError(problems)
    lines = LINE_END.split(text)
    starts = [0, *(match.end() for match in LINE_END.finditer(text)), len(text)]
    end_of_up = down[0].line - 1 if down else len(lines)
    return MarkedParts(
        Section(path, text[: starts[up[0].line - 1]]),
        Section(path, text[starts[up[0].line] : starts[end_of_up]], up[0].line + 1),
        Section(path, text[starts[down[0].line] :], down[0].line + 1) if down else None,
    )


def check_one_dialect(path: Path, markers: Sequence[Marker]) -> None:
    """Raise CatalogueError when a file has the markers of two tools."""
    other = [marker for marker in markers if marker.dialect != markers[0].dialect]
    if other:
        raise fault(
            path,
            f"markers of two tools, of {markers[0].dialect} on line {markers[0].line} and of "
            f"{other[0].dialect} here",
            "leave those of one tool",
            other[0].line,
        )


def _marker(match: re.Match[str], line: int) -> Marker:
    dialect = "goose" if match[1].startswith("+") else "dbmate"
    return Marker(dialect, tuple(match[2].lower().split()), line)


def _check_places(path: Path, lines: Sequence[str], marker_lines: Collection[int]) -> None:
    """Raise CatalogueError for markers that their own tool would read otherwise than we do."""
    problems = [
        Problem(path, number, "a marker that does not begin its line", "begin the line with --")
        for number in marker_lines
        if not lines[number - 1].startswith("--")
    ]
    problems += [
        Problem(
            path, number, "a marker inside a string or a comment", "indent the line, or reword it"
        )
        for number, line in enumerate(lines, 1)
        if number not in marker_lines and MARKER_LINE.match(line)
    ]
    if problems:
        raise CatalogueError(problems)
