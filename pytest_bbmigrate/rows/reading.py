"""Read the rows of one side of a comparison, with the conditions that each satisfies."""

from __future__ import annotations

import marshal
import sqlite3
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pytest_bbmigrate.rows.model import Key, Pairing, Row, RowConditions
    from pytest_bbmigrate.sql.values import Cell

BEFORE, AFTER = 0, 1
SCHEMAS = ("before", "main")  # as ``open_contents`` names them
CONDITION_SCHEMAS = ("main", "after")  # as ``RowConditions.db`` names them
CHUNK = 200  # rows read at a time


def exact_bytes(value: Cell | Row | list[Row]) -> bytes:
    """Return bytes that are equal if and only if values are the same in type and every bit.

    Version 2 of the format of ``marshal`` stores floats in binary and has no references to equal
    objects. It takes the lone surrogates that ``decode_text`` makes of bytes that are not UTF-8.
    """
    return marshal.dumps(value, 2)


def plain_cursor(db: sqlite3.Connection, sql: str, *parameters: object) -> sqlite3.Cursor:
    """Execute ``sql``; return a cursor that gives plain tuples, whatever row factory ``db`` has."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters)


def key_positions(pairing: Pairing) -> list[int]:
    """Return the indexes in a row of the columns of the key."""
    positions = {fold_name(names[BEFORE]): number for number, names in enumerate(pairing.columns)}
    return [positions[fold_name(name)] for name in pairing.key]


def satisfied_by(conditions: Sequence[str]) -> Callable[[Row], frozenset[str]]:
    """Return a function from marks, 1 or 0 for each of ``conditions``, to the ones that hold."""

    @cache
    def satisfied(marks: Row) -> frozenset[str]:
        pairs = zip(conditions, marks, strict=True)
        return frozenset(text for text, mark in pairs if mark)

    return satisfied


def mark_name(number: int) -> str:
    """Return the name of the column with the mark (1 or 0) of the condition of that number."""
    return f"bb condition {number}"


@dataclass(frozen=True)
class SplitRows:
    """Rows that are read by several queries in the same order, each giving a ``part`` of them.

    One query does not suffice if a row has many cells, or marks of conditions behind them: a result
    may not have more columns than a table (https://sqlite.org/limits.html).
    """

    parts: tuple[sqlite3.Cursor, ...]

    def fetchmany(self, size: int) -> list[Row]:
        """Return the next rows, at most ``size``."""
        return list(islice(self, size))

    def __iter__(self) -> Iterator[Row]:
        for parts in zip(*self.parts, strict=True):
            yield tuple(chain.from_iterable(parts))


Rows = sqlite3.Cursor | SplitRows


def in_order(columns: Collection[str]) -> str:
    """Return ORDER BY ``columns``, given as SQL, by their bytes; '' for no columns."""
    order = ", ".join(f"{column} COLLATE BINARY" for column in columns)
    return f" ORDER BY {order}" if order else ""


class Side:
    """One side of a comparison.

    A row is the cells of the pairing's columns. On the side before, 1 or 0 for each of the
    ``conditions`` stands behind them.
    """

    def __init__(
        self, db: sqlite3.Connection, pairing: Pairing, side: int, conditions: RowConditions | None
    ) -> None:
        self.db, self.schema = db, SCHEMAS[side]
        self.table = (pairing.before, pairing.after)[side]
        self.columns = [self.qualified(names[side]) for names in pairing.columns] or ["NULL"]
        self.width = len(self.columns)
        self.conditions: tuple[str, ...] = ()
        if conditions is not None and side == BEFORE:
            self.db, self.schema, self.conditions = conditions.db, "main", conditions.conditions
        self.marks = [f"CASE WHEN ({text}\n) THEN 1 ELSE 0 END" for text in self.conditions]
        self._satisfied = satisfied_by(self.conditions)

    def qualified(self, column: str) -> str:
        """Return a column as SQL; a bare name in quotes that is no column would be a string."""
        return f"{quote_name(self.table)}.{quote_name(column)}"

    def select(self) -> str:
        """Return the SELECT of every row."""
        return self.select_only(*self.columns, *self.marks)

    def select_only(self, *columns: str) -> str:
        """Return the SELECT of ``columns`` of every row."""
        return f"SELECT {', '.join(columns)} FROM {self.schema}.{quote_name(self.table)}"

    def rows(self, key_columns: Collection[int] = ()) -> Rows:
        """Return every row; in the order of the columns at ``key_columns``, by their bytes."""
        return self.rows_by(*(self.columns[number] for number in key_columns))

    def rows_by(self, *columns: str) -> Rows:
        """Return every row in the order of ``columns``, given as SQL, by their bytes."""
        most = self.db.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
        wanted = (*self.columns, *self.marks)
        identity = self.identity() if len(wanted) > most else ()
        if not identity:
            return plain_cursor(self.db, self.select() + in_order(columns))
        order = in_order((*columns, *identity))
        parts = (wanted[start : start + most] for start in range(0, len(wanted), most))
        return SplitRows(
            tuple(plain_cursor(self.db, self.select_only(*part) + order) for part in parts)
        )

    def identity(self) -> tuple[str, ...]:
        """Return as SQL columns in which no two rows are equal; () if there are none."""
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

    def satisfied(self, row: Row) -> frozenset[str]:
        """Return the conditions that ``row`` satisfies."""
        return self._satisfied(row[self.width :])

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
    """The rows of a side in the order of its key; the next ones can be looked at before taking."""

    def __init__(self, side: Side, key_columns: Sequence[int]) -> None:
        self.side = side
        self._key_columns = key_columns
        self._cursor = side.rows(key_columns)
        self._rows: list[Row] = []
        self._next = 0  # index in _rows of the next row
        self._width = side.width if side.conditions else None

    def ahead(self) -> int:
        """Return how many rows can be looked at: CHUNK, or what is left of the table."""
        if len(self._rows) - self._next < CHUNK:
            del self._rows[: self._next]
            self._next = 0
            self._rows += self._cursor.fetchmany(CHUNK - len(self._rows))
        return len(self._rows)

    def exact(self, count: int) -> bytes:
        """Return the exact bytes of the next ``count`` rows, without marks of conditions."""
        rows = self._rows[self._next : self._next + count]
        return exact_bytes(rows if self._width is None else [row[: self._width] for row in rows])

    def skip(self, count: int) -> None:
        """Skip the next ``count`` rows, at most ``ahead()``."""
        self._next += count

    def keys(self, count: int) -> list[Key]:
        """Return the keys of the next ``count`` rows."""
        rows = self._rows[self._next : self._next + count]
        return [tuple([row[number] for number in self._key_columns]) for row in rows]

    def key(self) -> Key | None:
        """Return the key of the next row; None at the end."""
        if self._next == len(self._rows) and not self.ahead():
            return None
        row = self._rows[self._next]
        return tuple([row[number] for number in self._key_columns])

    def take(self) -> Row:
        """Take the next row; call ``key`` before, to know that there is one."""
        row = self._rows[self._next]
        self._next += 1
        return row
