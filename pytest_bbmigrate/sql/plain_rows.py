"""INSERTs of literal values alone, told by their text: what they write to is read once, not again.

A dump has a hundred thousand of them with the same words in front. What such a statement does is
that of its ``shape``, ``INSERT INTO t (a, b) VALUES (0, 0)``; its values are told apart by one
pattern. Anything else (a comment, an expression, an upsert) is left to who reads all SQL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql.names import fold_text
from pytest_bbmigrate.sql.tokens import BLANKS, NUMBER, QUOTED, WORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GAP = f"[{BLANKS}]*"
SPACE = f"[{BLANKS}]+"
NAME = rf"(?:{WORD}(?=[.,()]|[{BLANKS}])|{QUOTED})"
TEXT = "(?:'[^']*')+"


def words(*any_case: str) -> str:
    """Return a pattern of one of these words: IGNORECASE takes ten times as long to compile."""
    spelled = ("".join(f"[{letter}{letter.lower()}]" for letter in word) for word in any_case)
    return f"(?:{'|'.join(spelled)})"


LITERAL = rf"(?:{TEXT}|-?(?:{NUMBER})|[xX]'[^']*'|{words('NULL', 'TRUE', 'FALSE')})"
ROW = rf"(?=\()(?:[(,]{GAP}{LITERAL}{GAP})+\)"
CONFLICT = words("ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK")
OR_CONFLICT = f"(?:{words('OR')}{SPACE}{CONFLICT}{SPACE})?"
VERB = f"(?:{words('INSERT')}{SPACE}{OR_CONFLICT}|{words('REPLACE')}{SPACE})"
COLUMNS = rf"(?=\()(?:[(,]{GAP}{NAME}{GAP})+\){GAP}"

HEAD = re.compile(
    rf"{VERB}{words('INTO')}(?:{SPACE}|(?=[\"`\[])){NAME}{GAP}(?:\.{GAP}{NAME}{GAP})?"
    rf"(?:{COLUMNS})?{words('VALUES')}{GAP}"
)
FIRST_ROW = re.compile(ROW)
# Matching a repetition takes memory for each turn. So it is matched in parts.
MORE_ROWS = re.compile(rf"(?:{GAP},{GAP}{ROW}){{1,1000}}")
IN_ROWS = re.compile(rf"{TEXT}|[(),-]|[xX]'[^']*'|{NUMBER}|[A-Za-z]+")


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
    head = HEAD.match(sql)
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
