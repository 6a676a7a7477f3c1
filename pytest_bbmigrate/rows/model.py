"""What is compared, and the differences that are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.values import Cell

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

Key = tuple[Cell, ...]
Row = tuple[Cell, ...]
NO_CONDITION: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pairing:
    """A table before and after: its names, and the columns to compare, as pairs (before, after).

    ``key`` are the columns that identify a row, by their names before; they are among ``columns``.
    Without a key the rows are compared as a multiset; ``by_rowid`` is whether their rowids may tell
    which of them has become which.
    """

    before: str
    after: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    by_rowid: bool = True


@dataclass(frozen=True)
class RowConditions:
    """SQL ``conditions`` that each row before is tested by, on a connection ``db`` of their own.

    Its ``main`` is the database before, so that subqueries find the rows before as well; the
    database after is attached as ``after``. Each condition is SQL that may follow WHERE.
    """

    db: sqlite3.Connection
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class RowLost:
    """A row before that is missing after; ``row`` is its cells by the names of columns before.

    ``key`` is () when rows are compared as a multiset. ``satisfied`` are the conditions, of those
    that were given, that hold for the row.
    """

    table: str
    key: Key
    row: Mapping[str, Cell]
    satisfied: frozenset[str] = NO_CONDITION


@dataclass(frozen=True)
class RowAdded:
    """A row after that was missing before; ``row`` is its cells by the names of columns before."""

    table: str
    key: Key
    row: Mapping[str, Cell]


@dataclass(frozen=True)
class ValueChanged:
    """One cell that is not exactly what it was; ``column`` is its name before.

    ``satisfied`` are the conditions, of those that were given, that held for the row before.
    """

    table: str
    key: Key
    column: str
    before: Cell
    after: Cell
    satisfied: frozenset[str] = NO_CONDITION


RowDifference = RowLost | RowAdded | ValueChanged
