"""Exact comparison of rows: 1 is not 1.0, 'a' is not 'A', NULL is not '', bytes after NUL count."""

from __future__ import annotations

from pytest_bbmigrate.rows.compare import compare_rows, count_rows, same_cell
from pytest_bbmigrate.rows.model import (
    Cell,
    Key,
    Pairing,
    RowAdded,
    RowDifference,
    RowLost,
    ValueChanged,
)
from pytest_bbmigrate.rows.pages import Layout, read_layout, schema_pages, untouched_tables

__all__ = [
    "Cell",
    "Key",
    "Layout",
    "Pairing",
    "RowAdded",
    "RowDifference",
    "RowLost",
    "ValueChanged",
    "compare_rows",
    "count_rows",
    "read_layout",
    "same_cell",
    "schema_pages",
    "untouched_tables",
]
