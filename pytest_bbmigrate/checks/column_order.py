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
from pytest_bbmigrate.explain.copies import Copy, after_schema, listed, read_copy, split
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
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

    Only ``drops view`` and ``drops trigger`` allow it: that a migration makes one anew, in the same
    words, does not say that it is to mean something else.
    """
    there, after = evidence.up_diff, evidence.schema_after
    if there is None or after is None:
        return
    dropped = {(d.kind, fold_name(d.name)) for d in evidence.migration.contract.drops}
    for view in there.views:
        if ("view", fold_name(view.view)) not in dropped:
            yield finding_of(evidence, "view", view.view, view.tables, view.columns)
    triggers = tuple(kept_triggers(evidence, after))
    if not triggers:
        return
    then, now = both_sides(evidence.state.schema, after, there.renames)
    for trigger in triggers:
        for tables, columns in shifts_of(trigger, then, now):
            if ("trigger", fold_name(trigger.name)) not in dropped:
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
        allow=contract_line(migration, f"drops {kind} {bare_or_quoted(name)}"),
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
    for words in insertions(trigger):
        table, source = tables_of(words)
        was, is_now = assigned(words, then), assigned(words, now)
        columns = tuple(column for column, item in is_now.items() if was.get(column) != item)
        if was and columns:
            reshaped = [t for t in (table, source) if then.columns.get(t) != now.columns.get(t)]
            yield tuple(reshaped), columns


def insertions(trigger: Trigger) -> Iterator[list[str]]:
    """Yield the INSERT and REPLACE statements of a trigger, as folded words."""
    tokens = list(trigger.tokens)
    body = tokens[tokens.index("begin") + 1 :]
    while ";" in body:
        end = body.index(";")
        if body[:1] in (["insert"], ["replace"]):
            yield body[:end]
        body = body[end + 1 :]


def tables_of(words: list[str]) -> tuple[str, str]:
    """Return the table that an INSERT fills, and the one that it copies from, '' for none."""
    copy = copy_of(words)
    return after_schema(words[words.index("into") + 1 :]), copy.source if copy else ""


def copy_of(words: list[str]) -> Copy | None:
    """Return what an INSERT copies; None for one of VALUES."""
    quoted = (quote_name(w) if " " in w and w[0] != "'" else w for w in words)
    return read_copy(0, " ".join(quoted))


def assigned(words: list[str], side: ColumnsByTable) -> dict[str, Item]:
    """Return what each column gets by an INSERT, {} where that cannot be told."""
    table, source = tables_of(words)
    filled = side.filled.get(table, ())
    if copy := copy_of(words):
        return copy.expressions(filled, side.columns.get(source, ()))
    head = words[: words.index("values")]
    columns = listed(head[head.index("(") + 1 :]) if "(" in head else filled
    items = first_row(words[len(head) + 1 :])
    return dict(zip(columns, items, strict=True)) if len(columns) == len(items) else {}


def first_row(words: list[str]) -> list[Item]:
    """Return what stands between the commas of the first row of a VALUES; [] for no row."""
    depth = 0
    for end, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            return split(words[1:end])
    return []
