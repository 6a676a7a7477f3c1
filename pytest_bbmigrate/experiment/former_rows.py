"""A table as it was before up, on which writes to the table of now are tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.fill import add_rows
from pytest_bbmigrate.seeding.filling.queries import (
    delete_row,
    insert_row,
    listed,
    matching,
    new_keys,
    row_key,
    row_keys,
    select,
    set_cells,
)
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.values import Cell

if TYPE_CHECKING:
    import sqlite3

    from pytest_bbmigrate.experiment.model import TableDiff
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.seeding.model import Recipe

Fields = Mapping[str, Cell]  # by the folded names of a row's columns


@dataclass(frozen=True)
class FormerRows:
    """The rows of ``table`` before, in ``db``; ``diff`` says what its columns are called now."""

    db: sqlite3.Connection
    table: Table
    diff: TableDiff

    def named_before(self, row: Fields) -> dict[str, Cell]:
        """Return ``row``, which has the names after, with those before; columns that are new go."""
        return {old: row[new] for old, new in self.diff.columns.items() if new in row}

    def takes(self, row: Fields) -> bool:
        """Add ``row``, and return whether it was taken; columns that are gone get an old value."""
        fields = self.named_before(row)
        for column in self.diff.lost_columns:
            name = quote_name(column)
            found = select(self.db, f"SELECT {name} FROM {quote_name(self.table.name)} LIMIT 1")
            if found:
                fields[column] = found[0][0]
        if not fields:
            return False
        try:
            insert_row(self.db, self.table, fields)
        except REFUSALS:
            return False
        return True

    def drawn(self, schema: Schema, count: int, recipe: Recipe) -> list[Fields]:
        """Add ``count`` generated rows; return those that there was room for, by the names after.

        ``schema`` is that of the state before.
        """
        keys = row_key(self.table)
        there = row_keys(self.db, self.table)
        self.db.execute("PRAGMA foreign_keys = OFF")
        add_rows(self.db, schema, self.table.name, count, recipe, there=there)
        self.db.execute("PRAGMA foreign_keys = ON")
        columns = self.diff.columns
        return [
            dict(zip(columns.values(), cells, strict=True))
            for key in new_keys(self.db, self.table, there)
            for cells in select(
                self.db,
                f"SELECT {listed(columns)} FROM main.{quote_name(self.table.name)}"
                f" WHERE {matching(keys)}",
                key,
            )
        ]

    def changes(self, row: Fields, values: Fields) -> bool:
        """Set ``values`` (names after) in what ``row`` was, and return whether that is allowed.

        Raises: sqlite3.Error, as SQLite refuses it.
        """
        key = self.key_of(row)
        return key is not None and set_cells(self.db, self.table, key, self.named_before(values))

    def loses(self, row: Fields) -> bool:
        """Delete what ``row`` was, and return whether that is allowed.

        Raises: sqlite3.Error, as SQLite refuses it.
        """
        key = self.key_of(row)
        return key is not None and delete_row(self.db, self.table, key)

    def key_of(self, row: Fields) -> Key | None:
        """Return the key of what ``row`` was: by its primary key, else by all that up has left."""
        fields = self.named_before(row)
        names = [fold_name(name) for name in self.table.primary_key]
        if not names or not all(name in fields for name in names):
            changed = {alike.column for alike in self.diff.differences.groups}
            names = [name for name in fields if name not in changed]
        found = select(
            self.db,
            f"SELECT {', '.join(row_key(self.table))} FROM main.{quote_name(self.table.name)}"
            f" WHERE {matching(map(quote_name, names))} LIMIT 1",
            [fields[name] for name in names],
        )
        return found[0] if names and found else None
