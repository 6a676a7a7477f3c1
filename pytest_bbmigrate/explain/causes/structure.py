"""Why something of the structure is gone, or does not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.context import read_copies
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.schema_clauses import Creation

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext

TRANSFORM_COPY = re.compile(r'^CREATE TABLE "(?P<table>.+)_new_[0-9a-f]{12}"', re.IGNORECASE)
# What transform() of sqlite-utils 4.2 was seen to leave behind.
LEFT_BY_TRANSFORM = frozenset(
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
SAID_BY_CREATE_TABLE = frozenset(
    {
        "autoincrement",
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


def is_transform(scene: FindingContext) -> bool:
    """Tell whether sqlite-utils rebuilt the table, by the name it gives to the copy."""
    kind = scene.finding.kind
    rebuilt = any(
        fold_name(match["table"]) in scene.names
        for sql in scene.executed
        if (match := TRANSFORM_COPY.match(sql))
    )
    if kind == "values changed":
        became_real = all(type(was) is int and type(now) is float for was, now in scene.values)
        return rebuilt and bool(scene.values) and became_real
    if kind == "column lost":
        column = scene.table_before and scene.table_before.column(scene.finding.column)
        return rebuilt and bool(column and column.generated)
    return rebuilt and kind in LEFT_BY_TRANSFORM


def is_create_as(scene: FindingContext) -> bool:
    """Tell whether the new table was made from a query, which hands down no constraint."""
    return scene.finding.kind in SAID_BY_CREATE_TABLE and any(
        copy.creates and scene.is_target(copy) for copy in read_copies(scene.executed)
    )


def is_left_out_of_rebuild(scene: FindingContext) -> bool:
    """Tell whether the table was dropped and made again, but not what stood on it."""
    kinds = {"index lost", "trigger lost"}
    what = scene.finding.kind.split()[0]
    by_name = scene.dropped(fold_name(scene.finding.name), kind=what)
    return scene.finding.kind in kinds and scene.rebuilt and not by_name


def is_gone_with_its_view(scene: FindingContext) -> bool:
    """Tell whether a trigger stood on a view that was dropped and made again."""
    return scene.finding.kind == "trigger lost" and scene.dropped(scene.table, kind="view")


def is_other_create(scene: FindingContext) -> bool:
    """Tell whether the table was made again by another CREATE TABLE than it had."""
    kind = scene.finding.kind
    if kind == "column lost":
        column = scene.table_before and scene.table_before.column(scene.finding.column)
        return scene.rebuilt and bool(column and column.generated)
    return kind in SAID_BY_CREATE_TABLE and scene.rebuilt


def is_made_otherwise(scene: FindingContext) -> bool:
    """Tell whether an index or a trigger was made again under its name, as something else."""
    what, _, became = scene.finding.kind.partition(" ")
    return became == "changed" and any(
        command.kind == what and same_name(command.name.name, scene.finding.name)
        for command in scene.of_kind(Creation)
    )


def is_lowered_by_rebuild(scene: FindingContext) -> bool:
    """Tell whether DROP TABLE took the row of sqlite_sequence with it."""
    return scene.finding.kind == "sequence lowered" and scene.rebuilt


def is_added_last(scene: FindingContext) -> bool:
    """Tell whether a column came back at the end of its table."""
    return scene.finding.kind == "column order" and scene.adds_to(*scene.names)


def is_stale_view(scene: FindingContext) -> bool:
    """Tell whether a view or trigger names what the migration took away."""
    made_here = any(
        same_name(command.name.name, scene.finding.name) for command in scene.of_kind(Creation)
    )
    gone = {
        word
        for tokens in scene.statements
        if tokens[:1] == ("drop",) or "rename" in tokens
        for word in tokens
    }
    return (
        scene.finding.kind in {"view broken", "trigger broken"}
        and not made_here
        and bool(gone & set(scene.broken_object))
    )


def is_left_behind(scene: FindingContext) -> bool:
    """Tell whether down does not take away what up made."""
    return (
        scene.finding.kind in ADDED
        and scene.is_back
        and any(fold_name(scene.finding.name) in tokens for tokens in scene.up_statements)
        and not any(
            {"drop", "create"} & set(tokens) and fold_name(scene.finding.name) in tokens
            for tokens in scene.statements
        )
    )


def is_not_put_back(scene: FindingContext) -> bool:
    """Tell whether down makes no attempt at what up took."""
    kind, name = scene.finding.kind, fold_name(scene.finding.name)
    wanted = name if kind.split()[0] in {"index", "trigger", "view"} else scene.names[0]
    return (
        scene.is_back
        and (kind in SAID_BY_CREATE_TABLE or kind in {"index lost", "trigger lost", "view lost"})
        and not any(
            tokens[:1] in (("create",), ("alter",), ("drop",)) and wanted in tokens
            for tokens in scene.statements
        )
    )


def is_empty_database(scene: FindingContext) -> bool:
    """Tell whether what runs on rows does not run where there are none."""
    return scene.finding.step == "up on an empty database"


def is_refused_by_trigger(scene: FindingContext) -> bool:
    """Tell whether the message is that of a RAISE in a trigger."""
    quoted = "'" + scene.finding.observed.partition(";")[0].replace("'", "''") + "'"
    schema = scene.schema_before
    return scene.finding.kind == "does not run" and any(
        "raise" in trigger.tokens and quoted in trigger.tokens
        for trigger in (schema.triggers if schema else ())
    )


def is_other_shape(scene: FindingContext) -> bool:
    """Tell whether IF NOT EXISTS met something of that name."""
    return scene.finding.kind == "shape conflict"


def is_edited_schema(scene: FindingContext) -> bool:
    """Tell whether the text of the schema was changed behind SQLite's back."""
    return scene.finding.kind == "integrity" and scene.sets_pragma("writable_schema")


def is_unchecked(scene: FindingContext) -> bool:
    """Tell whether rows were written while CHECK constraints were not looked at."""
    return (
        scene.finding.kind == "integrity"
        and scene.finding.observed.startswith("CHECK constraint failed")
        and scene.sets_pragma("ignore_check_constraints")
    )


def is_by_order(scene: FindingContext) -> bool:
    """Tell whether a view or trigger goes by columns that stand elsewhere, or were not there."""
    return scene.finding.kind in {"view shows otherwise", "trigger writes otherwise"}
