"""Fill a database with data that looks like a household's and breaks migrations that are wrong."""

from __future__ import annotations

from pytest_bbmigrate.seeding.filling.fill import (
    Recipe,
    Unfilled,
    add_rows,
    fill_columns,
    fill_tables,
    read_own_rows,
)

__all__ = [
    "Recipe",
    "Unfilled",
    "add_rows",
    "fill_columns",
    "fill_tables",
    "read_own_rows",
]
