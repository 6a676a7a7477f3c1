"""Why the way back, or up a second time, leads elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.context import read_copies, read_statements, table_diff_of
from pytest_bbmigrate.explain.causes.rows import CHANGED, LOST
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext

VERSIONS = {"user_version", "application_id"}


def is_deleted_for_good(scene: FindingContext) -> bool:
    """Tell whether up deleted rows, which down does not put back."""
    return (
        scene.finding.kind == "rows lost"
        and scene.finding.step == "down"
        and any(tokens[:3] == ("delete", "from", scene.table) for tokens in scene.up_statements)
        and not scene.rebuilt
        and not any(tokens[:1] in (("insert",), ("delete",)) for tokens in scene.statements)
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
    made = {tokens[2] for tokens in scene.statements if tokens[:2] == ("create", "table")}
    return scene.dropped(scene.names[0]) and any(
        tokens[:2] == ("alter", "table")
        and tokens[3:] == ("rename", "to", scene.name_at_end)
        and tokens[2] not in made
        and tokens[2] not in scene.names
        for tokens in scene.statements
    )


def is_filled_from_another(scene: FindingContext) -> bool:
    """Return whether down empties the table and fills it from one that up made."""
    return scene.ran("delete", "from", scene.names[0]) and any(
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
    back = read_statements(down.executed) if down else ()
    return (
        scene.finding.step == "up again"
        and any(is_versioning(tokens) for tokens in scene.up_statements)
        and not any(is_versioning(tokens) for tokens in back)
        and len(scene.statements) < len(scene.up_statements)
    )


def is_versioning(tokens: tuple[str, ...]) -> bool:
    """Return whether a statement sets user_version or application_id."""
    return tokens[:1] == ("pragma",) and bool(VERSIONS & set(tokens)) and "=" in tokens
