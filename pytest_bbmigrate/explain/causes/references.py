"""Why references lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.rows import sets
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import RenameTable

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.schema import ForeignKey


def is_renamed_first(scene: FindingContext) -> bool:
    """Tell whether the old table was renamed out of the way, and references followed it."""
    schema = scene.schema_before
    return schema is not None and any(
        schema.table(rename.table.name) is not None
        and (scene.dropped(fold_name(rename.new)) or scene.creates(rename.table.folded))
        and follows(scene, fold_name(rename.new))
        for rename in scene.of_kind(RenameTable)
    )


def follows(scene: FindingContext, name: str) -> bool:
    """Return whether what was found is a reference to the table ``name`` (folded)."""
    kind = scene.finding.kind
    if kind in {"mismatched reference", "dangling reference"}:
        return fold_name(scene.finding.name) == name
    if kind == "foreign key lost":
        after = scene.evidence.schema_after
        table = after.table(scene.name_after_up) if after else None
        return any(fold_name(key.parent) == name for key in (table.foreign_keys if table else ()))
    return kind in {"view broken", "trigger broken"} and name in scene.broken_object


def is_legacy_rename(scene: FindingContext) -> bool:
    """Tell whether RENAME left references as they were, as it did in old releases."""
    return scene.finding.kind in {"mismatched reference", "dangling reference"} and (
        scene.sets_pragma("legacy_alter_table")
    )


def is_missing_key(scene: FindingContext) -> bool:
    """Tell whether the parent was made again without the UNIQUE that made it a parent."""
    return scene.finding.kind == "mismatched reference" and scene.finding.observed == "unique key"


def is_parent_dropped(scene: FindingContext) -> bool:
    """Tell whether the table that is referred to was dropped."""
    kinds = {"mismatched reference", "dangling reference"}
    parent = fold_name(scene.finding.name)
    after = scene.evidence.schema_after
    return (
        scene.finding.kind in kinds
        and scene.dropped(parent)
        and after is not None
        and after.table(parent) is None
    )


def is_unknown_parent(scene: FindingContext) -> bool:
    """Tell whether a reference that up made names what there never was."""
    parent = scene.evidence.state.schema.table(scene.finding.name)
    there = parent is not None and scene.finding.observed == "table"
    return (
        scene.finding.kind == "mismatched reference"
        and scene.finding.observed in {"table", "column"}
        and not there
        and not scene.dropped(fold_name(scene.finding.name))
        and any(
            "references" in tokens and fold_name(scene.finding.name) in tokens
            for tokens in scene.statements
        )
    )


def is_parent_column_renamed(scene: FindingContext) -> bool:
    """Tell whether a rebuild gave the column that is referred to another name."""
    return (
        scene.finding.kind == "mismatched reference"
        and scene.finding.observed == "column"
        and scene.dropped(fold_name(scene.finding.name))
    )


def is_new_key(scene: FindingContext) -> bool:
    """Tell whether rows were free to refer to nothing until up made a foreign key of it."""
    return (
        scene.finding.kind == "dangling reference"
        and bool(scene.finding.allow)
        and scene.table_before is not None
        and key_before(scene) is None
    )


def is_parent_deleted(scene: FindingContext) -> bool:
    """Tell whether parents were deleted while ON DELETE was not acted on."""
    return (
        key_before(scene) is not None
        and not scene.enforced
        and scene.deletes_from(fold_name(scene.finding.name))
    )


def is_parent_updated(scene: FindingContext) -> bool:
    """Tell whether the key of parents was updated while ON UPDATE was not acted on."""
    key = key_before(scene)
    return (
        key is not None
        and not scene.enforced
        and any(sets(scene, key.parent, column) for column in key.parent_columns)
    )


def is_written_unchecked(scene: FindingContext) -> bool:
    """Tell whether the rows that refer to nothing were written with foreign keys not enforced."""
    if scene.finding.kind != "dangling reference" or scene.enforced:
        return False
    (column, *_) = fold_name(scene.finding.column).split(", ")
    table = scene.table
    return sets(scene, table, column) or scene.inserts_into(table)


def is_default_without_parent(scene: FindingContext) -> bool:
    """Tell whether an added column refers by its default to a row that is not there."""
    after = scene.evidence.schema_after
    table = after.table(scene.name_after_up) if after else None
    column = table.column(scene.finding.column) if table else None
    return (
        scene.finding.kind == "dangling reference"
        and column is not None
        and column.default is not None
        and scene.table_before is not None
        and scene.table_before.column(column.name) is None
        and scene.adds_to(*scene.names)
        and not sets(scene, scene.table, column.name)
    )


def key_before(scene: FindingContext) -> ForeignKey | None:
    """Return the foreign key of a dangling reference as it was before, None for a new one."""
    table = scene.table_before
    if scene.finding.kind != "dangling reference" or table is None:
        return None
    columns = scene.finding.column
    return next((key for key in table.foreign_keys if ", ".join(key.columns) == columns), None)
