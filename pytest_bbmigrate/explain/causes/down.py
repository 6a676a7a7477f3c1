"""Why down, or up a second time, leads elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.context import (
    commands_of,
    read_copies,
    table_diff_of,
)
from pytest_bbmigrate.explain.causes.rows import CHANGED, LOST
from pytest_bbmigrate.sql.clauses import Delete, Insert, Pragma
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import CreateTable, RenameTable

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.sql.reading import Command

VERSIONS = {"user_version", "application_id"}


def is_deleted_for_good(scene: FindingContext) -> bool:
    """Tell whether up deleted rows, which down does not put back."""
    return (
        scene.finding.kind == "rows lost"
        and scene.finding.step == "down"
        and any(
            isinstance(command, Delete) and command.table.folded == scene.table
            for command in scene.up_commands
        )
        and not scene.rebuilt
        and not any(isinstance(command, Insert | Delete) for command in scene.commands)
    )


def is_put_aside(scene: FindingContext) -> bool:
    """Tell whether down puts a copy of before in place of the table, without what came later."""
    return (
        scene.finding.kind in LOST | CHANGED
        and scene.finding.step == "down after writing"
        and (is_replaced_by_another(scene) or is_filled_from_another(scene))
    )


def is_replaced_by_another(scene: FindingContext) -> bool:
    """Return whether a table that up made took the place of the finding's table in down."""
    made = {creation.name.folded for creation in scene.of_kind(CreateTable)}
    return scene.dropped(scene.names[0]) and any(
        fold_name(rename.new) == scene.name_at_end
        and rename.table.folded not in made.union(scene.names)
        for rename in scene.of_kind(RenameTable)
    )


def is_filled_from_another(scene: FindingContext) -> bool:
    """Return whether down empties the table and fills it from one that up made."""
    return scene.deletes_from(scene.names[0]) and any(
        copy.target == scene.names[0] and copy.source not in {"", *scene.names}
        for copy in read_copies(scene.executed)
    )


def is_blank_the_second_time(scene: FindingContext) -> bool:
    """Tell whether down brought a column back without its values, which up then read again."""
    back = scene.evidence.down_diff
    first = scene.evidence.up_diff
    return scene.finding.step == "up again" and any(
        table.blank_columns & set(gone.lost_columns)
        for table in (back.tables if back else ())
        if (gone := table_diff_of(first, fold_name(table.table))) is not None
    )


def is_version_kept(scene: FindingContext) -> bool:
    """Tell whether up goes by a version in the file's header that down does not put back."""
    down = scene.evidence.down
    back = commands_of(down.executed) if down else ()
    return (
        scene.finding.step == "up again"
        and any(map(is_versioning, scene.up_commands))
        and not any(map(is_versioning, back))
        and len(scene.statements) < len(scene.up_statements)
    )


def is_versioning(command: Command) -> bool:
    """Return whether a statement sets user_version or application_id."""
    return (
        isinstance(command, Pragma)
        and command.value is not None
        and any(map(command.is_called, VERSIONS))
    )
