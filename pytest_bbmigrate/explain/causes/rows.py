"""Why rows are gone, or more than there were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.causes.context import table_diff_of
from pytest_bbmigrate.explain.causes.statements import holds
from pytest_bbmigrate.explain.renamed_away import renamed_to
from pytest_bbmigrate.runner.transactions import switched_to
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_as, read_shape
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
RENUMBERED = LOST | CHANGED | {"rows added", "rows renumbered"}


def is_cascade(context: FindingContext) -> bool:
    """Tell whether a parent went while foreign keys were enforced, and took its children along."""
    child = context.table_before
    if child is None or not context.enforced:
        return False
    return any(
        is_acted_on(context, key) and parent_goes(context, fold_name(key.parent), frozenset())
        for key in child.foreign_keys
    )


def is_acted_on(context: FindingContext, key: ForeignKey) -> bool:
    """Return whether what ON DELETE of ``key`` does is what the finding shows."""
    if context.finding.kind in LOST:
        return key.on_delete.upper() == "CASCADE"
    columns = {fold_name(column) for column in key.columns}
    return (
        context.finding.kind in CHANGED
        and key.on_delete.upper() in CLEARS
        and context.column in columns
    )


def parent_goes(context: FindingContext, parent: str, seen: frozenset[str]) -> bool:
    """Return whether rows of ``parent`` were deleted, or went with those of a parent of theirs."""
    if context.dropped(parent) or context.deletes_from(parent) or context.replaces_in(parent):
        return True
    table = context.schema_before.table(parent) if context.schema_before else None
    return any(
        key.on_delete.upper() == "CASCADE"
        and fold_name(key.parent) not in seen
        and parent_goes(context, fold_name(key.parent), seen | {parent})
        for key in (table.foreign_keys if table else ())
    )


def is_cascade_under_d1(context: FindingContext) -> bool:
    """Tell whether a parent went in D1, which has foreign keys on whatever a file says."""
    return is_cascade_by_runner(context) and context.evidence.profile.name == "d1"


def is_cascade_under_drizzle(context: FindingContext) -> bool:
    """Tell whether a parent went under drizzle, whose one transaction is around the whole run."""
    return is_cascade_by_runner(context) and context.evidence.profile.name == "drizzle"


def is_cascade_under_sqlx(context: FindingContext) -> bool:
    """Tell whether a parent went under sqlx, though the file turns foreign keys off."""
    return is_pragma_ignored(context) and context.evidence.profile.name == "sqlx"


def is_cascade_by_runner(context: FindingContext) -> bool:
    """Tell whether a parent went where the connection of the runner has foreign keys on."""
    return context.enforced_by_runner and is_cascade(context)


def is_pragma_ignored(context: FindingContext) -> bool:
    """Tell whether the file turns them off there, within the runner's transaction."""
    return (
        context.in_transaction
        and is_cascade_by_runner(context)
        and any(switched_to(pragma) is False for pragma in context.pragmas)
    )


def is_pragma_in_transaction(context: FindingContext) -> bool:
    """Tell whether the migration meant to turn foreign keys off, where that does nothing."""
    return (
        context.in_transaction
        and is_cascade(context)
        and any(switched_to(pragma) is False for pragma in context.pragmas)
    )


def is_deferred(context: FindingContext) -> bool:
    """Tell whether the migration deferred foreign keys, which defers checks but no actions."""
    return is_cascade(context) and context.sets_pragma("defer_foreign_keys")


def is_update_cascade(context: FindingContext) -> bool:
    """Tell whether the key of a parent was updated while foreign keys were enforced."""
    child = context.table_before
    if child is None or not context.enforced or context.finding.kind not in CHANGED:
        return False
    return any(
        key.on_update.upper() in CLEARS | {"CASCADE"}
        and context.column in {fold_name(column) for column in key.columns}
        and any(sets(context, key.parent, column) for column in key.parent_columns)
        for key in child.foreign_keys
    )


def sets(context: FindingContext, table: str, column: str) -> bool:
    """Return whether an UPDATE of ``table`` sets ``column``."""
    return any(
        update.table.folded == fold_name(table) and update.sets(column)
        for update in context.of_kind(Update)
    )


def losses(context: FindingContext, copy: Copy) -> frozenset[str]:
    """Return what can have kept rows of the finding's table from being copied."""
    features = set(copy.features) - {"left join", "union all", "or abort", "or fail", "or rollback"}
    key = set(map(fold_name, context.table_before.primary_key if context.table_before else ()))
    selected = {item[0] for item in copy.items if len(item) == 1}
    if key and (key <= selected or "*" in selected):  # equal rows are then the same row
        features -= {"distinct", "union"}
    if key and key <= set(copy.grouped):
        features -= {"group"}
    if "join" in features:
        features -= {"where"}  # of a join in the old style, it is what joins
    return frozenset(features)


def lost_by(context: FindingContext, *features: str) -> bool:
    """Return whether rows were lost in a copy that can lose them by one of ``features`` alone."""
    lossy = [
        features_of_copy for copy in context.copies if (features_of_copy := losses(context, copy))
    ]
    return (
        context.finding.kind in LOST
        and bool(lossy)
        and all(
            len(features_of_copy) == 1 and features_of_copy <= set(features)
            for features_of_copy in lossy
        )
    )


def is_ignore(context: FindingContext) -> bool:
    """Tell whether OR IGNORE leaves out the rows that do not fit."""
    return lost_by(context, "or ignore")


def is_inner_join(context: FindingContext) -> bool:
    """Tell whether rows without a match were left out of a join."""
    return lost_by(context, "join")


def is_not_in_null(context: FindingContext) -> bool:
    """Tell whether no row at all passed a NOT IN, as is so when its list holds NULL."""
    return (
        lost_by(context, "where")
        and context.finding.count == context.finding.total
        and any(holds(copy.where, "not", "in", "(", "select") for copy in context.copies)
        and not any(holds(copy.where, "is", "not", "null") for copy in context.copies)
    )


def is_limit_in_list(context: FindingContext) -> bool:
    """Tell whether the list that IN or NOT IN asks was cut short by a LIMIT."""
    return context.finding.kind in CHANGED | LOST and any(
        command.table.folded in context.names and has_short_list(fold_tokens(command.where))
        for command in context.commands
        if isinstance(command, Update | Delete)
    )


def has_short_list(words: tuple[str, ...]) -> bool:
    """Return whether a condition asks for IN a SELECT that has a LIMIT."""
    return holds(words, "in", "(", "select") and "limit" in words


def is_where(context: FindingContext) -> bool:
    """Tell whether rows were left out because the WHERE is not true for them."""
    return lost_by(context, "where")


def is_where_of_no_null(context: FindingContext) -> bool:
    """Tell whether a column of the new table takes no NULL, which rows left out may have in it."""
    source, target = context.table_before, context.table_at_end
    if not is_where(context) or source is None or target is None:
        return False
    return any(
        len(item) == 1
        and (old := source.column(item[0])) is not None
        and (new := target.column(column)) is not None
        and new.not_null
        and not old.not_null
        for copy in context.copies
        for column, item in context.expressions(copy).items()
    )


def is_distinct(context: FindingContext) -> bool:
    """Tell whether equal rows were taken for one."""
    return lost_by(context, "distinct", "union", "except", "intersect")


def is_grouped(context: FindingContext) -> bool:
    """Tell whether each group became a single row."""
    return lost_by(context, "group")


def is_replace(context: FindingContext) -> bool:
    """Tell whether REPLACE deleted the row that was in the way of another."""
    if context.finding.kind in LOST:
        return lost_by(context, "or replace") or is_replaced(context)
    return context.finding.kind in CHANGED and any(
        insert.table.folded in context.names and is_replaced_without(insert, context.column)
        for insert in context.of_kind(Insert)
    )


def is_replaced(context: FindingContext) -> bool:
    """Return whether rows of the table were replaced where they are, by an equal unique value."""
    table = context.table_before
    indexes = table.indexes if table else ()
    return any(index.unique for index in indexes) and any(map(context.replaces_in, context.names))


def is_replaced_without(insert: Insert, column: str) -> bool:
    """Return whether REPLACE names columns, but not ``column``."""
    named = set(map(fold_name, insert.columns))
    return insert.conflict == "replace" and bool(named) and column not in named


def is_recreated_empty(context: FindingContext) -> bool:
    """Tell whether the data was renamed, and its old name given to something without values."""
    return context.finding.step == "up" and bool(renamed_to(context.finding, context.evidence))


def is_not_copied(context: FindingContext) -> bool:
    """Tell whether the table was dropped and made again, and nothing was put into the new one."""
    ends = (context.name_at_end, *context.names)
    return (
        context.finding.kind in LOST
        and context.rebuilt
        and context.finding.count == context.finding.total
        and not any(
            isinstance(command, Insert)
            and context.name_later(command.table.folded, position) in ends
            for position, command in enumerate(context.commands)
        )
    )


def is_renumbered(context: FindingContext) -> bool:
    """Tell whether a rebuild left the id out, so that SQLite gave new ones."""
    table = context.table_before
    alias = table.rowid_alias if table else None
    return (
        context.finding.kind in RENUMBERED
        and not is_left_empty(context)
        and not is_left_by_join(context)
        and alias is not None
        and context.table_at_end is not None
        and context.table_at_end.rowid_alias is not None
        and any(
            copy.columns and not copy.creates and fold_name(alias) not in copy.columns
            for copy in context.copies
        )
    )


def is_left_by_join(context: FindingContext) -> bool:
    """Return whether so many rows are fewer as were lost, where a join may have found no match."""
    diff = context.diff
    return (
        context.finding.kind in LOST
        and not context.is_back
        and diff is not None
        and context.finding.count <= diff.rows_before - diff.rows_after
        and any(copy.joins for copy in context.copies)
    )


def is_left_empty(context: FindingContext) -> bool:
    """Return whether the step left the table without any row: none that could have a new id."""
    evidence = context.evidence
    back = evidence.down_diff if context.is_back else evidence.up_diff
    diff = table_diff_of(back, context.table)
    return diff is not None and not diff.rows_after


def is_join_doubles(context: FindingContext) -> bool:
    """Tell whether a join gave a row once for each match."""
    return context.finding.kind == "rows added" and any(copy.joins for copy in context.copies)


def is_trigger(context: FindingContext) -> bool:
    """Tell whether a trigger fired for what the migration wrote, and did what was found."""
    triggers = context.schema_before.triggers if context.schema_before else ()
    return not is_done_by_itself(context) and any(
        does(context, trigger) and fires(context, trigger) for trigger in triggers
    )


def line_that_fires(context: FindingContext) -> int | None:
    """Return the line of the first statement for which a trigger did what was found, if any."""
    part = context.part
    triggers = context.schema_before.triggers if context.schema_before else ()
    waiting = [
        (read_as(CreateTrigger, trigger.sql), fold_name(trigger.table))
        for trigger in triggers
        if does(context, trigger) and fires(context, trigger)
    ]
    for statement in part.statements if isinstance(part, SqlPart) else ():
        command = read_shape(statement.text)
        if any(is_event(command, waits, table) for waits, table in waiting):
            return statement.line
    return None


def is_done_by_itself(context: FindingContext) -> bool:
    """Return whether a statement of the step does to the finding's table what was found."""
    table = context.names[0]
    if context.finding.kind in CHANGED:
        return sets(context, table, context.column)
    if context.finding.kind == "rows added":
        return context.inserts_into(table)
    return context.deletes_from(table)


def fires(context: FindingContext, trigger: Trigger) -> bool:
    """Return whether the step wrote what ``trigger`` waits for, before it dropped the trigger."""
    waits = read_as(CreateTrigger, trigger.sql)
    for command in context.commands:
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


def does(context: FindingContext, trigger: Trigger) -> bool:
    """Return whether the body of ``trigger`` does to the finding's table what was found."""
    table = context.names[0]
    return any(
        isinstance(command, Insert | Update | Delete)
        and command.table.folded == table
        and does_itself(context, command)
        for command in read_as(CreateTrigger, trigger.sql).commands
    )


def does_itself(context: FindingContext, command: Write) -> bool:
    """Return whether ``command``, which writes to the finding's table, does what was found."""
    if context.finding.kind in CHANGED:
        return isinstance(command, Update) and command.sets(context.column)
    if context.finding.kind in LOST:
        is_replacing = isinstance(command, Insert) and command.conflict == "replace"
        return isinstance(command, Delete) or is_replacing
    return context.finding.kind == "rows added" and isinstance(command, Insert)
