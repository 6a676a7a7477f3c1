"""Fill a schema in a test, and look at what came of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.fill import fill_tables
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.seeding.filling.fill import Filling


@dataclass(frozen=True)
class Filled:
    """A database that was filled, and what filling said."""

    db: sqlite3.Connection
    schema: Schema
    filling: Filling

    @property
    def names(self) -> list[str]:
        return [table.name for table in self.schema.tables]

    def values(self, sql: str) -> list[Any]:
        """Return the first column of a query."""
        return [row[0] for row in self.db.execute(sql)]

    def content(self) -> dict[str, list[str]]:
        """Return every row of every table, exactly."""
        return {
            name: [repr(row) for row in self.db.execute(f"SELECT * FROM {quote_name(name)}")]
            for name in self.names
        }


@contextmanager
def database(sql: str) -> Iterator[tuple[sqlite3.Connection, Schema]]:
    """Yield a database made by ``sql`` and its schema."""
    db = open_image(b"")
    try:
        db.executescript(sql)
        yield db, read_schema(db)
    finally:
        db.close()


@contextmanager
def filled(sql: str, recipe: Recipe | None = None) -> Iterator[Filled]:
    """Yield a database made by ``sql`` with all its tables filled."""
    with database(sql) as (db, schema):
        names = [table.name for table in schema.tables]
        yield Filled(db, schema, fill_tables(db, schema, names, recipe or Recipe()))
