"""Why rows are gone, or more than there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.context import holds
from pytest_bbmigrate.explain.renamed_away import renamed_to
from pytest_bbmigrate.runner.transactions import switched_to
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger, Drop

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.explain.copies import Copy
    from pytest_bbmigrate.schema import ForeignKey, Trigger
    from pytest_bbmigrate.sql.clauses import Write
    from pytest_bbmigrate.sql.reading import Command

CLEARS = {"SET NULL", "SET DEFAULT"}
LOST = frozenset({"rows lost", "written rows lost"})
CHANGED = frozenset({"values changed", "written values changed"})
NUMBERED_ANEW = LOST | CHANGED | {"rows added", "rows renumbered"}


def is_cascade(scene: FindingContext) -> bool:
    """Tell whether a parent went while foreign keys were enforced, and took its children along."""
    child = scene.table_before
    if child is None or not scene.enforced:
        return False
    return any(
        is_acted_on(scene, key) and parent_goes(scene, fold_name(key.parent), frozenset())
        for key in child.foreign_keys
    )


def is_acted_on(scene: FindingContext, key: ForeignKey) -> bool:
    """Return whether what ON DELETE of ``key`` does is what the finding shows."""
    if scene.finding.kind in LOST:
        return key.on_delete.upper() == "CASCADE"
    columns = {fold_name(column) for column in key.columns}
    return (
        scene.finding.kind in CHANGED
        and key.on_delete.upper() in CLEARS
        and scene.column in columns
    )


def parent_goes(scene: FindingContext, parent: str, seen: frozenset[str]) -> bool:
    """Return whether rows of ``parent`` were deleted, or went with those of a parent of theirs."""
    if scene.dropped(parent) or scene.deletes_from(parent) or scene.replaces_in(parent):
        return True
    table = scene.schema_before.table(parent) if scene.schema_before else None
    return any(
        key.on_delete.upper() == "CASCADE"
        and fold_name(key.parent) not in seen
        and parent_goes(scene, fold_name(key.parent), seen | {parent})
        for key in (table.foreign_keys if table else ())
    )


def is_pragma_in_transaction(scene: FindingContext) -> bool:
    """Tell whether the migration meant to turn foreign keys off, where that does nothing."""
    return (
        scene.in_transaction
        and is_cascade(scene)
        and any(switched_to(pragma) is False for pragma in scene.pragmas)
    )


def is_deferred(scene: FindingContext) -> bool:
    """Tell whether the migration put checks off, and took that to hold for actions too."""
    return is_cascade(scene) and scene.sets_pragma("defer_foreign_keys")


def is_update_cascade(scene: FindingContext) -> bool:
    """Tell whether the key of a parent was updated while foreign keys were enforced."""
    child = scene.table_before
    if child is None or not scene.enforced or scene.finding.kind not in CHANGED:
        return False
    return any(
        key.on_update.upper() in CLEARS | {"CASCADE"}
        and scene.column in {fold_name(column) for column in key.columns}
        and any(sets(scene, key.parent, column) for column in key.parent_columns)
        for key in child.foreign_keys
    )


def sets(scene: FindingContext, table: str, column: str) -> bool:
    """Return whether an UPDATE of ``table`` sets ``column``."""
    return any(
        update.table.folded == fold_name(table) and update.sets(column)
        for update in scene.of_kind(Update)
    )


def losses(scene: FindingContext, copy: Copy) -> frozenset[str]:
    """Return what can have kept rows of the finding's table from being copied."""
    features = set(copy.features) - {"left join", "union all", "or abort", "or fail", "or rollback"}
    key = set(map(fold_name, scene.table_before.primary_key if scene.table_before else ()))
    selected = {item[0] for item in copy.items if len(item) == 1}
    if key and (key <= selected or "*" in selected):  # equal rows are then the same row
        features -= {"distinct", "union"}
    if key and key <= set(copy.grouped):
        features -= {"group"}
    if "join" in features:
        features -= {"where"}  # of a join in the old style, it is what joins
    return frozenset(features)


def lost_by(scene: FindingContext, *features: str) -> bool:
    """Return whether rows were lost in a copy that can lose them by one of ``features`` alone."""
    lossy = [found for copy in scene.copies if (found := losses(scene, copy))]
    return (
        scene.finding.kind in LOST
        and bool(lossy)
        and all(len(found) == 1 and found <= set(features) for found in lossy)
    )


def is_ignore(scene: FindingContext) -> bool:
    """Tell whether OR IGNORE leaves out the rows that do not fit."""
    return lost_by(scene, "or ignore")


def is_inner_join(scene: FindingContext) -> bool:
    """Tell whether rows without a match were left out of a join."""
    return lost_by(scene, "join")


def is_not_in_null(scene: FindingContext) -> bool:
    """Tell whether no row at all passed a NOT IN, as is so when its list holds NULL."""
    return (
        lost_by(scene, "where")
        and scene.finding.count == scene.finding.total
        and any(holds(copy.where, "not", "in", "(", "select") for copy in scene.copies)
        and not any(holds(copy.where, "is", "not", "null") for copy in scene.copies)
    )


def is_where(scene: FindingContext) -> bool:
    """Tell whether rows were left out because the WHERE is not true for them."""
    return lost_by(scene, "where")


def is_distinct(scene: FindingContext) -> bool:
    """Tell whether equal rows were taken for one."""
    return lost_by(scene, "distinct", "union", "except", "intersect")


def is_grouped(scene: FindingContext) -> bool:
    """Tell whether each group became a single row."""
    return lost_by(scene, "group")


def is_replace(scene: FindingContext) -> bool:
    """Tell whether REPLACE deleted the row that was in the way of another."""
    if scene.finding.kind in LOST:
        return lost_by(scene, "or replace") or is_replaced(scene)
    return scene.finding.kind in CHANGED and any(
        insert.table.folded in scene.names and is_replaced_without(insert, scene.column)
        for insert in scene.of_kind(Insert)
    )


def is_replaced(scene: FindingContext) -> bool:
    """Return whether rows of the table were replaced where they are, by an equal unique value."""
    table = scene.table_before
    indexes = table.indexes if table else ()
    return any(index.unique for index in indexes) and any(map(scene.replaces_in, scene.names))


def is_replaced_without(insert: Insert, column: str) -> bool:
    """Return whether REPLACE names columns, but not ``column``."""
    named = set(map(fold_name, insert.columns))
    return insert.conflict == "replace" and bool(named) and column not in named


def is_begun_anew(scene: FindingContext) -> bool:
    """Tell whether what held the data was renamed, and something blank made under its old name."""
    return scene.finding.step == "up" and bool(renamed_to(scene.finding, scene.evidence))


def is_not_copied(scene: FindingContext) -> bool:
    """Tell whether the table was dropped and made again, and nothing was put into the new one."""
    ends = (scene.name_at_end, *scene.names)
    return (
        scene.finding.kind in LOST
        and scene.rebuilt
        and scene.finding.count == scene.finding.total
        and not any(
            isinstance(command, Insert) and scene.name_later(command.table.folded, at) in ends
            for at, command in enumerate(scene.commands)
        )
    )


def is_renumbered(scene: FindingContext) -> bool:
    """Tell whether a rebuild left the id out, so that SQLite gave new ones."""
    table = scene.table_before
    alias = table.rowid_alias if table else None
    return (
        scene.finding.kind in NUMBERED_ANEW
        and alias is not None
        and scene.table_at_end is not None
        and scene.table_at_end.rowid_alias is not None
        and any(
            copy.columns and not copy.creates and fold_name(alias) not in copy.columns
            for copy in scene.copies
        )
    )


def is_join_doubles(scene: FindingContext) -> bool:
    """Tell whether a join gave a row once for each match."""
    return scene.finding.kind == "rows added" and any(copy.joins for copy in scene.copies)


def is_trigger(scene: FindingContext) -> bool:
    """Tell whether a trigger fired for what the migration wrote, and did what was found."""
    triggers = scene.schema_before.triggers if scene.schema_before else ()
    return not is_done_by_itself(scene) and any(
        does(scene, trigger) and fires(scene, trigger) for trigger in triggers
    )


def is_done_by_itself(scene: FindingContext) -> bool:
    """Return whether a statement of the step does to the finding's table what was found."""
    table = scene.names[0]
    if scene.finding.kind in CHANGED:
        return sets(scene, table, scene.column)
    if scene.finding.kind == "rows added":
        return scene.inserts_into(table)
    return scene.deletes_from(table)


def fires(scene: FindingContext, trigger: Trigger) -> bool:
    """Return whether the step wrote what ``trigger`` waits for, before it dropped the trigger."""
    waits = read_as(CreateTrigger, trigger.sql)
    for command in scene.commands:
        if isinstance(command, Drop) and command.kind == "trigger":
            if same_name(command.name.name, trigger.name):
                return False
        elif is_event(command, waits, fold_name(trigger.table)):
            return True
    return False


def is_event(command: Command, trigger: CreateTrigger, table: str) -> bool:
    """Return whether ``command`` does what ``trigger`` on ``table`` (folded) waits for."""
    events = {Insert: "insert", Update: "update", Delete: "delete"}
    if not isinstance(command, Insert | Update | Delete) or command.table.folded != table:
        return False
    if isinstance(command, Update) and trigger.columns:
        return trigger.event == "update" and any(map(command.sets, trigger.columns))
    return events[type(command)] == trigger.event


def does(scene: FindingContext, trigger: Trigger) -> bool:
    """Return whether the body of ``trigger`` does to the finding's table what was found."""
    table = scene.names[0]
    return any(
        isinstance(command, Insert | Update | Delete)
        and command.table.folded == table
        and does_itself(scene, command)
        for command in read_as(CreateTrigger, trigger.sql).commands
    )


def does_itself(scene: FindingContext, command: Write) -> bool:
    """Return whether ``command``, which writes to the finding's table, does what was found."""
    if scene.finding.kind in CHANGED:
        return isinstance(command, Update) and command.sets(scene.column)
    if scene.finding.kind in LOST:
        is_replacing = isinstance(command, Insert) and command.conflict == "replace"
        return isinstance(command, Delete) or is_replacing
    return scene.finding.kind == "rows added" and isinstance(command, Insert)
