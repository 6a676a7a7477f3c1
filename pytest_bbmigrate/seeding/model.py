"""What filling takes and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.contract import Requirement

Cell = None | int | float | str | bytes
OwnRows = Mapping[str, Sequence[Mapping[str, Cell]]]


@dataclass(frozen=True)
class Recipe:
    """How to make rows: how many per table, from which seed, with what in mind.

    ``literals`` are (column or None, value) pairs from the migrations' own text; ``sought`` are
    those that they expect to find in rows, and so the only ones for a key; ``assigned`` what their
    UPDATEs set; ``requires`` are constraints that later migrations will add, which rows must keep
    to already; ``own_rows`` (table name, case-folded, to rows) are the user's and are used as they
    are, instead of generated ones.
    """

    rows: int = 200
    seed: int = 20260101
    literals: tuple[tuple[str | None, str | int | float], ...] = ()
    sought: tuple[tuple[str | None, str | int | float], ...] = ()
    assigned: tuple[tuple[str | None, str | int | float], ...] = ()
    requires: tuple[Requirement, ...] = ()
    own_rows: OwnRows = field(default_factory=dict)


@dataclass(frozen=True)
class Unfilled:
    """A table (or one column of it, else '') that got no rows or values, and why."""

    table: str
    column: str
    reason: str


@dataclass(frozen=True)
class Filling:
    """What filling came to: rows added per table, and what could not be filled."""

    added: Mapping[str, int]
    unfilled: tuple[Unfilled, ...] = ()


def exact(value: Cell) -> tuple[str, str]:
    """Return a key that tells values apart as SQLite stores them: 1 is not 1.0, nor 0.0 -0.0."""
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
