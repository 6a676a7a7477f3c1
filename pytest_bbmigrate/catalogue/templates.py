"""SQL files that are no SQL before their tool has filled them in: named by whose marks they have.

A mark counts only where SQL stands: in a string, a name in quotes or a comment it is text.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.sql.tokens import COMMENT, QUOTED, STRING, line_breaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.errors import CatalogueError, Problem

# None of these begins anything in SQL, whatever follows.
MARKS = r"\{\{|\{%|<%|\$\{|#\{|\{(?=[A-Za-z_])"
MAY_HAVE_MARKS = re.compile(MARKS)
NEXT = re.compile(
    rf"(?P<mark>{MARKS})|{COMMENT}|{STRING}|{QUOTED}|(?P<open>['\"`\[]|/\*|--)", re.DOTALL
)
OF_GO = re.compile(r"\{\{-? *(?:\.|\$|/\*|(?:if|else|end|range|with|define|template|block)\b)")
KINDS = {
    "{{": "a template ({{ .. }}, as Jinja, Handlebars and Go have it)",
    "{%": "a template of Jinja ({% .. %})",
    "<%": "a template of ERB or EJS (<% .. %>)",
    "#{": "a text of Ruby with #{..} in it",
    "{": "a template with {names} in braces",
}
GO = "a template of Go ({{ .. }})"
FILLED_IN = ", which its tool fills in: SQLite never sees it so"
WRITE_IT_OUT = (
    "have the tool write out what it runs on SQLite, and name the folder of that with "
    "bb_migrations, or pass it over with bb_ignore"
)


def refuse_template(path: Path, text: str, first_line: int = 1) -> None:
    """Raise CatalogueError where ``text``, of the file ``path``, has a template's mark in it."""
    if not MAY_HAVE_MARKS.search(text):
        return
    for found in NEXT.finditer(text):
        if found["open"]:  # of what is never closed, which is told as that
            return
        if mark := found["mark"]:
            line = first_line + line_breaks(text, 0, found.start())
            raise _refusal(path, text, mark, line)


def told_once(problems: Iterable[Problem]) -> list[Problem]:
    """Return ``problems``; those of templates of one kind as one, with how many files are so.

    A file of which only the folder tells that its braces are Go's is one of Go.
    """
    every = list(problems)
    of_go, of_any = _message(GO), _message(KINDS["{{"])
    if any(problem.message == of_go for problem in every):
        every = [replace(p, message=of_go) if p.message == of_any else p for p in every]
    alike: dict[str, list[Problem]] = {}
    for problem in every:
        is_template = problem.message.endswith(FILLED_IN)
        alike.setdefault(problem.message if is_template else str(problem), []).append(problem)
    return [_with_count(found) for found in alike.values()]


def _with_count(alike: Sequence[Problem]) -> Problem:
    """Return the first of problems that are ``alike``, with how many more there are."""
    files = len({problem.path for problem in alike}) - 1
    if not files:
        return alike[0]
    more = f"{files} more file{'s' * (files > 1)}"
    return replace(alike[0], message=f"{alike[0].message} (and so {more})")


def _message(kind: str) -> str:
    return f"this is {kind}{FILLED_IN}"


def _refusal(path: Path, text: str, mark: str, line: int) -> CatalogueError:
    if mark == "${":
        return fault(
            path,
            "${..} is a placeholder, and no part of SQL",
            "give each a value in bb_placeholders, with a line `NAME = VALUE`",
            line,
        )
    kind = GO if mark == "{{" and OF_GO.search(text) else KINDS[mark]
    return fault(path, _message(kind), WRITE_IT_OUT, line)
