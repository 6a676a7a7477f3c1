"""What statements read in columns beside whole values: JSON, days, patterns, beginnings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue.literals import COMPARISONS, NAMES, column_at, literal_of
from pytest_bbmigrate.sql.cursor import Cursor, closings, keyword, split_at_commas
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_bbmigrate.catalogue.literals import ReadStatement
    from pytest_bbmigrate.sql.cursor import Tokens

ARROWS = frozenset({"->", "->>"})
# Those of https://sqlite.org/json1.html that read their first argument as JSON.
JSON = frozenset(
    f"json{binary}{name}"
    for binary in ("", "b")
    for name in ("", "_extract", "_set", "_insert", "_replace", "_remove", "_patch", "_each")
) | {
    "json_type",
    "json_tree",
    "jsonb_tree",
    "json_array_length",
    "json_pretty",
    "json_error_position",
}
DAYS = frozenset({"date", "time", "datetime", "julianday", "strftime", "unixepoch", "timediff"})
PATTERNS = frozenset({"like", "glob"})
REPLACING = frozenset({"replace", "ltrim", "substr", "instr"})
LOOKED_FOR = ARROWS | JSON | DAYS | PATTERNS | REPLACING | {"json_valid", "||"}

ASKED_OF_ROWS = frozenset({"like", "glob", "prefix", "cut"})  # what rows must hold to be met


class ColumnRead(NamedTuple):
    """One way in which a column (folded) is read.

    ``kind`` is 'json' with a path as ``text``, '' for the whole; 'json value' with a path and what
    is compared with it, as JSON; 'valid', where something asks first whether it is JSON; 'day';
    'python' where Python may take it apart;
    'like' or 'glob' with the pattern; 'prefix' with the text that is put before it; 'cut' with the
    text that is taken out of it.
    """

    kind: str
    column: str
    text: str = ""


def column_reads(read: ReadStatement) -> Iterator[ColumnRead]:
    """Yield what one statement reads in columns."""
    if read.words.isdisjoint(LOOKED_FOR):
        return
    tokens = read.tokens
    closed = closings(tokens)
    opened = {end: start for start, end in closed.items()}
    for index, token in enumerate(tokens):
        word = keyword(token)
        if token.text == "(" and index and tokens[index - 1].kind in NAMES:
            arguments = tuple(split_at_commas(tokens[index + 1 : closed[index]]))
            for found in _of_function(keyword(tokens[index - 1]), arguments):
                yield found
                yield from _compared(found, tokens, closed[index] + 1)
        elif token.text in ARROWS:
            yield from _of_arrow(tokens, index, opened)
        elif token.text == "||":
            yield from _of_joining(tokens, index)
        elif word in PATTERNS and (column := _inner_column(_operand_before(tokens, index, opened))):
            yield ColumnRead(word, column, _text(tokens[index + 1 : index + 2]))


def _of_function(name: str, arguments: tuple[Tokens, ...]) -> Iterator[ColumnRead]:
    column = _inner_column(arguments[0])
    if name in JSON and column:
        texts = [text for argument in arguments[1:] if (text := _text(argument)).startswith("$")]
        yield from (ColumnRead("json", column, text) for text in texts or [""])
    elif name == "json_valid" and column:
        yield ColumnRead("valid", column)
    elif name in DAYS:
        yield from (
            ColumnRead("day", day) for argument in arguments if (day := _inner_column(argument))
        )
    elif name in REPLACING and column and len(arguments) > 1 and (text := _text(arguments[1])):
        yield ColumnRead("cut", column, text)


def _of_arrow(tokens: Tokens, index: int, opened: Mapping[int, int]) -> Iterator[ColumnRead]:
    column = _inner_column(_operand_before(tokens, index, opened))
    keys: list[str] = []
    place = index
    while place + 1 < len(tokens) and tokens[place].text in ARROWS:
        key = tokens[place + 1]
        text = key.name if key.kind is Kind.STRING else f"[{key.text}]"
        keys.append(text if text.startswith(("[", "$")) else f".{text}")
        place += 2
    if column and keys:
        path = "$" + "".join(key.removeprefix("$") for key in keys)
        found = ColumnRead("json", column, path)
        yield found
        yield from _compared(found, tokens, place)


def _compared(found: ColumnRead, tokens: Tokens, index: int) -> Iterator[ColumnRead]:
    """Yield what the part of JSON that was ``found`` is compared with at ``index``."""
    if found.kind == "json" and found.text and tokens[index : index + 1]:
        value = literal_of(tokens[index + 1 : index + 2]) if index + 1 < len(tokens) else None
        if tokens[index].text in COMPARISONS and value is not None:
            yield ColumnRead("json value", found.column, json.dumps([found.text, value]))


def _of_joining(tokens: Tokens, index: int) -> Iterator[ColumnRead]:
    """Yield the text before a column: ``'memos/' || path``."""
    text = _text(tokens[index - 1 : index]) if index else ""
    following = tokens[index + 1 : index + 8]  # schema.table.column, and what ends it
    column, _ = column_at((*following, *tokens[-1:]), 0)
    if text and column:
        yield ColumnRead("prefix", column, text)


def _operand_before(tokens: Tokens, index: int, opened: Mapping[int, int]) -> Tokens:
    """Return the bare column or the function call that ends before ``index``, without NOT.

    ``opened`` has the place of each '(' by that of its ')'.
    """
    end = index
    if end and keyword(tokens[end - 1]) == "not":
        end -= 1
    if end and tokens[end - 1].text != ")":
        return tokens[end - 1 : end]
    start = opened.get(end - 1)
    return tokens[start:end] if start is not None else ()


def _inner_column(expression: Tokens) -> str:
    """Return the column in ``t.c``, in ``lower(c)`` and in ``coalesce(trim(c), '')``."""
    while expression:
        column, end = column_at((*expression, expression[0]), 0)
        if column and end == len(expression):
            return column
        cursor = Cursor(expression)
        if not cursor.is_symbol("("):
            cursor.take()
        if (group := cursor.take_group()) is None or not cursor.is_at_end:
            return ""
        expression = next(split_at_commas(group))
    return ""


def _text(tokens: Tokens) -> str:
    """Return the string that ``tokens`` are, '' for anything else."""
    value = literal_of(tokens) if tokens else None
    return value if isinstance(value, str) else ""
