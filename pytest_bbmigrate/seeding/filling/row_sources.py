"""The rows of a table that are to be inserted, drawn from a source for each of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.parents import TWINS_FROM
from pytest_bbmigrate.seeding.filling.shapes import (
    agree_in_part,
    fill_ends,
    match_merchants,
    repeat_first,
    repeat_odd_texts,
)
from pytest_bbmigrate.seeding.filling.sources import avoid_assigned_values
from pytest_bbmigrate.seeding.values.pools import ROWS_FOR_ALL_HOSTILE

if TYPE_CHECKING:
    import random

    from pytest_bbmigrate.schema import ForeignKey, Table
    from pytest_bbmigrate.seeding.filling.sources import Row, Source
    from pytest_bbmigrate.seeding.model import Unfilled


@dataclass(frozen=True)
class RowSources:
    """The sources of a table's rows, and the columns for which there was no value.

    ``columns`` are the names of those to write: all but the generated ones. ``pending`` are the
    foreign keys whose parents come later, each with the columns that are its own to set.
    ``merchant`` are the positions of a merchant and its category, ``keys`` those of columns that
    are unique together, or that rows which belong together have in common.
    """

    table: Table
    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    pending: tuple[tuple[ForeignKey, tuple[str, ...]], ...]
    merchant: tuple[int, int] | None
    keys: tuple[tuple[int, ...], ...]
    unfilled: tuple[Unfilled, ...]

    def draw(self, count: int, rng: random.Random) -> list[Row]:
        """Return up to ``count`` rows; fewer where unique values or parents run out."""
        rows: list[Row] = [[None] * len(self.columns) for _ in range(count)]
        for source in self.sources:
            del rows[source.fill(rows, rng) :]
        if self.merchant:
            match_merchants(rows, *self.merchant, rng)
        if len(rows) > TWINS_FROM:
            agree_in_part(rows, self.sources, self.keys)
        if rows:
            fill_ends(rows, self.sources, rng)
        if len(rows) >= ROWS_FOR_ALL_HOSTILE:
            repeat_odd_texts(rows, self.sources)
            repeat_first(rows, self.sources)
        avoid_assigned_values(rows, self.sources, rng)
        return rows
