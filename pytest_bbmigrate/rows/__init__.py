"""Exact comparison of rows: 1 is not 1.0, 'a' is not 'A', NULL is not '', bytes after NUL count."""

from __future__ import annotations

from pytest_bbmigrate.rows.compare import compare_rows, count_rows, same_cell, summarize_rows
from pytest_bbmigrate.rows.differences import DifferenceGroup, Differences, differences_of
from pytest_bbmigrate.rows.fingerprint import TableContent, content_of, number_of
from pytest_bbmigrate.rows.model import (
    Key,
    Pairing,
    RowAdded,
    RowConditions,
    RowDifference,
    RowLost,
    ValueChanged,
)
from pytest_bbmigrate.rows.pages import Layout, read_layout, schema_pages, untouched_tables

__all__ = [
    "DifferenceGroup",
    "Differences",
    "Key",
    "Layout",
    "Pairing",
    "RowAdded",
    "RowConditions",
    "RowDifference",
    "RowLost",
    "TableContent",
    "ValueChanged",
    "compare_rows",
    "content_of",
    "count_rows",
    "differences_of",
    "number_of",
    "read_layout",
    "same_cell",
    "schema_pages",
    "summarize_rows",
    "untouched_tables",
]
