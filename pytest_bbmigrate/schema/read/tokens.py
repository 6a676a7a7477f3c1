"""Tokens of CREATE statements in a canonical form, in which equal meaning is equal text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import Kind, fold
from pytest_bbmigrate.sql.cursor import closings
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.sql import Token

# A double-quoted token after one of these words is a name, whatever it names.
NAME_FOLLOWS = frozenset(
    {
        *("as", "collate", "constraint", "from", "index", "into", "join", "of", "on"),
        *("references", "table", "trigger", "update", "view"),
    }
)
KEYWORDS_BEFORE_PARENTHESIS = frozenset(
    {
        *("and", "as", "between", "case", "check", "else", "exists", "from", "having", "in"),
        *("like", "not", "on", "or", "over", "select", "then", "union", "using", "values"),
        *("when", "where"),
    }
)


def is_word(token: Token, word: str) -> bool:
    """Return whether ``token`` is the bare (lower-case) keyword ``word``, in any letter case."""
    return token.kind is Kind.WORD and fold_name(token.text) == word


def canonical(tokens: Sequence[Token], *names: Collection[str]) -> Tokens:
    """Return ``tokens`` unquoted and case-folded; ``"x"`` that is no name becomes ``'x'``.

    SQLite reads a double-quoted token that names nothing as a string, and rewrites it as one when
    a column is renamed or dropped (https://sqlite.org/quirks.html#dblquote). ``names``
    are collections of the case-folded names that can be meant here.
    """
    return tuple(_canonical_token(tokens, position, names) for position in range(len(tokens)))


def _canonical_token(
    tokens: Sequence[Token], position: int, names: Sequence[Collection[str]]
) -> str:
    token = tokens[position]
    text = fold(token)
    if token.text[0] != '"' or _must_be_a_name(tokens, position):
        return text
    if any(text in collection for collection in names):
        return text
    return "'" + token.name.replace("'", "''") + "'"


def _must_be_a_name(tokens: Sequence[Token], position: int) -> bool:
    following = tokens[position + 1].text if position + 1 < len(tokens) else ""
    if following in (".", "("):
        return True
    preceding = tokens[position - 1] if position else None
    return preceding is not None and (
        preceding.text == "."
        or (preceding.kind is Kind.WORD and fold_name(preceding.text) in NAME_FOLLOWS)
    )


def names_mentioned(tokens: Sequence[Token]) -> frozenset[str]:
    """Return, case-folded, the ``tokens`` that are names, or words that may be names."""
    return frozenset(
        fold_name(token.name)
        for position, token in enumerate(tokens)
        if token.kind is Kind.WORD
        or (
            token.kind is Kind.QUOTED
            and (token.text[0] != '"' or _must_be_a_name(tokens, position))
        )
    )


def without_parentheses(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return ``tokens`` without the parentheses that enclose all of them, if any do."""
    closing_of = closings(tokens)
    start, end = 0, len(tokens)
    while end - start > 1 and closing_of.get(start) == end - 1:
        start, end = start + 1, end - 1
    return tokens[start:end]


def readable(tokens: Tokens) -> str:
    """Return folded ``tokens`` as one line of SQL for a reader."""
    parts: list[str] = []
    previous = "("
    for part in tokens:
        parts.append(part if _is_tight(previous, part) else f" {part}")
        previous = part
    return "".join(parts)


def _is_tight(previous: str, part: str) -> bool:
    """Return whether no blank is put between the two."""
    if part in (",", ")", ".", ";") or previous in ("(", "."):
        return True
    is_call = previous.isidentifier() and previous not in KEYWORDS_BEFORE_PARENTHESIS
    return is_call and part == "("


def equal_under(renamed: Mapping[str, Collection[str]], before: Tokens, after: Tokens) -> bool:
    """Return whether ``after`` is ``before`` with names replaced.

    ``renamed`` maps a token before to the tokens it may become; all others must stay.
    """
    return len(before) == len(after) and all(
        new in renamed[old] if old in renamed else new == old
        for old, new in zip(before, after, strict=True)
    )
