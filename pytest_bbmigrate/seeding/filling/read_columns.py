"""What migrations read in each column, and so which values it must have to be read at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ASKED_OF_ROWS
from pytest_bbmigrate.seeding.values.expressions import is_day
from pytest_bbmigrate.seeding.values.meaning import Family
from pytest_bbmigrate.seeding.values.read_texts import json_documents, texts_near
from pytest_bbmigrate.seeding.values.vocabulary import realistic
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import ColumnRead
    from pytest_bbmigrate.schema import Column
    from pytest_bbmigrate.sql.values import Cell

CLOCKS = re.compile(r"current_(?:date|time)|\b(?:date|time|datetime|strftime)\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class ReadColumns:
    """The ``reads`` of all migrations, by column (folded)."""

    by_column: dict[str, tuple[ColumnRead, ...]]

    def is_json(self, column: Column) -> bool:
        """Return whether SQL reads ``column`` as JSON, and never asks whether it is."""
        kinds = {read.kind for read in self.of(column)}
        return "json" in kinds and "valid" not in kinds

    def documents(self, column: Column) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the usual and the odd documents of a column that SQL reads as JSON, else none."""
        reads = self.of(column)
        if not any(read.kind in ("json", "valid") for read in reads):
            return (), ()
        return json_documents(reads)

    def is_day(self, column: Column, literals: Iterable[Cell]) -> bool:
        """Return whether something reads ``column`` as a day or a time: SQL, Python, its default.

        Or compares it with one of ``literals`` that is a day.
        """
        by_sql = any(read.kind == "day" for read in self.of(column))
        return by_sql or bool(CLOCKS.search(column.default or "")) or any(map(is_day, literals))

    def is_read_by_python(self, column: Column) -> bool:
        """Return whether Python takes the texts of ``column`` apart."""
        return any(read.kind == "python" for read in self.of(column))

    def texts(self, column: Column, seed: int, meaning: str, *, unique: bool) -> tuple[str, ...]:
        """Return texts on both sides of the patterns that ``column`` is compared with."""
        reads = [read for read in self.of(column) if read.kind in ASKED_OF_ROWS]
        usual = realistic(seed, Family.TEXT, meaning) if reads else ()
        return texts_near(reads, usual, unique=unique)

    def of(self, column: Column) -> tuple[ColumnRead, ...]:
        """Return the reads of ``column``."""
        return self.by_column.get(fold_name(column.name), ())


def read_columns(reads: Iterable[ColumnRead]) -> ReadColumns:
    """Return ``reads`` by column."""
    by_column: dict[str, list[ColumnRead]] = {}
    for read in sorted(reads):
        by_column.setdefault(read.column, []).append(read)
    return ReadColumns({column: tuple(found) for column, found in by_column.items()})
