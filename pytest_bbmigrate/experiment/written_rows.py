"""Rows by their keys, read together, and values of one row for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import (
    is_known_by_rowid,
    listed,
    matching,
    row_key,
    select,
)
from pytest_bbmigrate.seeding.model import exact_key
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from pytest_bbmigrate.experiment.former_rows import Fields
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.sql.values import Cell

OWN_KEYS = frozenset({str, int, type(None)})  # types of which equal values are the same
MOST_COLUMNS = 900  # of a table whose rows are read together: a result has a limit


class Distinct:
    """The different ones of ``values``, in the order in which they first occur."""

    def __init__(self, values: Sequence[Cell]) -> None:
        # Most columns hold nothing else, and these need no key for each of their values.
        self._are_their_own = OWN_KEYS.issuperset(map(type, values))
        found: dict[Cell | tuple[str, str], Cell]
        if self._are_their_own:
            found = dict(zip(values, values, strict=True))
        else:
            found = {self.key(value): value for value in values}
        self.cells = list(found.values())
        self._places = dict(zip(found, range(len(found)), strict=True))

    def key(self, value: Cell) -> Cell | tuple[str, str]:
        """Return a key that is equal for equal values only; a text is its own."""
        if isinstance(value, str) or (self._are_their_own and type(value) in OWN_KEYS):
            return value
        return exact_key(value)

    def other_than(self, value: Cell, number: int, of: int) -> list[Cell]:
        """Return one cell that is not ``value``: the one with ``number`` of ``of`` in even steps.

        [] where there is none.
        """
        own = self._places.get(self.key(value), len(self.cells))
        others = len(self.cells) - (own < len(self.cells))
        place = number * others // of
        return [self.cells[place + (place >= own)]] if others else []


def values_for(
    row: Fields, number: int, of: int, values: Mapping[str, Distinct]
) -> dict[str, Cell]:
    """Return for each column one of its ``values`` that ``row`` has not, one of ``of`` rows."""
    return {
        column: cell
        for column, found in values.items()
        for cell in found.other_than(row[column], number, of)
    }


def read_rows(db: sqlite3.Connection, table: Table, keys: Sequence[Key]) -> dict[Key, Fields]:
    """Return the stored columns (folded) of the rows with ``keys`` that are there, in that order.

    One statement reads them all where the key is the rowid and few columns wide.
    """
    columns = table.stored_columns
    if len(keys) < 2 or not is_known_by_rowid(table) or len(columns) > MOST_COLUMNS:
        rows = {key: read_row(db, table, key) for key in keys}
        return {key: row for key, row in rows.items() if row is not None}
    (name,), places = row_key(table), ", ".join("?" * len(keys))
    found = select(
        db,
        f"SELECT {name}, {listed(columns)} FROM main.{quote_name(table.name)}"
        f" WHERE {name} IN ({places})",
        [number for (number,) in keys],
    )
    by_key = {(number,): cells for number, *cells in found}
    return {key: dict(zip(columns, by_key[key], strict=True)) for key in keys if key in by_key}


def read_row(db: sqlite3.Connection, table: Table, key: Key) -> Fields | None:
    """Return the stored columns (folded) of the row with ``key``; None if it is not there."""
    columns = table.stored_columns
    found = select(
        db,
        f"SELECT {listed(columns)} FROM main.{quote_name(table.name)}"
        f" WHERE {matching(row_key(table))}",
        key,
    )
    return dict(zip(columns, found[0], strict=True)) if found else None
