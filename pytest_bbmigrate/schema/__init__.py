"""A schema's structure, and what two schemas differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from pytest_bbmigrate.schema.read.entries import read_entries
    from pytest_bbmigrate.schema.read.objects import object_digests
    from pytest_bbmigrate.schema.read.schema import read_schema
else:
    # Whether a base holds rows is asked in every session; structures are read by a judge alone.
    def __getattr__(name: str) -> object:
        if name in __all__:
            from pytest_bbmigrate.schema import model
            from pytest_bbmigrate.schema.compare import checks, differences
            from pytest_bbmigrate.schema.read import compile as compiling
            from pytest_bbmigrate.schema.read import entries, objects, schema

            modules = (model, differences, checks, compiling, objects, entries, schema)
            return next(getattr(each, name) for each in modules if hasattr(each, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
