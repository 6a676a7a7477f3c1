"""Why references lead nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.rows import is_renumbered, sets
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.clauses import Pragma
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.schema_clauses import RenameTable

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.schema import ForeignKey


def is_renamed_first(context: FindingContext) -> bool:
    """Tell whether the old table was renamed first, so that references followed it."""
    schema = context.schema_before
    return schema is not None and any(
        schema.table(rename.table.name) is not None
        and (context.dropped(fold_name(rename.new)) or context.creates(rename.table.folded))
        and follows(context, fold_name(rename.new))
        for rename in context.of_kind(RenameTable)
    )


def follows(context: FindingContext, name: str) -> bool:
    """Return whether what was found is a reference to the table ``name`` (folded)."""
    kind = context.finding.kind
    if kind in {"mismatched reference", "dangling reference"}:
        return fold_name(context.finding.name) == name
    if context.is_back and kind in {"foreign key lost", "foreign key added"}:
        return name in led_to_by_down(context)
    if kind == "foreign key lost":
        after = context.evidence.schema_after
        table = after.table(context.name_after_up) if after else None
        return any(fold_name(key.parent) == name for key in (table.foreign_keys if table else ()))
    return kind in {"view broken", "trigger broken"} and name in context.broken_object


def led_to_by_down(context: FindingContext) -> set[str]:
    """Return the tables (folded) that the finding's table has foreign keys to only after down."""
    back = context.evidence.down_diff
    keys = [
        folded(difference.after)
        for difference in (back.schema if back else ())
        if difference.kind == "foreign key added" and same_name(difference.table, context.table)
    ]
    return {words[words.index("references") + 1] for words in keys if "references" in words[:-1]}


def is_legacy_rename(context: FindingContext) -> bool:
    """Tell whether RENAME left references as they were, as it did in old releases.

    Rows that refer to nothing are its work where the table that it renamed is there to be meant;
    where another was made under the name that they refer to, and the old one is gone, it is not.
    """
    kind, after = context.finding.kind, context.evidence.schema_after
    if kind not in {"mismatched reference", "dangling reference"}:
        return False
    is_legacy = False
    for command in context.written_commands:
        if isinstance(command, Pragma) and command.is_called("legacy_alter_table"):
            is_legacy = command.is_on if command.value is not None else is_legacy
        elif is_legacy and isinstance(command, RenameTable):
            names = {command.table.folded, fold_name(command.new)}
            if kind == "dangling reference":
                is_kept = after is not None and after.table(command.new) is not None
                names = {command.table.folded} if is_kept else set()
            if fold_name(context.finding.name) in names:
                return True
    return False


def is_missing_key(context: FindingContext) -> bool:
    """Tell whether the parent was made again without the UNIQUE that made it a parent."""
    return (
        context.finding.kind == "mismatched reference" and context.finding.observed == "unique key"
    )


def is_parent_dropped(context: FindingContext) -> bool:
    """Tell whether the table that is referred to was dropped."""
    kinds = {"mismatched reference", "dangling reference"}
    parent = fold_name(context.finding.name)
    after = context.evidence.schema_after
    return (
        context.finding.kind in kinds
        and context.dropped(parent)
        and after is not None
        and after.table(parent) is None
    )


def is_unknown_parent(context: FindingContext) -> bool:
    """Tell whether a reference that up made names what there never was."""
    parent = context.evidence.state.schema.table(context.finding.name)
    is_table_there = parent is not None and context.finding.observed == "table"
    return (
        context.finding.kind == "mismatched reference"
        and context.finding.observed in {"table", "column"}
        and not is_table_there
        and not context.dropped(fold_name(context.finding.name))
        and any(
            "references" in tokens and fold_name(context.finding.name) in tokens
            for tokens in context.statements
        )
    )


def is_parent_column_renamed(context: FindingContext) -> bool:
    """Tell whether a rebuild gave the column that is referred to another name."""
    return (
        context.finding.kind == "mismatched reference"
        and context.finding.observed == "column"
        and context.dropped(fold_name(context.finding.name))
    )


def is_new_key(context: FindingContext) -> bool:
    """Tell whether rows were free to refer to nothing until up made a foreign key of it."""
    return (
        context.finding.kind == "dangling reference"
        and bool(context.finding.allow)
        and context.table_before is not None
        and key_before(context) is None
    )


def is_parent_deleted(context: FindingContext) -> bool:
    """Tell whether parents were deleted while ON DELETE was not acted on."""
    return (
        key_before(context) is not None
        and not context.enforced
        and context.deletes_from(fold_name(context.finding.name))
    )


def is_parent_updated(context: FindingContext) -> bool:
    """Tell whether the key of parents was updated while ON UPDATE was not acted on."""
    key = key_before(context)
    return (
        key is not None
        and not context.enforced
        and any(sets(context, key.parent, column) for column in key.parent_columns)
    )


def is_written_unchecked(context: FindingContext) -> bool:
    """Tell whether the rows that refer to nothing were written with foreign keys not enforced."""
    if context.finding.kind != "dangling reference" or context.enforced:
        return False
    (column, *_) = fold_name(context.finding.column).split(", ")
    table = context.table
    return sets(context, table, column) or context.inserts_into(table)


def is_parent_renumbered(context: FindingContext) -> bool:
    """Tell whether a rebuild of the table that is referred to gave its rows other ids."""
    diff = context.evidence.up_diff
    if diff is None or context.finding.kind != "dangling reference":
        return False
    for parent in diff.tables:
        if same_name(parent.after or "", context.finding.name):
            of_parent = replace(context.finding, kind="rows renumbered", table=parent.table)
            is_seen = bool(parent.renumbered) or is_id_declared(context, parent.table)
            return is_seen and is_renumbered(replace(context, finding=of_parent))
    return False


def is_id_declared(context: FindingContext, table: str) -> bool:
    """Return whether the contract says that the ids of ``table`` are to change."""
    before = context.evidence.state.schema.table(table)
    alias = before.rowid_alias if before else None
    return alias is not None and any(
        same_name(change.table, table) and same_name(change.column, alias)
        for change in context.evidence.migration.contract.changes
    )


def is_default_without_parent(context: FindingContext) -> bool:
    """Tell whether an added column refers by its default to a row that is not there."""
    after = context.evidence.schema_after
    table = after.table(context.name_after_up) if after else None
    column = table.column(context.finding.column) if table else None
    return (
        context.finding.kind == "dangling reference"
        and column is not None
        and column.default is not None
        and context.table_before is not None
        and context.table_before.column(column.name) is None
        and context.adds_to(*context.names)
        and not sets(context, context.table, column.name)
    )


def key_before(context: FindingContext) -> ForeignKey | None:
    """Return the foreign key of a dangling reference as it was before, None for a new one."""
    table = context.table_before
    if context.finding.kind != "dangling reference" or table is None:
        return None
    columns = context.finding.column
    return next((key for key in table.foreign_keys if ", ".join(key.columns) == columns), None)
