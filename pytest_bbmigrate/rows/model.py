"""What is compared, and what a difference of rows is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

Cell = None | int | float | str | bytes
Key = tuple[Cell, ...]
Row = tuple[Cell, ...]
NO_CONDITION: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pairing:
    """One table as it was and as it is: names, and the columns to compare as (before, after).

    ``key`` are columns (names before, each of them paired too) that identify a row; when empty,
    the rows are compared as a multiset.
    """

    before: str
    after: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class RowConditions:
    """SQL ``conditions`` that each row before is asked, on a connection ``db`` of their own.

    There, ``main`` is the database before, and so a subquery finds the rows before as well; the one
    after is attached as ``after``. Each condition must run after WHERE.
    """

    db: sqlite3.Connection
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class RowLost:
    """A row that was there before and is not there after; ``row`` maps names before to cells.

    ``key`` is () when rows are compared as a multiset; ``met`` are the conditions, of those asked,
    that the row met.
    """

    table: str
    key: Key
    row: Mapping[str, Cell]
    met: frozenset[str] = NO_CONDITION


@dataclass(frozen=True)
class RowAdded:
    """A row that is there after and was not there before; ``row`` maps names before to cells."""

    table: str
    key: Key
    row: Mapping[str, Cell]


@dataclass(frozen=True)
class ValueChanged:
    """One cell that is not exactly what it was; ``column`` by its name before.

    ``met`` are the conditions, of those asked, that the row before met.
    """

    table: str
    key: Key
    column: str
    before: Cell
    after: Cell
    met: frozenset[str] = NO_CONDITION


RowDifference = RowLost | RowAdded | ValueChanged
