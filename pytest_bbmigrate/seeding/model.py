"""What filling is told, and what it reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.values import Cell

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import ColumnRead, JoinedText
    from pytest_bbmigrate.contract import Requirement

OwnRows = Mapping[str, Sequence[Mapping[str, Cell]]]


@dataclass(frozen=True)
class Recipe:
    """How many rows a table gets, from which seed, and what else decides their values.

    ``literals`` are (column or None, value) pairs in the text of the migrations. Of these
    ``expected_literals`` are what their conditions look for, the only ones that a key may have,
    ``assigned_literals`` what their UPDATEs set, and ``taken_literals`` those of them that a row
    may hold already. ``reads`` are what their statements read in columns, ``joined_texts`` where
    they look for rows by a text around another table's key. ``requires`` are constraints that later
    migrations add, which rows must meet already. ``own_rows`` are the user's, by table (folded):
    they are used as they are, and no others are generated for that table.
    """

    rows: int = 200
    seed: int = 20260101
    literals: tuple[tuple[str | None, str | int | float], ...] = ()
    expected_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    assigned_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    taken_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    reads: frozenset[ColumnRead] = frozenset()
    joined_texts: frozenset[JoinedText] = frozenset()
    requires: tuple[Requirement, ...] = ()
    own_rows: OwnRows = field(default_factory=dict)


@dataclass(frozen=True)
class Unfilled:
    """A table that got no rows, or a column (else '') that got no values, and why."""

    table: str
    column: str
    reason: str


@dataclass(frozen=True)
class Filling:
    """How many rows each table was given, and what could not be filled."""

    added: Mapping[str, int]
    unfilled: tuple[Unfilled, ...] = ()


def exact_key(value: Cell) -> tuple[str, str]:
    """Return a key that is equal for equal stored values only: 1 is not 1.0, nor 0.0 -0.0."""
    return type(value).__name__, repr(value)


def storable(value: Cell) -> bool:
    """Return whether SQLite takes ``value`` and gives it back the same.

    Text must be UTF-8, an integer must fit 64 bits (https://sqlite.org/datatype3.html, 2) and NaN
    would become NULL.
    """
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not (isinstance(value, float) and math.isnan(value))
