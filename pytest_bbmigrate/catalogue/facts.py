"""What is known of a migration from the tokens of its SQL: checksum, literals, plain drops."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import Kind, fold, quote_name, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.sql import Statement, Token

Tokens = tuple["Token", ...]
Literal = tuple[str | None, str | int | float]

COMPARISONS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
COMPARING_WORDS = frozenset({"like", "is", "in"})
DROPPED = frozenset({"index", "trigger", "view"})
ASKING = frozenset({"select", "insert", "replace", "update", "delete", "with"})
CLAUSES = frozenset({"set", "where", "values", "select", "from", "on", "having", "when", "then"})
LARGEST_INTEGER = 2**63


@dataclass(frozen=True)
class StatementFacts:
    """What a migration's text says, as the fields of Migration of the same names have it."""

    checksum: str
    literals: tuple[Literal, ...]
    explicit_drops: frozenset[tuple[str, str]]
    expected_literals: tuple[Literal, ...] = ()
    assigned_literals: tuple[Literal, ...] = ()


def sql_facts(up: Iterable[Statement], down: Iterable[Statement]) -> StatementFacts:
    """Return the facts of an SQL migration.

    The checksum is the SHA-256 of the tokens of all statements, in hexadecimal: comments, white
    space, line ends and the case of words do not matter. What stands in double quotes counts with
    its case, for SQLite takes it for a string where no column is called so
    (https://sqlite.org/quirks.html#dblquote).
    """
    digest = hashlib.sha256()
    literals: list[Literal] = []
    drops: set[tuple[str, str]] = set()
    for part in (up, down):
        for statement in part:
            tokens = tokenize(statement.text)
            digest.update("\0".join(map(_exactly, tokens)).encode() + b"\0;")
            literals.extend(sql_literals(tokens))
            if part is up:
                drops.update(explicit_drops(tokens))
        digest.update(b"\0/")
    read = [tokenize(statement.text) for statement in up]
    return StatementFacts(
        digest.hexdigest(),
        distinct(literals),
        frozenset(drops),
        sought_values(read),
        assigned_values(read),
    )


def sql_literals(tokens: Tokens) -> Iterator[Literal]:
    """Yield the strings and numbers of SQL with the column (case-folded) each is compared with.

    A value stands with a column in ``c = 1``, ``c <> 1``, ``c < 1`` and the like, ``c IN (1, 2)``,
    ``c LIKE 'x'``, ``c IS 'x'``, with or without NOT; any other stands with None.
    """
    return (literal for _, literal in _placed_literals(tokens))


def sought_values(
    statements: Iterable[Tokens], written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return what the conditions of ``statements`` ask of rows and none of them writes itself.

    Each as (column, value); values in ``written`` are not among them either.
    """
    asked: list[Literal] = []
    own = set(written)
    for tokens in statements:
        if tokens and fold(tokens[0]) in ASKING:
            asked += (overwritten := _overwriting(tokens))
            clauses = _clauses(tokens)
            for index, (column, value) in _placed_literals(tokens):
                if column is None or clauses[index] in ("set", "values"):
                    own.update({value} - {value for _, value in overwritten})
                else:
                    asked.append((column, value))
    return distinct(literal for literal in asked if literal[1] not in own)


def assigned_values(statements: Iterable[Tokens]) -> tuple[Literal, ...]:
    """Return what the UPDATEs among ``statements`` set columns to, as (column, value)."""
    found: list[Literal] = []
    for tokens in statements:
        if tokens and fold(tokens[0]) in ("update", "with"):
            clauses = _clauses(tokens)
            found += (
                lit for at, lit in _placed_literals(tokens) if lit[0] and clauses[at] == "set"
            )
    return distinct(found)


def _clauses(tokens: Tokens) -> list[str]:
    """Return for each token which clause of its query, subquery or CASE it stands in."""
    clauses = []
    open_clauses = [""]
    for token in tokens:
        word = fold(token)
        if word in ("(", "case"):
            open_clauses.append(open_clauses[-1])
        elif word in (")", "end"):
            open_clauses = open_clauses[:-1] or [""]
        elif word in CLAUSES:
            open_clauses[-1] = word
        clauses.append(open_clauses[-1])
    return clauses


def _overwriting(tokens: Tokens) -> list[Literal]:
    """Return the keys, as (column, value), of the rows that REPLACE or an upsert may overwrite."""
    keys, places = _overwritten(tokens), _inserted(tokens)
    return [
        (places[index], literal[1])
        for index, literal in _placed_literals(tokens)
        if keys and places.get(index) in keys
    ]


def _overwritten(tokens: Tokens) -> frozenset[str] | None:
    """Return what tells the rows which an INSERT may meet: its columns, folded; None if it fails.

    Those of ON CONFLICT (..), else the first that is named; none where what is there stays.
    """
    words = [fold(token) for token in tokens]
    if words[:1] not in (["insert"], ["replace"]) or "values" not in words:
        return None
    if "conflict" in words:
        after = words[words.index("conflict") :]
        target = after[2 : after.index(")") : 2] if after[1:2] == ["("] else []
        return frozenset(target) if "update" in after else frozenset()
    if words[0] == "replace" or words[1:3] == ["or", "replace"]:
        start = words.index("values")
        named = words[:start].index("(") + 1 if "(" in words[:start] else None
        return frozenset(words[named : named + 1]) if named else frozenset({"rowid"})
    return frozenset() if words[1:2] == ["or"] else None


def _inserted(tokens: Tokens) -> dict[int, str]:
    """Return for what stands in the VALUES of an INSERT the column (folded) it is for, by place.

    Where no columns are named, the first one is taken for the row's number.
    """
    words = [fold(token) for token in tokens]
    if not words or words[0] not in ("insert", "replace") or "values" not in words:
        return {}
    start = words.index("values")
    named = words[words.index("(") + 1 : start - 1 : 2] if "(" in words[:start] else ["rowid"]
    found, depth, column = {}, 0, 0
    for index in range(start + 1, len(words)):
        depth += {"(": 1, ")": -1}.get(words[index], 0)
        if words[index] == "(" and depth == 1:
            column = 0
        elif words[index] == "," and depth == 1:
            column += 1
        elif depth == 1 and column < len(named):
            found[index] = named[column]
    return found


def _placed_literals(tokens: Tokens) -> Iterator[tuple[int, Literal]]:
    """Yield the literals of a statement and where they stand in it."""
    inserted = {} if _overwritten(tokens) is not None else _inserted(tokens)
    lists: list[str | None] = [None]  # for each open parenthesis, the column of the IN before it
    for index, (kind, text, _) in enumerate(tokens):
        if text == "(":
            lists.append(_column_compared(tokens, index))
        elif text == ")":
            lists = lists[:-1] or [None]
        elif kind is Kind.STRING or kind is Kind.NUMBER:
            for literal in _literal(tokens, index, lists[-1]):
                yield index, literal
                if index in inserted:
                    yield index, (inserted[index], literal[1])


def distinct(literals: Iterable[Literal]) -> tuple[Literal, ...]:
    """Return ``literals`` in order, each once; 1 and 1.0 are two."""
    seen = {(column, type(value), value): (column, value) for column, value in literals}
    return tuple(seen.values())


def explicit_drops(tokens: Tokens) -> Iterator[tuple[str, str]]:
    """Yield (kind, folded name) of every DROP INDEX, DROP TRIGGER and DROP VIEW statement."""
    starts = [0, *(index + 1 for index, token in enumerate(tokens) if token.text == ";")]
    for start in starts:
        # DROP INDEX IF EXISTS schema . name
        drop, kind, *words = [
            *(fold_name(token.name) for token in tokens[start : start + 7]),
            "",
            "",
        ]
        if drop != "drop" or kind not in DROPPED:
            continue
        if words[:2] == ["if", "exists"]:
            del words[:2]
        if words[1:2] == ["."]:
            del words[:2]
        if words and words[0]:
            yield kind, words[0]


def _exactly(token: Token) -> str:
    """Return a token as the checksum covers it: equal only where the meaning is."""
    if token.kind is not Kind.QUOTED:
        return fold(token)
    name = token.name if token.text.startswith('"') else fold_name(token.name)
    return name if name.isidentifier() else quote_name(name)


def _literal(tokens: Tokens, index: int, listed: str | None) -> Iterator[Literal]:
    """Yield the value at ``index``, ``listed`` being the column of the list it stands in."""
    token = tokens[index]
    value = token.name if token.kind is Kind.STRING else number(token.text)
    if value is None:
        return
    signed = not isinstance(value, str) and index > 0 and tokens[index - 1].text == "-"
    place = index - signed  # of the value with its sign
    in_list = place > 0 and tokens[place - 1].text in ("(", ",")
    column = listed if in_list else _column_compared(tokens, place)
    if signed and not isinstance(value, str) and (column or in_list):
        value = -value
    yield column, value


def _column_compared(tokens: Tokens, index: int) -> str | None:
    """Return the column (case-folded) before the comparison that ends before ``index``, or None."""
    words = [fold_name(token.text) for token in tokens[max(index - 3, 0) : index]]
    length = _length_of_comparison(words)
    place = index - length - 1
    if not length or place < 0 or tokens[place].kind not in (Kind.WORD, Kind.QUOTED):
        return None
    return fold_name(tokens[place].name)


def _length_of_comparison(words: list[str]) -> int:
    """Return how many of the last of ``words`` are a comparison: IS NOT and NOT IN are two."""
    if not words:
        return 0
    if words[-1] in COMPARISONS:
        return 1
    if words[-1] in COMPARING_WORDS:
        return 2 if words[-2:-1] == ["not"] else 1
    return 2 if words[-2:] == ["is", "not"] else 0


def number(text: str) -> int | float | None:
    """Return the number that SQLite reads in a numeric literal, None for an infinite one."""
    digits = text.replace("_", "")
    if digits[:2].lower() == "0x":
        value = int(digits, 16)
        return None if value >= 2 * LARGEST_INTEGER else _as_signed(value)
    if digits.isdecimal() and len(digits) < 20 and int(digits) < LARGEST_INTEGER:
        return int(digits)
    return float(digits) if math.isfinite(float(digits)) else None


def _as_signed(value: int) -> int:
    """Return a hexadecimal literal's value: 64 bits in two's complement."""
    return value - 2 * LARGEST_INTEGER if value >= LARGEST_INTEGER else value
