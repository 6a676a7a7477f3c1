"""What a migration's SQL says: its checksum, literals, and the objects it drops by name."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql import Kind, fold, quote_name, tokenize
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import clause_words, enclosing, keyword, outline
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import command_of
from pytest_bbmigrate.sql.schema_clauses import Drop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.sql import Statement, Token
    from pytest_bbmigrate.sql.cursor import Tokens
    from pytest_bbmigrate.sql.reading import Command

Literal = tuple[str | None, str | int | float]

COMPARISONS = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
COMPARING_WORDS = frozenset({"like", "is", "in"})
DROPPED = frozenset({"index", "trigger", "view"})
ASKING = frozenset({"select", "insert", "replace", "update", "delete", "with"})
LARGEST_INTEGER = 2**63


class ReadStatement(NamedTuple):
    """One statement: its tokens, and its clauses."""

    tokens: Tokens
    command: Command

    @property
    def verb(self) -> str:
        """The word that it begins with, folded."""
        return keyword(self.tokens[0]) if self.tokens else ""


@dataclass(frozen=True)
class StatementFacts:
    """Facts from a migration's text, for the fields of Migration of the same names."""

    checksum: str
    literals: tuple[Literal, ...]
    explicit_drops: frozenset[tuple[str, str]]
    expected_literals: tuple[Literal, ...] = ()
    assigned_literals: tuple[Literal, ...] = ()


def sql_facts(up: Iterable[Statement], down: Iterable[Statement]) -> StatementFacts:
    """Return the facts of an SQL migration.

    The checksum is the SHA-256 of the tokens of all statements, in hexadecimal: comments, white
    space, line ends and the case of words do not matter. Text in double quotes counts with its
    case, for SQLite takes it for a string where no column has that name
    (https://sqlite.org/quirks.html#dblquote).
    """
    digest = hashlib.sha256()
    literals: list[Literal] = []
    drops: set[tuple[str, str]] = set()
    up_statements: list[ReadStatement] = []
    for part in (up, down):
        for statement in part:
            read = read_statement(statement.text)
            digest.update("\0".join(map(_checksum_form, read.tokens)).encode() + b"\0;")
            literals.extend(sql_literals(read))
            if part is up:
                up_statements.append(read)
                drops.update(explicit_drops(read.command))
        digest.update(b"\0/")
    return StatementFacts(
        digest.hexdigest(),
        distinct(literals),
        frozenset(drops),
        expected_literals(up_statements),
        assigned_literals(up_statements),
    )


def read_statement(sql: str) -> ReadStatement:
    """Return the tokens and the clauses of one statement.

    Raises: UnreadableSql, as ``tokenize`` does.
    """
    tokens = tokenize(sql)
    return ReadStatement(tokens, command_of(tokens))


def sql_literals(read: ReadStatement) -> Iterator[Literal]:
    """Yield the strings and numbers of SQL with the column (case-folded) each is compared with.

    The column is that of ``c = 1``, ``c <> 1``, ``c < 1`` and the like, ``c IN (1, 2)``,
    ``c LIKE 'x'`` and ``c IS 'x'``, with or without NOT; None for any other value.
    """
    return (literal for _, literal in _indexed_literals(read))


def expected_literals(
    statements: Iterable[ReadStatement], written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return the values that conditions of ``statements`` ask of rows, as (column, value).

    Without those that one of them writes, or that are in ``written``: rows need not hold them
    before.
    """
    conditions: list[Literal] = []
    written_here = set(written)
    for read in statements:
        if read.verb in ASKING:
            conditions += (overwritten := _overwriting(read))
            clauses = clause_words(read.tokens)
            for index, (column, value) in _indexed_literals(read):
                if column is None or clauses[index] in ("set", "values"):
                    written_here.update({value} - {value for _, value in overwritten})
                else:
                    conditions.append((column, value))
    return distinct(literal for literal in conditions if literal[1] not in written_here)


def assigned_literals(statements: Iterable[ReadStatement]) -> tuple[Literal, ...]:
    """Return what the UPDATEs among ``statements`` set columns to, as (column, value)."""
    assigned: list[Literal] = []
    for read in statements:
        if read.verb in ("update", "with"):
            clauses = clause_words(read.tokens)
            assigned += (
                literal
                for index, literal in _indexed_literals(read)
                if literal[0] and clauses[index] == "set"
            )
    return distinct(assigned)


def _overwriting(read: ReadStatement) -> list[Literal]:
    """Return the keys, as (column, value), of the rows that REPLACE or an upsert may overwrite."""
    keys, columns = _overwritten(read.command), _inserted(read.command)
    starts = [token.start for token in read.tokens]
    return [
        (columns[starts[index]], literal[1])
        for index, literal in _indexed_literals(read)
        if keys and columns.get(starts[index]) in keys
    ]


def _overwritten(command: Command) -> frozenset[str] | None:
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

    By where it begins in the statement. Where no columns are named, the first one is taken for the
    row's number.
    """
    if not isinstance(command, Insert):
        return {}
    columns = [fold_name(column) for column in command.columns] or ["rowid"]
    return {
        token.start: column
        for row in command.rows
        for column, cell in zip(columns, row, strict=False)
        for _, token in outline(cell)
    }


def _indexed_literals(read: ReadStatement) -> Iterator[tuple[int, Literal]]:
    """Yield the literals of a statement, each with the index of its token."""
    tokens = read.tokens
    inserted = {} if _overwritten(read.command) is not None else _inserted(read.command)
    opened = enclosing(tokens)
    for index, (kind, _, start) in enumerate(tokens):
        if kind is not Kind.STRING and kind is not Kind.NUMBER:
            continue
        listed = _column_compared(tokens, max(opened[index], 0))  # of the IN before it
        for literal in _literal(tokens, index, listed):
            yield index, literal
            if start in inserted:
                yield index, (inserted[start], literal[1])


def distinct(literals: Iterable[Literal]) -> tuple[Literal, ...]:
    """Return ``literals`` in order, each once; 1 and 1.0 are two."""
    seen = {(column, type(value), value): (column, value) for column, value in literals}
    return tuple(seen.values())


def explicit_drops(command: Command) -> Iterator[tuple[str, str]]:
    """Yield (kind, folded name) of what a DROP INDEX, DROP TRIGGER or DROP VIEW drops."""
    if isinstance(command, Drop) and command.kind in DROPPED and command.name.name:
        yield command.kind, command.name.folded


def _checksum_form(token: Token) -> str:
    """Return a token as the checksum covers it: equal only where the meaning is."""
    if token.kind is not Kind.QUOTED:
        return fold(token)
    name = token.name if token.text.startswith('"') else fold_name(token.name)
    return name if name.isidentifier() else quote_name(name)


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
