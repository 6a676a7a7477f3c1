"""INSERTs of literal values alone, told by their text: what they write to is read once, not again.

A dump has a hundred thousand of them with the same words in front. What such a statement does is
that of its ``shape``, ``INSERT INTO t (a, b) VALUES (0, 0)``; its values are told apart by one
pattern. Anything else (a comment, an expression, an upsert) is left to who reads all SQL.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql.names import fold_text
from pytest_bbmigrate.sql.tokens import BLANKS, NUMBER, QUOTED, WORD, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GAP = f"[{BLANKS}]*"
SPACE = f"[{BLANKS}]+"
NAME = rf"(?:{WORD}(?=[.,()]|[{BLANKS}])|{QUOTED})"
TEXT = "(?:'[^']*')+"
LITERAL = rf"(?:{TEXT}|-?(?:{NUMBER})|[xX]'[^']*'|{words('NULL', 'TRUE', 'FALSE')})"
ROW = rf"(?=\()(?:[(,]{GAP}{LITERAL}{GAP})+\)"
CONFLICT = words("ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK")
OR_CONFLICT = f"(?:{words('OR')}{SPACE}{CONFLICT}{SPACE})?"
VERB = f"(?:{words('INSERT')}{SPACE}{OR_CONFLICT}|{words('REPLACE')}{SPACE})"
COLUMNS = rf"(?=\()(?:[(,]{GAP}{NAME}{GAP})+\){GAP}"

BEGINNINGS = ("I", "R", "i", "r")
FIRST_ROW = re.compile(ROW)
# Matching a repetition takes memory for each turn. So it is matched in parts.
MORE_ROWS = re.compile(rf"(?:{GAP},{GAP}{ROW}){{1,1000}}")
IN_ROWS = re.compile(rf"{TEXT}|[(),-]|[xX]'[^']*'|{NUMBER}|[A-Za-z]+")


@cache  # it takes longer to compile than all else that a session without an INSERT reads
def head_pattern() -> re.Pattern[str]:
    """Return the pattern of what stands before the rows."""
    return re.compile(
        rf"{VERB}{words('INTO')}(?:{SPACE}|(?=[\"`\[])){NAME}{GAP}(?:\.{GAP}{NAME}{GAP})?"
        rf"(?:{COLUMNS})?{words('VALUES')}{GAP}"
    )


class PlainRows(NamedTuple):
    """The rows of an INSERT of literals: ``text`` from position ``start`` on.

    ``shape`` is the statement with a single row of zeros, as many as its first row has values.
    """

    shape: str
    text: str
    start: int

    def tokens(self) -> list[str]:
        """Return the tokens of the rows, words folded."""
        found = IN_ROWS.findall(self.text, self.start)
        return [fold_text(token) if token.isalpha() else token for token in found]


def plain_rows(sql: str) -> PlainRows | None:
    """Return the rows of ``sql`` where it is an INSERT of literals alone, else None."""
    head = head_pattern().match(sql) if sql.startswith(BEGINNINGS) else None
    first = FIRST_ROW.match(sql, head.end()) if head else None
    if head is None or first is None:
        return None
    end = first.end()
    while end < len(sql) and (more := MORE_ROWS.match(sql, end)):
        end = more.end()
    if end < len(sql):
        return None
    commas = IN_ROWS.findall(first[0]).count(",") if "," in first[0] else 0
    return PlainRows(f"{head[0]}(0{', 0' * commas})", sql, head.end())


def shape_of(sql: str) -> str:
    """Return ``sql``; its shape, where it is an INSERT of literals alone."""
    rows = plain_rows(sql)
    return sql if rows is None else rows.shape


def shapes_of(statements: Iterable[str]) -> Iterator[str]:
    """Yield each statement, but of INSERTs of literals their shape, once where several follow."""
    last = ""
    for sql in statements:
        rows = plain_rows(sql)
        if rows is None:
            yield sql
        elif rows.shape != last:
            yield rows.shape
        last = rows.shape if rows else ""
