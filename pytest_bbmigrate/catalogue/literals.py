"""The strings and numbers in SQL, each with the column that it is compared with or written to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import Kind, fold, quote_name, tokenize
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import clause_words, enclosing, fold_tokens, keyword, outline
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import command_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.sql import Token
    from pytest_bbmigrate.sql.cursor import Tokens
    from pytest_bbmigrate.sql.reading import Command

Literal = tuple[str | None, str | int | float]

COMPARISONS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
COMPARING_WORDS = frozenset({"like", "is", "in"})
ASKING = frozenset({"select", "insert", "replace", "update", "delete", "with"})
LARGEST_INTEGER = 2**63
NAMES = (Kind.WORD, Kind.QUOTED)
NO_COLUMNS = frozenset(
    {
        *("select", "from", "where", "and", "or", "not", "in", "is", "null", "case", "when"),
        *("then", "else", "end", "between", "exists", "distinct", "as", "on", "set", "values"),
    }
)


@dataclass(frozen=True)
class ReadStatement:
    """One statement: its tokens, and its clauses."""

    tokens: Tokens
    command: Command

    @cached_property
    def literals(self) -> tuple[tuple[int, Literal], ...]:
        """The strings and numbers in it, each with the index of its token."""
        return tuple(_indexed_literals(self))

    @cached_property
    def clauses(self) -> list[str]:
        """The word that begins the clause of each token."""
        return clause_words(self.tokens)

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Each token, folded."""
        return fold_tokens(self.tokens)

    @cached_property
    def words(self) -> frozenset[str]:
        """The tokens, folded, each once: to see what need not be looked for."""
        return frozenset(self.folded)

    @property
    def shape(self) -> ReadStatement:
        """Itself; see ``ReadRows``."""
        return self

    @property
    def verb(self) -> str:
        """The word that it begins with, folded."""
        return keyword(self.tokens[0]) if self.tokens else ""


def read_statement(sql: str) -> ReadStatement:
    """Return the tokens and the clauses of one statement.

    Raises: UnreadableSql, as ``tokenize`` does.
    """
    tokens = tokenize(sql)
    return ReadStatement(tokens, command_of(tokens))


def checksum_forms(read: ReadStatement) -> list[str]:
    """Return the tokens of a statement as the checksum covers them.

    They are folded, and equal only where the meaning is: not those in double quotes.
    """
    return [
        word if token.kind is not Kind.QUOTED else _quoted_form(token)
        for token, word in zip(read.tokens, read.folded, strict=True)
    ]


def _quoted_form(token: Token) -> str:
    name = token.name if token.text.startswith('"') else fold_name(token.name)
    return name if name.isidentifier() else quote_name(name)


def sql_literals(read: ReadStatement) -> Iterator[Literal]:
    """Yield the strings and numbers of SQL with the column (case-folded) each is compared with.

    The column is that of ``c = 1``, ``c <> 1``, ``c < 1`` and the like, ``c IN (1, 2)``,
    ``c LIKE 'x'`` and ``c IS 'x'``, with or without NOT, and of ``CASE c WHEN 'x'``; None for any
    other value.
    """
    return (literal for _, literal in read.literals)


def assigned_literals(statements: Iterable[ReadStatement]) -> tuple[Literal, ...]:
    """Return what the UPDATEs among ``statements`` set columns to, as (column, value)."""
    assigned: list[Literal] = []
    for read in statements:
        if read.verb in ("update", "with"):
            assigned += (
                literal
                for index, literal in read.literals
                if literal[0] and read.clauses[index] == "set"
            )
    return distinct(assigned)


def overwriting(read: ReadStatement) -> list[Literal]:
    """Return the keys, as (column, value), of the rows that REPLACE or an upsert may overwrite."""
    keys = overwritten(read.command)
    if not keys:
        return []
    columns = _inserted(read.command)
    starts = [token.start for token in read.tokens]
    return [
        (columns[starts[index]], literal[1])
        for index, literal in read.literals
        if columns.get(starts[index]) in keys
    ]


def overwritten(command: Command) -> frozenset[str] | None:
    """Return the columns, folded, by which an INSERT finds what it overwrites; None if it fails.

    They are those of ON CONFLICT (..), else the first column named; none if rows are kept.
    """
    if not isinstance(command, Insert) or not command.rows:
        return None
    if command.upserts:
        updating = (upsert for upsert in command.upserts if upsert.assignments)
        return frozenset(fold(term[0]) for upsert in updating for term in upsert.target if term)
    if command.conflict == "replace":
        return frozenset(map(fold_name, command.columns[:1])) or frozenset({"rowid"})
    return frozenset() if command.conflict == "ignore" else None


def _inserted(command: Command) -> dict[int, str]:
    """Return the column (folded) that each value in the VALUES of an INSERT is for.

    By where it begins in the statement.
    """
    if not isinstance(command, Insert):
        return {}
    columns = insert_columns(command)
    return {
        token.start: column
        for row in command.rows
        for column, cell in zip(columns, row, strict=False)
        for _, token in outline(cell)
    }


def insert_columns(command: Insert) -> tuple[str, ...]:
    """Return the columns (folded) that the values in a row are for; the first, where none is named.

    That one is taken for the row's number.
    """
    return tuple(map(fold_name, command.columns)) or ("rowid",)


def _indexed_literals(read: ReadStatement) -> Iterator[tuple[int, Literal]]:
    tokens = read.tokens
    inserted = {} if overwritten(read.command) is not None else _inserted(read.command)
    opened = enclosing(tokens)
    asked_by_case = case_columns(tokens) if "case" in read.words else {}
    for index, (kind, _, start) in enumerate(tokens):
        if kind is not Kind.STRING and kind is not Kind.NUMBER:
            continue
        listed = _column_compared(tokens, max(opened[index], 0))  # of the IN before it
        for column, value in _literal(tokens, index, listed):
            yield index, (asked_by_case.get(index, column), value)
            if start in inserted:
                yield index, (inserted[start], value)


def distinct(literals: Iterable[Literal]) -> tuple[Literal, ...]:
    """Return ``literals`` in order, each once; 1 and 1.0 are two."""
    seen: dict[tuple[object, ...], Literal] = {}
    for literal in literals:  # of millions, in a dump: most are their own key
        seen[(float, *literal) if type(literal[1]) is float else literal] = literal
    return tuple(seen.values())


def case_columns(tokens: Tokens) -> dict[int, str]:
    """Return the column (folded) that a CASE compares with what stands after each of its WHENs.

    By the index of that token; not for a CASE whose WHENs are conditions.
    """
    columns: dict[int, str] = {}
    operands: list[str] = []  # of the CASEs that are open, the innermost last
    for index, token in enumerate(tokens):
        word = keyword(token)
        if word == "case":
            column, end = column_at(tokens, index + 1)
            operands.append(column if column and keyword(tokens[end]) == "when" else "")
        elif word == "end" and operands:
            operands.pop()
        elif word == "when" and operands and operands[-1]:
            columns[index + 1] = operands[-1]
    return columns


def column_at(tokens: Tokens, index: int) -> tuple[str, int]:
    """Return the column (folded), with or without its table, at ``index``, and where it ends.

    '' where no bare column followed by anything stands there.
    """
    end = index
    while end + 2 < len(tokens) and tokens[end].kind in NAMES and tokens[end + 1].text == ".":
        end += 2
    if end + 1 >= len(tokens) or tokens[end].kind not in NAMES or tokens[end + 1].text == "(":
        return "", index
    return ("" if is_operator(tokens[end]) else fold_name(tokens[end].name)), end + 1


def is_operator(token: Token) -> bool:
    """Return whether a word is none that a column can have without quotes."""
    return keyword(token) in NO_COLUMNS


def literal_of(tokens: Tokens) -> str | int | float | None:
    """Return the value of ``tokens`` where they are one literal, perhaps with its sign."""
    sign, last = tokens[:-1], tokens[-1]
    if len(tokens) > 2 or (sign and sign[0].text != "-"):
        return None
    if last.kind is Kind.STRING:
        return None if sign else last.name
    value = number_of(last.text) if last.kind is Kind.NUMBER else None
    return -value if sign and value is not None else value


def _literal(tokens: Tokens, index: int, listed: str | None) -> Iterator[Literal]:
    """Yield the value at ``index``; ``listed`` is the column of the list that it is in."""
    token = tokens[index]
    value = token.name if token.kind is Kind.STRING else number_of(token.text)
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


def number_of(text: str) -> int | float | None:
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
