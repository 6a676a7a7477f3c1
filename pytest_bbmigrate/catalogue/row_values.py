"""The values of INSERTs of literals alone, of which a dump has a hundred thousand of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.literals import (
    ReadStatement,
    checksum_forms,
    insert_columns,
    number_of,
    overwritten,
    read_statement,
    sql_literals,
)
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.plain_rows import plain_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.literals import Literal
    from pytest_bbmigrate.sql.reading import Command

Value = str | int | float
SHORT = 18  # digits that fit into 64 bits, whatever they are


@dataclass(frozen=True)
class RowsShape:
    """What INSERTs of literals that differ in their values alone have in common.

    ``read`` is one of them, with other values.
    """

    read: ReadStatement

    @cached_property
    def checksum_form(self) -> str:
        """What stands in front of the rows, as ``checksum_forms`` has it, with NULs between."""
        last = max(at for at, word in enumerate(self.read.folded) if word == "values")
        return "\0".join(checksum_forms(self.read)[: last + 1])

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns (folded) that the values in their order are for."""
        command = self.read.command
        return insert_columns(command) if isinstance(command, Insert) else ()

    @cached_property
    def keys(self) -> frozenset[str] | None:
        """The columns by which rows are found that it overwrites, as ``overwritten`` has them."""
        return overwritten(self.read.command)


@dataclass(frozen=True)
class ReadRows:
    """An INSERT of literals: its shape, and its values, each with its place in its row."""

    of: RowsShape
    values: tuple[tuple[int, Value], ...]

    @property
    def shape(self) -> ReadStatement:
        """The same statement with other values."""
        return self.of.read

    @property
    def command(self) -> Command:
        """The clauses of its shape."""
        return self.of.read.command

    def literals(self) -> Iterator[Literal]:
        """Yield its values as ``ReadStatement.literals`` has them."""
        columns = self.of.columns if self.of.keys is None else ()
        for place, value in self.values:
            yield None, value
            if place < len(columns):
                yield columns[place], value

    def overwriting(self) -> Iterator[Literal]:
        """Yield what ``literals.overwriting`` returns of another statement."""
        keys, columns = self.of.keys, self.of.columns
        for place, value in self.values if keys else ():
            if place < len(columns) and columns[place] in (keys or ()):
                yield columns[place], value


Read = ReadStatement | ReadRows


class StatementReader:
    """Reads statements one by one; a shape that was met before is not read again."""

    def __init__(self) -> None:
        self._shapes: dict[str, RowsShape] = {}

    def read(self, sql: str) -> tuple[Read, list[str]]:
        """Return ``sql``, read, and the tokens of its rows, if these are literals alone.

        Raises: UnreadableSql, as ``read_statement`` does.
        """
        rows = plain_rows(sql)
        if rows is None:
            return read_statement(sql), []
        shape = self._shapes.get(rows.shape)
        if shape is None:
            shape = self._shapes[rows.shape] = RowsShape(read_statement(rows.shape))
        tokens = rows.tokens()
        return ReadRows(shape, tuple(_values(tokens))), tokens


def literals_of(read: Read) -> Iterator[Literal]:
    """Yield the strings and numbers of a statement, as ``sql_literals`` does."""
    return read.literals() if isinstance(read, ReadRows) else sql_literals(read)


def shapes(statements: Iterable[Read]) -> list[ReadStatement]:
    """Return each of ``statements`` in order, and those that differ in their values alone once."""
    return list({id(read.shape): read.shape for read in statements}.values())


def _values(tokens: list[str]) -> Iterator[tuple[int, Value]]:
    """Yield the strings and numbers among the tokens of rows, with their places in their row."""
    place = 0
    sign = False
    for text in tokens:
        first = text[0]
        if text == ",":
            place += 1
        elif text == "(":
            place = 0
        elif text == "-":
            sign = True
        elif first == "'":
            yield place, text[1:-1].replace("''", "'")
        elif first in "0123456789.":
            value = int(text) if len(text) < SHORT and text.isdecimal() else number_of(text)
            if value is not None:
                yield place, -value if sign else value
            sign = False
