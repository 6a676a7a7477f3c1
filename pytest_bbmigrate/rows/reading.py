"""The rows of one side of a comparison, read in order, with the conditions that each one meets."""

from __future__ import annotations

import marshal
import sqlite3
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pytest_bbmigrate.rows.model import Key, Pairing, Row, RowConditions
    from pytest_bbmigrate.sql.values import Cell

BEFORE, AFTER = 0, 1
SCHEMAS = ("before", "main")  # as database.open_contents names them
CONDITION_SCHEMAS = ("main", "after")  # as the connection of a Question has them
CHUNK = 200  # rows read at a time


def exact_bytes(value: Cell | Row | list[Row]) -> bytes:
    """Return bytes that are equal for what is the same in type and every bit, and only then.

    Version 2 of the format holds floats in binary and knows no references to equal objects; it
    takes the lone surrogates that ``database.decode_text`` gives for bytes that are not UTF-8.
    """
    return marshal.dumps(value, 2)


def plain_cursor(db: sqlite3.Connection, sql: str, *parameters: object) -> sqlite3.Cursor:
    """Return a cursor that gives plain tuples, whatever row factory ``db`` has."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters)


def key_positions(pairing: Pairing) -> list[int]:
    """Return where in a row the columns of the key are."""
    places = {fold_name(names[BEFORE]): place for place, names in enumerate(pairing.columns)}
    return [places[fold_name(name)] for name in pairing.key]


def satisfied_by(conditions: Sequence[str]) -> Callable[[Row], frozenset[str]]:
    """Return a function from marks, 1 or 0 for each of ``conditions``, to those that are met."""

    @cache
    def met(marks: Row) -> frozenset[str]:
        pairs = zip(conditions, marks, strict=True)
        return frozenset(text for text, mark in pairs if mark)

    return met


def mark_name(number: int) -> str:
    """Return the name of the column that has the mark of a condition, by its number."""
    return f"bb condition {number}"


@dataclass(frozen=True)
class SplitRows:
    """Rows that are read in two parts, which are in one order: cells, and marks of conditions.

    A result may not have more columns than a table (https://sqlite.org/limits.html).
    """

    cells: sqlite3.Cursor
    marks: sqlite3.Cursor

    def fetchmany(self, size: int) -> list[Row]:
        """Return the next rows, ``size`` of them at most."""
        return list(islice(self, size))

    def __iter__(self) -> Iterator[Row]:
        for row, marks in zip(self.cells, self.marks, strict=True):
            yield (*row, *marks)


Rows = sqlite3.Cursor | SplitRows


def in_order(columns: Collection[str]) -> str:
    """Return the ORDER BY for ``columns``, by their bytes; '' for none."""
    order = ", ".join(f"{column} COLLATE BINARY" for column in columns)
    return f" ORDER BY {order}" if order else ""


class Side:
    """One side of a comparison.

    A row is the cells of the pairing's columns; behind them, where there is a ``question`` and this
    is the side before, stands 1 or 0 for each condition.
    """

    def __init__(
        self, db: sqlite3.Connection, pairing: Pairing, side: int, question: RowConditions | None
    ) -> None:
        self.db, self.schema = db, SCHEMAS[side]
        self.table = (pairing.before, pairing.after)[side]
        self.columns = [self.qualified(names[side]) for names in pairing.columns] or ["NULL"]
        self.width = len(self.columns)
        self.conditions: tuple[str, ...] = ()
        if question is not None and side == BEFORE:
            self.db, self.schema, self.conditions = question.db, "main", question.conditions
        self.marks = [f"CASE WHEN ({text}\n) THEN 1 ELSE 0 END" for text in self.conditions]
        self._met = satisfied_by(self.conditions)

    def qualified(self, column: str) -> str:
        """Return a column as SQL; a bare name in quotes that is no column would be a string."""
        return f"{quote_name(self.table)}.{quote_name(column)}"

    def select(self) -> str:
        """Return the SELECT of every row."""
        return self.select_only(*self.columns, *self.marks)

    def select_only(self, *columns: str) -> str:
        """Return the SELECT of ``columns`` of every row."""
        return f"SELECT {', '.join(columns)} FROM {self.schema}.{quote_name(self.table)}"

    def rows(self, places: Collection[int] = ()) -> Rows:
        """Return every row; in the order of the columns at ``places``, by their bytes."""
        return self.rows_by(*(self.columns[place] for place in places))

    def rows_by(self, *columns: str) -> Rows:
        """Return every row in the order of ``columns``, given as SQL, by their bytes."""
        most = self.db.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
        identity = self.identity() if self.width + len(self.marks) > most else ()
        if not identity:
            return plain_cursor(self.db, self.select() + in_order(columns))
        order = in_order((*columns, *identity))
        cells, marks = self.select_only(*self.columns), self.select_only(*self.marks)
        return SplitRows(plain_cursor(self.db, cells + order), plain_cursor(self.db, marks + order))

    def identity(self) -> tuple[str, ...]:
        """Return as SQL what no two rows share; nothing where there is nothing."""
        if (name := self.rowid_name()) is not None:
            return (self.qualified(name),)
        table = (self.table, self.schema)
        key = plain_cursor(self.db, "SELECT name FROM pragma_index_info(?, ?)", *table).fetchall()
        return tuple(self.qualified(name) for (name,) in key)

    def chunks(self) -> Iterator[list[Row]]:
        """Yield the rows in no certain order, chunk by chunk."""
        cursor = self.rows()
        while rows := cursor.fetchmany(CHUNK):
            yield rows

    def met(self, row: Row) -> frozenset[str]:
        """Return the conditions that ``row`` meets."""
        return self._met(row[self.width :])

    def rowid_name(self) -> str | None:
        """Return a name of the rowid that is no column's name; None when there is no rowid.

        For a table WITHOUT ROWID, and for no other, index_info tells the key by the table's name
        (https://sqlite.org/pragma.html#pragma_index_info).
        """
        table = (self.table, self.schema)
        if plain_cursor(self.db, "SELECT 1 FROM pragma_index_info(?, ?)", *table).fetchone():
            return None
        columns = plain_cursor(self.db, "SELECT name FROM pragma_table_xinfo(?, ?)", *table)
        taken = {fold_name(name) for (name,) in columns}
        return next((name for name in ROWID_NAMES if name not in taken), None)


class Stream:
    """The rows of a side in the order of its key, to be looked at before they are taken."""

    def __init__(self, side: Side, places: Sequence[int]) -> None:
        self.side = side
        self._places = places
        self._cursor = side.rows(places)
        self._rows: list[Row] = []
        self._at = 0  # of the next row among these
        self._width = side.width if side.conditions else None

    def ahead(self) -> int:
        """Return how many rows can be looked at, 0 at the end; CHUNK where so many are left."""
        if len(self._rows) - self._at < CHUNK:
            del self._rows[: self._at]
            self._at = 0
            self._rows += self._cursor.fetchmany(CHUNK - len(self._rows))
        return len(self._rows)

    def exact(self, count: int) -> bytes:
        """Return the next ``count`` rows as exact bytes, conditions aside."""
        rows = self._rows[self._at : self._at + count]
        return exact_bytes(rows if self._width is None else [row[: self._width] for row in rows])

    def skip(self, count: int) -> None:
        """Pass over the next ``count`` rows, which can be looked at."""
        self._at += count

    def keys(self, count: int) -> list[Key]:
        """Return the keys of the next ``count`` rows."""
        rows = self._rows[self._at : self._at + count]
        return [tuple([row[place] for place in self._places]) for row in rows]

    def key(self) -> Key | None:
        """Return the key of the next row; None at the end."""
        if self._at == len(self._rows) and not self.ahead():
            return None
        row = self._rows[self._at]
        return tuple([row[place] for place in self._places])

    def take(self) -> Row:
        """Return the next row, after ``key`` has told that there is one, and go on behind it."""
        row = self._rows[self._at]
        self._at += 1
        return row
