"""Why down, or up a second time, leads elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.causes.context import table_diff_of
from pytest_bbmigrate.explain.causes.lost_by_up import is_lost_by_up
from pytest_bbmigrate.explain.causes.rows import CHANGED, LOST
from pytest_bbmigrate.explain.causes.statements import commands_of, read_copies
from pytest_bbmigrate.sql.clauses import Pragma
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import AddColumn, CreateTable, DropColumn, RenameTable

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.sql.reading import Command

VERSIONS = {"user_version", "application_id"}


def is_empty_down(context: FindingContext) -> bool:
    """Tell whether the down part has no statement at all."""
    part = context.part
    return context.is_back and isinstance(part, SqlPart) and not part.statements


def is_deleted_by_up(context: FindingContext) -> bool:
    """Tell whether up deleted the rows, and kept nothing that down could put back."""
    return is_lost_by_up(context.finding, context.evidence)


def is_replaced_by_an_old_copy(context: FindingContext) -> bool:
    """Tell whether down puts a copy from before up in place of the table as it is now."""
    return (
        context.finding.kind in LOST | CHANGED
        and context.finding.step == "down after writing"
        and (is_replaced_by_another(context) or is_filled_from_another(context))
    )


def is_replaced_by_another(context: FindingContext) -> bool:
    """Return whether a table that up made took the place of the finding's table in down."""
    created = {creation.name.folded for creation in context.of_kind(CreateTable)}
    return context.dropped(context.names[0]) and any(
        fold_name(rename.new) == context.name_at_end
        and rename.table.folded not in created.union(context.names)
        for rename in context.of_kind(RenameTable)
    )


def is_filled_from_another(context: FindingContext) -> bool:
    """Return whether down empties the table and fills it from one that up made."""
    return context.deletes_from(context.names[0]) and any(
        copy.target == context.names[0] and copy.source not in {"", *context.names}
        for copy in read_copies(context.executed)
    )


def is_added_again(context: FindingContext) -> bool:
    """Tell whether down drops the column with all that it holds, and adds it again."""
    if context.finding.kind not in CHANGED or not context.is_back:
        return False
    touched = [
        type(command)
        for command in context.commands
        if isinstance(command, AddColumn | DropColumn)
        and command.table.folded in context.names
        and fold_name(command.column) == context.column
    ]
    return touched == [DropColumn, AddColumn]


def is_blank_after_down(context: FindingContext) -> bool:
    """Tell whether down recreated a column without the values that up reads from it."""
    down_diff = context.evidence.down_diff
    up_diff = context.evidence.up_diff
    return context.finding.step == "up again" and any(
        table.blank_columns & set(before.lost_columns)
        for table in (down_diff.tables if down_diff else ())
        if (before := table_diff_of(up_diff, fold_name(table.table))) is not None
    )


def is_version_not_reset(context: FindingContext) -> bool:
    """Tell whether up asks for a version in the file's header that down does not reset."""
    down = context.evidence.down
    down_commands = commands_of(down.executed) if down else ()
    return (
        context.finding.step == "up again"
        and any(map(is_versioning, context.up_commands))
        and not any(map(is_versioning, down_commands))
        and len(context.statements) < len(context.up_statements)
    )


def is_versioning(command: Command) -> bool:
    """Return whether a statement sets user_version or application_id."""
    return (
        isinstance(command, Pragma)
        and command.value is not None
        and any(map(command.is_called, VERSIONS))
    )
