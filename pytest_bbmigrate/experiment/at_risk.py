"""Which tables down could harm rows in that were written since up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import Drop

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_bbmigrate.experiment.model import DatabaseDiff, Evidence
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema


def tables_to_write(evidence: Evidence, up_diff: DatabaseDiff, after: Snapshot) -> tuple[str, ...]:
    """Return the tables (names after) in which down could harm rows.

    These are tables that existed before, if up or down changed or named them, and tables that up
    created and left empty. One that is only named is none where down reaches no row of it.
    """
    named = frozenset[str]()
    if not takes_back_alone(evidence, after.schema):
        named = words_of(evidence.up) | (words_of(evidence.down) if evidence.down else named)
    changed_by_up = {fold_name(table.after) for table in up_diff.tables if table.after}
    changed_by_down = (
        {fold_name(table.table) for table in evidence.down_diff.tables}
        if evidence.down_diff
        else set()
    )
    at_risk = up_diff.untouched & (named | changed_by_down)
    left_empty = {
        name
        for name, count in after.row_counts.items()
        if not count and name not in up_diff.untouched
    }
    names = changed_by_up | at_risk | left_empty
    return tuple(
        table.name
        for table in after.schema.tables
        if table.virtual is None and fold_name(table.name) in names
    )


def takes_back_alone(evidence: Evidence, after: Schema) -> bool:
    """Return whether down does nothing but drop indexes, triggers, views, and tables of up's own.

    That reads and writes no row of another table, whichever it holds, and fires no trigger
    (https://sqlite.org/lang_droptable.html): it is enough that it was run once. The rows of a table
    that is dropped are deleted first, which those that refer to them could feel. Where something
    else was run, or Python, what it does may depend on rows.
    """
    down = evidence.down
    if down is None or not isinstance(evidence.migration.down, SqlPart):
        return False
    drops = [read_command(sql) for sql in down.executed]
    dropped = {
        drop.name.folded for drop in drops if isinstance(drop, Drop) and drop.kind == "table"
    }
    return (
        bool(drops)
        and all(isinstance(drop, Drop) for drop in drops)
        and not dropped & evidence.state.schema.table_names
        and are_plain_and_apart(after, dropped)
    )


def are_plain_and_apart(schema: Schema, names: Collection[str]) -> bool:
    """Return whether ``names`` (folded) are ordinary tables to which no other one refers."""
    tables = [schema.table(name) for name in names]
    return all(table is not None and table.virtual is None for table in tables) and not any(
        fold_name(key.parent) in names
        for table in schema.tables
        if fold_name(table.name) not in names
        for key in table.foreign_keys
    )


def words_of(run: Run) -> frozenset[str]:
    """Return every word and name in the SQL that a run executed, folded."""
    return frozenset(word for sql in run.shapes for word in folded(sql))
