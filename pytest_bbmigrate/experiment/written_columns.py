"""Which columns an app would go on writing after up, as it did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.diff_table import unchanged_table_diff
from pytest_bbmigrate.rows import ValueChanged
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment.model import Evidence, TableDiff
    from pytest_bbmigrate.schema import Schema, Table


def table_diff_of(evidence: Evidence, table: Table) -> TableDiff | None:
    """Return what up made of the table that is ``table`` now; None for one that was not there."""
    up_diff = evidence.up_diff
    if up_diff is None:
        return None
    old = evidence.state.schema.table(table.name)
    if old is not None and fold_name(table.name) in up_diff.untouched:
        return unchanged_table_diff(old)
    found = (diff for diff in up_diff.tables if diff.after is not None)
    return next((diff for diff in found if same_name(diff.after or "", table.name)), None)


def declared_columns(evidence: Evidence, diff: TableDiff, table: Table) -> frozenset[str]:
    """Return the columns (folded, names before) that up is declared to change in ``table``."""
    names = {fold_name(diff.table), fold_name(table.name)}
    changes = evidence.migration.contract.changes
    return diff.derived.union(fold_name(c.column) for c in changes if fold_name(c.table) in names)


def editable_columns(evidence: Evidence, after: Schema, table: Table) -> tuple[str, ...]:
    """Return the columns (names after) of ``table`` that were there before and that up left alone.

    Not among them are keys, and columns that up moved: copied to a table that it made, under
    another name, for there the app writes from then on.
    """
    diff = table_diff_of(evidence, table)
    if diff is None:
        return ()
    touched = {
        fold_name(alike.column) for alike in diff.differences.groups if alike.kind is ValueChanged
    }
    touched |= declared_columns(evidence, diff, table)
    touched |= set(moved_columns(evidence, diff.table, after))
    keys = {fold_name(name) for name in table.primary_key}
    return tuple(
        new
        for old, new in diff.columns.items()
        if old not in touched and new not in keys and new in table.stored_columns
    )


def moved_columns(evidence: Evidence, table: str, after: Schema) -> Iterator[str]:
    """Yield the columns of ``table`` that up copies under another name to a table that it made."""
    for sql in evidence.up.shapes:
        command = read_command(sql)
        if not isinstance(command, Insert | CreateTable) or command.query is None:
            continue
        select = command.query.selects[0]
        sources = [source.table for source in select.sources if source.table]
        target = command.table if isinstance(command, Insert) else command.name
        if not any(same_name(source.name, table) for source in sources):
            continue
        if evidence.state.schema.table(target.name) or not after.table(target.name):
            continue
        names = [column.alias for column in select.columns]
        if isinstance(command, Insert):
            made = after.table(target.name)
            names = list(command.columns or (made.stored_columns if made else ()))
        for name, column in zip(names, select.columns, strict=False):
            words = fold_tokens(column.expression)
            if words and name and fold_name(name) != words[-1] and len(words) in {1, 3}:
                yield words[-1]
