"""SQL text, split into statements and the comments that may declare something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.declarations import CommentLine, line_problems, misplaced
from pytest_bbmigrate.catalogue.templates import refuse_template
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.contract import is_directive
from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.sql import Statement, UnreadableSql, read_comments, split_statements
from pytest_bbmigrate.sql.statements import comment_spans
from pytest_bbmigrate.sql.tokens import line_breaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.sql import Comment

# Where drizzle cuts a file into statements, whether there is a ; before it or not.
BREAKPOINT = "--> statement-breakpoint"
SCRIPT = re.compile(r"bb\s*:\s*script", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A stretch of an SQL file: the whole of it, or what follows a marker."""

    path: Path
    text: str
    first_line: int = 1


@dataclass(frozen=True)
class SqlText:
    """What a section holds. ``remarks`` are the comments before its first statement.

    ``is_blank`` is true when there is neither a statement nor a comment (markers aside).
    ``not_single`` is as an ``SqlPart`` has it.
    """

    path: Path
    statements: tuple[Statement, ...]
    remarks: tuple[CommentLine, ...]
    is_blank: bool
    not_single: Statement | None = None


def read_sections(*sections: Section) -> tuple[SqlText, ...]:
    """Return what each section holds.

    Raises: CatalogueError with every problem of all of them: text that is no SQL, a directive that
    is not understood or comes after a statement.
    """
    texts: list[SqlText] = []
    problems: list[Problem] = []
    for section in sections:
        try:
            texts.append(_read_section(section))
        except CatalogueError as error:
            problems.extend(error.problems)
    if problems:
        raise CatalogueError(problems)
    return tuple(texts)


def _read_section(section: Section) -> SqlText:
    refuse_template(section.path, section.text, section.first_line)
    try:
        pieces = [(split_statements(sql, first_line=line), line) for sql, line in _pieces(section)]
        comments = read_comments(section.text, first_line=section.first_line)
    except UnreadableSql as error:
        raise fault(section.path, error.message, error.remedy, error.line) from error
    remarks = tuple(
        CommentLine(section.path, comment.line, comment.text)
        for comment in comments
        if comment.leading
    )
    problems = [
        misplaced(section.path, comment.line)
        for comment in comments
        if not comment.leading and is_directive(comment.text)
    ]
    problems += line_problems(remarks)
    problems += [
        Problem(
            remark.path, remark.line, "only a Python file can be a script", "leave the line out"
        )
        for remark in remarks
        if SCRIPT.fullmatch(remark.text)
    ]
    if problems:
        raise CatalogueError(problems)
    statements = tuple(statement for piece, _ in pieces for statement in piece)
    return SqlText(
        section.path,
        statements,
        remarks,
        _is_blank(statements, comments),
        next(
            (
                piece[1] if piece else Statement("", line)
                for piece, line in pieces
                if len(piece) != 1
            ),
            None,
        ),
    )


def _pieces(section: Section) -> Iterator[tuple[str, int]]:
    """Yield what stands between the breakpoints of a section, and the line where each begins."""
    text, line, begun = section.text, section.first_line, 0
    if BREAKPOINT in text:
        for start, end in comment_spans(text, first_line=line):
            if text.startswith(BREAKPOINT, start):
                yield text[begun:start], line
                line += line_breaks(text, begun, end)
                begun = end
    yield text[begun:], line


def _is_blank(statements: tuple[Statement, ...], comments: Iterable[Comment]) -> bool:
    return not statements and all(comment.text.lower().startswith("+goose") for comment in comments)
