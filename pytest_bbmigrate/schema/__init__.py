"""A schema's structure, and what two schemas differ in."""

from __future__ import annotations

from pytest_bbmigrate.schema.compare.checks import apart
from pytest_bbmigrate.schema.compare.differences import (
    Renames,
    SchemaDifference,
    compare_schemas,
)
from pytest_bbmigrate.schema.model import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    IndexColumn,
    Schema,
    Table,
    Trigger,
    View,
)
from pytest_bbmigrate.schema.read.compile import is_at_fault
from pytest_bbmigrate.schema.read.objects import object_digests
from pytest_bbmigrate.schema.read.schema import read_entries, read_schema

__all__ = [
    "CheckConstraint",
    "Column",
    "ForeignKey",
    "Index",
    "IndexColumn",
    "Renames",
    "Schema",
    "SchemaDifference",
    "Table",
    "Trigger",
    "View",
    "apart",
    "compare_schemas",
    "is_at_fault",
    "object_digests",
    "read_entries",
    "read_schema",
]
