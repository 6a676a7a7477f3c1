"""What a contract declares and nothing needed: worth a note, for a reviewer reads these lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Contract, Drop
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff
    from pytest_bbmigrate.schema import Schema


def unneeded_notes(evidence: Evidence) -> tuple[str, ...]:
    """Return a note for each declaration of rows, columns and objects that nothing made use of."""
    diff, after = evidence.up_diff, evidence.schema_after
    if diff is None or after is None:
        return ()
    contract = evidence.migration.contract
    found = (
        *unneeded_of_rows(contract, diff),
        *(
            f"drops {drop_text(drop)}"
            for drop in contract.drops
            if is_there(drop, after) and not is_another(drop, evidence, diff)
        ),
        *unneeded_alters(contract, diff),
    )
    return tuple(f"nothing needed `{declaration}`" for declaration in found)


def unneeded_of_rows(contract: Contract, diff: DatabaseDiff) -> Iterator[str]:
    """Yield what is declared of rows and values of which none came, went or changed."""
    tables = {fold_name(table.table): table for table in diff.tables}
    for change in contract.changes:
        table = tables.get(fold_name(change.table))
        if table is None or not has_changed(table, fold_name(change.column)):
            yield f"changes {dotted(change.table, change.column)}{condition(change.where)}"
    for insert in contract.inserts:
        if not has(tables.get(fold_name(insert.table)), RowAdded):
            yield f"inserts {bare_or_quoted(insert.table)}"
    for delete in contract.deletes:
        if not has(tables.get(fold_name(delete.table)), RowLost):
            yield f"deletes {bare_or_quoted(delete.table)}{condition(delete.where)}"


def has_changed(table: TableDiff, column: str) -> bool:
    """Return whether a value of ``column`` changed; without a key, rows come and go instead."""
    return any(
        alike.kind is ValueChanged and fold_name(alike.column) == column
        for alike in table.differences.groups
    ) or (not table.key and has(table, RowLost) and has(table, RowAdded))


def has(table: TableDiff | None, kind: type[RowLost | RowAdded]) -> bool:
    """Return whether rows of ``table`` came or went; with a table that is gone, all of them did."""
    if table is None:
        return False
    if table.after is None:
        return kind is RowLost
    return any(alike.kind is kind for alike in table.differences.groups)


def is_there(drop: Drop, schema: Schema) -> bool:
    """Return whether ``schema`` still has what is declared to be dropped."""
    name = fold_name(drop.name)
    if drop.kind == "column":
        table = schema.table(drop.table or "")
        return table is not None and table.column(name) is not None
    if drop.kind == "index":
        return schema.index(name) is not None
    if drop.kind == "table":
        return schema.table(name) is not None
    others = schema.views if drop.kind == "view" else schema.triggers
    return any(fold_name(other.name) == name for other in others)


def is_another(drop: Drop, evidence: Evidence, diff: DatabaseDiff) -> bool:
    """Return whether an index, trigger or view that is declared dropped is something else now.

    What a trigger writes by the order of columns is not asked: one that was made again counts.
    """
    changed = {d.name for d in diff.schema if d.kind == f"{drop.kind} changed"}
    if drop.kind == "view":
        changed |= {view.view for view in diff.views}
    if drop.kind == "trigger":
        commands = map(read_command, evidence.up.executed)
        changed |= {c.name.name for c in commands if isinstance(c, CreateTrigger)}
    return any(same_name(drop.name, name) for name in changed)


def drop_text(drop: Drop) -> str:
    """Return what is dropped as the contract has it."""
    if drop.kind == "column":
        return dotted(drop.table or "", drop.name)
    name = bare_or_quoted(drop.name)
    return name if drop.kind == "table" else f"{drop.kind} {name}"


def unneeded_alters(contract: Contract, diff: DatabaseDiff) -> Iterator[str]:
    """Yield the tables and columns that are declared to be altered and are what they were."""
    altered = {
        (fold_name(difference.table), fold_name(column))
        for difference in diff.schema
        for column in difference.column.split(", ")
    }
    for alter in contract.alters:
        table = fold_name(alter.table)
        if alter.column is None:
            needed = any(of == table for of, _ in altered)
        else:
            # What concerns several columns at once is not laid to one of them.
            needed = bool({(table, fold_name(alter.column)), (table, "")} & altered)
        if not needed:
            column = alter.column
            yield f"alters {dotted(alter.table, column) if column else bare_or_quoted(alter.table)}"


def condition(where: str | None) -> str:
    """Return a ``where`` as the contract has it."""
    return f" where {where}" if where else ""
