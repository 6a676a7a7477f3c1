"""Split SQL text into its statements and its comments, in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.tokens import (
    BLANKS,
    COMMENT,
    GAP,
    IN_WORD,
    QUOTED,
    STRING,
    UnreadableSql,
    line_breaks,
    unfinished,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKS = r"'\"`\[/\-"  # what may begin a string, a name or a comment
LITERAL = rf"{STRING}|{QUOTED}|/(?!\*)|-(?!-)"
WORD_END = f"(?!{IN_WORD})"

# Matching a repetition takes memory for each turn. So it is matched in parts, see ``_after``.
TURNS = "{1,1000}"
# The lines by which the sqlite3 shell is told how to show things, or how long to wait.
SHELL_LINE = (
    r"(?<![^\n])\.(?:bail|changes|echo|eqp|explain|headers?|mode|nullvalue|print|separator|show|stats"
    r"|timeout|timer|width)(?![A-Za-z])[^'\"`\[\r\n]*(?=\r?\n|\Z)"
)
BETWEEN = re.compile(rf"(?:[{BLANKS};]+|{COMMENT}|{SHELL_LINE}){TURNS}")  # and empty statements
CODE = re.compile(rf"(?:[^;{MARKS}\x00]+|{LITERAL}|{COMMENT}){TURNS}")  # up to a semicolon
TOKENS = re.compile(f"(?:{GAP}*(?:[^;{MARKS}{BLANKS}]+|{LITERAL})){TURNS}")  # no gap at its end
NO_COMMENT = re.compile(rf"(?:[^{MARKS}\x00]+|{LITERAL}){TURNS}")
ONE_COMMENT = re.compile(COMMENT)
MAY_END_A_GAP = frozenset("/ \t\n\f\r\ufeff")
MAY_NEED_A_LOOK = frozenset(".CcEe")  # a dot-command, CREATE or EXPLAIN
DOT_COMMAND = re.compile(r"\.[A-Za-z]+")
TRIGGER = re.compile(
    f"(?:{words('EXPLAIN')}{GAP}+(?:{words('QUERY')}{GAP}+{words('PLAN')}{GAP}+)?)?{words('CREATE')}"
    f"{GAP}+(?:{words('TEMP', 'TEMPORARY')}{GAP}+)?{words('TRIGGER')}{WORD_END}"
)
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Statement:
    """One SQL statement without comments around it or its final semicolon; ``line`` from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class Comment:
    """A ``--`` or ``/* */`` comment's text without its marks, one per line; ``line`` from 1.

    ``leading`` is true while no statement has begun yet.
    """

    text: str
    line: int
    leading: bool


def split_statements(text: str, *, first_line: int = 1) -> tuple[Statement, ...]:
    """Return the statements of ``text`` (BOM, CRLF, triggers, a last one without ``;`` are fine).

    ``first_line`` is the number of the first line of ``text`` in its file.

    Raises: UnreadableSql.
    """
    return tuple(_statements(text, first_line))


def read_comments(text: str, *, first_line: int = 1) -> tuple[Comment, ...]:
    """Return every comment of ``text``, in order; of a block comment, each of its lines.

    Raises: UnreadableSql when a string, a quoted name or a block comment is not finished.
    """
    return tuple(_comments(text, first_line))


def _statements(text: str, first_line: int) -> Iterator[Statement]:
    line, counted = first_line, 0
    trigger: int | None = None  # where the trigger begins whose body we are in
    for start, code in _pieces(text, first_line):
        if trigger is None:
            line += line_breaks(text, counted, start)
            counted = start
            if code[0] in MAY_NEED_A_LOOK and _is_trigger(code, line):
                trigger = start
            else:
                yield Statement(code, line)
        elif fold_name(code) == "end":
            yield Statement(text[trigger : start + len(code)], line)
            trigger = None
    if trigger is not None:
        raise UnreadableSql(
            line,
            "a CREATE TRIGGER that is not finished",
            "close its body with END; after the last statement in it",
        )


def _pieces(text: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Yield (position, text) of what stands between semicolons, without comments around it."""
    position = 0
    while (start := _after(BETWEEN, text, position)) < len(text):
        end = _after(CODE, text, start)
        if end < len(text) and text[end] != ";":
            raise unfinished(text, end, first_line)
        code = text[start:end]
        if code[-1] in MAY_END_A_GAP or "--" in code:
            code = code[: _after(TOKENS, code)]
        yield start, code
        position = end + 1


def _is_trigger(code: str, line: int) -> bool:
    """Return whether ``code`` begins a trigger, whose body has semicolons of its own.

    It ends after END alone between two semicolons (https://sqlite.org/c3ref/complete.html). To call
    sqlite3.complete_statement at every semicolon instead would be quadratic.

    Raises: UnreadableSql for a command of the sqlite3 shell.
    """
    if command := DOT_COMMAND.match(code):
        raise UnreadableSql(
            line,
            f"'{command.group()}' is a command of the sqlite3 shell, not SQL",
            "leave it out, or write in SQL what it is to do",
        )
    return TRIGGER.match(code) is not None


def comment_spans(text: str, *, first_line: int = 1) -> Iterator[tuple[int, int]]:
    """Yield where each comment of ``text`` begins and ends, in order.

    Raises: UnreadableSql, as ``read_comments``.
    """
    position = _after(NO_COMMENT, text)
    while position < len(text):
        comment = ONE_COMMENT.match(text, position)
        if comment is None:
            raise unfinished(text, position, first_line)
        yield comment.span()
        position = _after(NO_COMMENT, text, comment.end())


def _comments(text: str, first_line: int) -> Iterator[Comment]:
    first_statement = _after(BETWEEN, text)
    line, counted = first_line, 0
    for start, end in comment_spans(text, first_line=first_line):
        line += line_breaks(text, counted, start)
        counted = start
        for number, content in enumerate(_lines_of(text[start:end])):
            yield Comment(content, line + number, start < first_statement)


def _lines_of(comment: str) -> list[str]:
    """Return the lines of a comment without its marks and the column of stars in front."""
    if comment.startswith("--"):
        return [comment[2:].strip()]
    return [line.strip().strip("*").strip() for line in LINE_END.split(comment[2:-2])]


def _after(pattern: re.Pattern[str], text: str, position: int = 0) -> int:
    """Match ``pattern`` repeatedly from ``position``; return where it no longer matches."""
    while match := pattern.match(text, position):
        position = match.end()
    return position
