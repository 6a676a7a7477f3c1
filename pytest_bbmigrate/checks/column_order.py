"""Views and triggers that are what they were and no longer do what they did.

``SELECT *`` and an INSERT without a column list go by the order of a table's columns: where a
rebuild puts them in another one, a view shows, and a trigger writes, other values under the same
names. Views were asked (``evidence.views``); of triggers the statements are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.checks.locate import SHAPES, locate
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.explain.copies import copy_of
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger
from pytest_bbmigrate.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.schema import Renames, Schema, Table, Trigger

Item = tuple[str, ...]
Columns = tuple[str, ...]

OTHERWISE = {"view": "view shows otherwise", "trigger": "trigger writes otherwise"}


def shifted_objects(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each view and trigger that does something else than it did.

    Only ``alters view`` and ``alters trigger`` allow it, and ``drops``: that a migration makes it
    again, in the same words, does not say that it is to mean something else.
    """
    there, after = evidence.up_diff, evidence.schema_after
    if there is None or after is None:
        return
    contract = evidence.migration.contract
    declared = {(drop.kind, fold_name(drop.name)) for drop in contract.drops}
    declared |= {(altered.kind, fold_name(altered.name)) for altered in contract.altered_objects}
    for view in there.views:
        if ("view", fold_name(view.view)) not in declared:
            yield finding_of(evidence, "view", view.view, view.tables, view.columns)
    triggers = tuple(kept_triggers(evidence, after))
    if not triggers:
        return
    then, now = both_sides(evidence.state.schema, after, there.renames)
    for trigger in triggers:
        for tables, columns in shifts_of(trigger, then, now):
            if ("trigger", fold_name(trigger.name)) not in declared:
                yield finding_of(evidence, "trigger", trigger.name, tables, columns)


def finding_of(
    evidence: Evidence, kind: str, name: str, tables: Columns, columns: Columns
) -> Finding:
    """Return the finding that a view or trigger shows or writes other values, as ``columns``.

    ``tables`` are those of another shape, by their names now.
    """
    migration = evidence.migration
    place = locate(migration.up, tables, SHAPES)
    renames = evidence.up_diff.renames.tables if evidence.up_diff else {}
    former = {new: old for old, new in renames.items()}
    then = (evidence.state.schema.table(former.get(table, table)) for table in tables)
    now = (
        evidence.schema_after.table(table) if evidence.schema_after else None for table in tables
    )
    return Finding(
        OTHERWISE[kind],
        "up",
        place.path,
        place.line,
        table=tables[0],
        column=", ".join(columns),
        name=name,
        expected="; ".join(in_order(table) for table in then if table),
        observed="; ".join(in_order(table) for table in now if table),
        allow=contract_line(migration, f"alters {kind} {bare_or_quoted(name)}"),
    )


def in_order(table: Table) -> str:
    """Return a table with its columns in their order, as a reader sees it."""
    return f"{table.name} ({', '.join(column.name for column in table.columns)})"


def kept_triggers(evidence: Evidence, after: Schema) -> Iterator[Trigger]:
    """Yield the triggers after that say what they said before, and compile."""
    differences = evidence.up_diff.schema if evidence.up_diff else ()
    other = {fold_name(d.name) for d in differences if d.kind == "trigger changed"}
    known = {fold_name(trigger.name) for trigger in evidence.state.schema.triggers} - other
    for trigger in after.triggers:
        if trigger.error is None and fold_name(trigger.name) in known:
            yield trigger


class ColumnsByTable(NamedTuple):
    """The columns of every table, before or after, by the (folded) names that they have after.

    ``filled`` are those of them that an INSERT without a column list fills.
    """

    columns: dict[str, Columns]
    filled: dict[str, Columns]


def side_of(columns: dict[str, Columns], after: Schema) -> ColumnsByTable:
    """Return one side; generated columns are those of ``after``."""
    generated = {
        (fold_name(table.name), fold_name(column.name))
        for table in after.tables
        for column in table.columns
        if column.generated
    }
    filled = {
        table: tuple(name for name in names if (table, name) not in generated)
        for table, names in columns.items()
    }
    return ColumnsByTable(columns, filled)


def both_sides(
    before: Schema, after: Schema, renames: Renames
) -> tuple[ColumnsByTable, ColumnsByTable]:
    """Return the tables as they were and as they are."""
    then = {
        renames.tables.get(old, old): tuple(
            renames.columns.get((old, fold_name(column.name)), fold_name(column.name))
            for column in table.columns
        )
        for table in before.tables
        for old in [fold_name(table.name)]
    }
    now = {fold_name(t.name): tuple(fold_name(c.name) for c in t.columns) for t in after.tables}
    return side_of(then, after), side_of(now, after)


def shifts_of(
    trigger: Trigger, then: ColumnsByTable, now: ColumnsByTable
) -> Iterator[tuple[Columns, Columns]]:
    """Yield which columns get another value by an INSERT of ``trigger``, for each one that does so.

    Before them, the tables that have another shape: the one it fills, the one it copies from.
    """
    for insert in insertions(trigger):
        table, source = tables_of(insert)
        was, is_now = assigned(insert, then), assigned(insert, now)
        columns = tuple(column for column, item in is_now.items() if was.get(column) != item)
        if was and columns:
            reshaped = [t for t in (table, source) if then.columns.get(t) != now.columns.get(t)]
            yield tuple(reshaped), columns


def insertions(trigger: Trigger) -> Iterator[Insert]:
    """Yield what ``trigger`` inserts."""
    for command in read_as(CreateTrigger, trigger.sql).commands:
        if isinstance(command, Insert):
            yield command


def tables_of(insert: Insert) -> tuple[str, str]:
    """Return the table that an INSERT fills, and the one that it copies from, '' for none."""
    copy = copy_of(0, insert)
    return insert.table.folded, copy.source if copy else ""


def assigned(insert: Insert, side: ColumnsByTable) -> dict[str, Item]:
    """Return what each column gets by an INSERT, {} where that cannot be told."""
    table, source = tables_of(insert)
    filled = side.filled.get(table, ())
    if copy := copy_of(0, insert):
        return copy.expressions(filled, side.columns.get(source, ()))
    columns = tuple(map(fold_name, insert.columns)) or filled
    items = [fold_tokens(cell) for cell in next(iter(insert.rows), ())]
    return dict(zip(columns, items, strict=True)) if len(columns) == len(items) else {}
