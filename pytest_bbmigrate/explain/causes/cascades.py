"""Where a parent went that took its children along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.causes.rows import is_acted_on
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import Drop

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.sql.reading import Command


def line_that_takes(context: FindingContext) -> int | None:
    """Return the line of the first statement for which ON DELETE did what was found.

    One that met no row is none. None where the file does not say.
    """
    part, child = context.part, context.table_before
    if child is None or not isinstance(part, SqlPart):
        return None
    keys = [key for key in child.foreign_keys if is_acted_on(context, key)]
    parents = with_their_parents(context, {fold_name(key.parent) for key in keys})
    for statement in part.statements:
        is_idle = statement.text in context.run.met_no_row
        if not is_idle and takes_rows(read_shape(statement.text)) in parents:
            return statement.line
    return None


def with_their_parents(context: FindingContext, tables: set[str]) -> set[str]:
    """Return ``tables`` (folded) and those whose rows take rows of these along."""
    schema = context.schema_before
    size = -1
    while schema is not None and size != len(tables):
        size = len(tables)
        found = [table for name in tables if (table := schema.table(name)) is not None]
        tables = tables | {
            fold_name(key.parent)
            for table in found
            for key in table.foreign_keys
            if key.on_delete.upper() == "CASCADE"
        }
    return tables


def takes_rows(command: Command) -> str:
    """Return the table (folded) that a statement drops, or takes rows from; '' for none."""
    if isinstance(command, Drop) and command.kind == "table":
        return command.name.folded
    if isinstance(command, Delete):
        return command.table.folded
    if isinstance(command, Insert | Update) and command.conflict == "replace":
        return command.table.folded
    return ""
