"""Why something of the structure is gone, or does not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.statements import read_copies
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.schema_clauses import Creation

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext

TRANSFORM_COPY = re.compile(r'^CREATE TABLE "(?P<table>.+)_new_[0-9a-f]{12}"', re.IGNORECASE)
# What transform() of sqlite-utils 4.2 was seen to leave behind.
LOST_BY_TRANSFORM = frozenset(
    {
        "trigger lost",
        "without rowid",
        "on conflict",
        "foreign key changed",
        "column collation",
        "column default",
        "column generated",
        "column lost",
        "column type",
    }
)
IN_CREATE_TABLE = frozenset(
    {
        "autoincrement",
        "check changed",
        "check lost",
        "column collation",
        "column default",
        "column generated",
        "column not null",
        "column type",
        "foreign key changed",
        "foreign key lost",
        "on conflict",
        "primary key",
        "strict",
        "unique lost",
        "without rowid",
    }
)
ADDED = frozenset({"table added", "column added", "index added", "trigger added", "view added"})


def is_transform(context: FindingContext) -> bool:
    """Tell whether sqlite-utils rebuilt the table, by the name it gives to the copy."""
    kind = context.finding.kind
    rebuilt = any(
        fold_name(match["table"]) in context.names
        for sql in context.executed
        if (match := TRANSFORM_COPY.match(sql))
    )
    if kind == "values changed":
        became_real = all(
            type(before) is int and type(after) is float for before, after in context.values
        )
        return rebuilt and bool(context.values) and became_real
    if kind == "column lost":
        column = context.table_before and context.table_before.column(context.finding.column)
        return rebuilt and bool(column and column.generated)
    return rebuilt and kind in LOST_BY_TRANSFORM


def is_create_as(context: FindingContext) -> bool:
    """Tell whether the new table was made from a query, which hands down no constraint."""
    return context.finding.kind in IN_CREATE_TABLE and any(
        copy.creates and context.is_target(copy) for copy in read_copies(context.executed)
    )


def is_left_out_of_rebuild(context: FindingContext) -> bool:
    """Tell whether the table was dropped and made again, but not what stood on it."""
    kinds = {"index lost", "trigger lost"}
    kind = context.finding.kind.split()[0]
    is_dropped_by_name = context.dropped(fold_name(context.finding.name), kind=kind)
    if kind == "index" and context.is_back and context.schema_before:
        is_dropped_by_name |= context.schema_before.index(context.finding.name) is None  # by up
    return context.finding.kind in kinds and context.rebuilt and not is_dropped_by_name


def is_on_a_dropped_column(context: FindingContext) -> bool:
    """Tell whether a rebuild left out a column that an index is on, which cannot be as it was."""
    is_remade = context.finding.kind == "index changed" and context.rebuilt
    if context.is_back or not (is_remade or is_left_out_of_rebuild(context)):
        return False
    schema, diff = context.schema_before, context.diff
    index = schema.index(context.finding.name) if schema else None
    if index is None or diff is None:
        return False
    words = {word for term in index.columns for word in term.expression or ()}
    words |= {fold_name(term.name) for term in index.columns if term.name}
    return not words.union(index.where or ()).isdisjoint(diff.lost_columns)


def is_gone_with_its_view(context: FindingContext) -> bool:
    """Tell whether a trigger stood on a view that was dropped and made again."""
    return context.finding.kind == "trigger lost" and context.dropped(context.table, kind="view")


def is_other_create_table(context: FindingContext) -> bool:
    """Tell whether the table was made again by another CREATE TABLE than it had."""
    kind = context.finding.kind
    if kind == "column lost":
        column = context.table_before and context.table_before.column(context.finding.column)
        return context.rebuilt and bool(column and column.generated)
    return kind in IN_CREATE_TABLE and context.rebuilt


def is_recreated_differently(context: FindingContext) -> bool:
    """Tell whether an index or a trigger was made again under its name, as something else."""
    kind, _, change = context.finding.kind.partition(" ")
    return change == "changed" and any(
        command.kind == kind and same_name(command.name.name, context.finding.name)
        for command in context.of_kind(Creation)
    )


def is_lowered_by_rebuild(context: FindingContext) -> bool:
    """Tell whether DROP TABLE took the row of sqlite_sequence with it."""
    return context.finding.kind == "sequence lowered" and context.rebuilt


def is_added_last(context: FindingContext) -> bool:
    """Tell whether a column came back at the end of its table."""
    return context.finding.kind == "column order" and context.adds_to(*context.names)


def is_stale_view(context: FindingContext) -> bool:
    """Tell whether a view or trigger names what the migration dropped or renamed."""
    is_made_here = any(
        same_name(command.name.name, context.finding.name) for command in context.of_kind(Creation)
    )
    dropped_names = {
        word
        for tokens in context.statements
        if tokens[:1] == ("drop",) or "rename" in tokens
        for word in tokens
    }
    return (
        context.finding.kind in {"view broken", "trigger broken"}
        and not is_made_here
        and bool(dropped_names & set(context.broken_object))
    )


def is_made_too_early(context: FindingContext) -> bool:
    """Tell whether a view or trigger was made that names what is not there."""
    return context.finding.kind in {"view never compiles", "trigger never compiles"}


def is_not_dropped_by_down(context: FindingContext) -> bool:
    """Tell whether down does not drop what up made."""
    return (
        context.finding.kind in ADDED
        and context.is_back
        and any(fold_name(context.finding.name) in tokens for tokens in context.up_statements)
        and not any(
            {"drop", "create"} & set(tokens) and fold_name(context.finding.name) in tokens
            for tokens in context.statements
        )
    )


def is_not_recreated_by_down(context: FindingContext) -> bool:
    """Tell whether down has no statement about what up has dropped or changed."""
    kind, name = context.finding.kind, fold_name(context.finding.name)
    recreated = name if kind.split()[0] in {"index", "trigger", "view"} else context.names[0]
    return (
        context.is_back
        and (kind in IN_CREATE_TABLE or kind in {"index lost", "trigger lost", "view lost"})
        and not any(
            tokens[:1] in (("create",), ("alter",), ("drop",)) and recreated in tokens
            for tokens in context.statements
        )
    )


def is_empty_database(context: FindingContext) -> bool:
    """Tell whether it runs where there are rows, and not on an empty database."""
    return context.finding.step == "up on an empty database"


def is_refused_by_trigger(context: FindingContext) -> bool:
    """Tell whether the message is that of a RAISE in a trigger."""
    quoted = "'" + context.finding.observed.partition(";")[0].replace("'", "''") + "'"
    schema = context.schema_before
    return context.finding.kind == "does not run" and any(
        "raise" in trigger.tokens and quoted in trigger.tokens
        for trigger in (schema.triggers if schema else ())
    )


def is_other_shape(context: FindingContext) -> bool:
    """Tell whether IF NOT EXISTS met something of that name."""
    return context.finding.kind == "shape conflict"


def is_edited_schema(context: FindingContext) -> bool:
    """Tell whether the text of the schema was changed behind SQLite's back."""
    return context.finding.kind == "integrity" and context.sets_pragma("writable_schema")


def is_unchecked(context: FindingContext) -> bool:
    """Tell whether rows were written while CHECK constraints were not looked at."""
    return (
        context.finding.kind == "integrity"
        and context.finding.observed.startswith("CHECK constraint failed")
        and context.sets_pragma("ignore_check_constraints")
    )


def is_by_column_order(context: FindingContext) -> bool:
    """Tell whether a view or trigger depends on the order of columns, or on which there are."""
    return context.finding.kind in {"view shows otherwise", "trigger writes otherwise"}
