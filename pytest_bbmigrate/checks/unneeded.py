"""What a contract declares and nothing needed: worth a note, for a reviewer reads these lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.untested_statements import idle_statements
from pytest_bbmigrate.checks.unused import Unused, unproved_declarations, unused_declarations
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Drop
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence
    from pytest_bbmigrate.schema import Schema


def unneeded_notes(evidence: Evidence) -> tuple[str, ...]:
    """Return a note for each declaration of rows, columns and objects that nothing made use of.

    Those that generated rows should have shown are none: they are unproved.
    """
    return tuple(f"nothing needed `{each.text}`" for each in unneeded_declarations(evidence))


def unneeded_outside(evidence: Evidence) -> tuple[str, ...] | None:
    """Return the declarations in the file of bb_contracts that nothing needed.

    Among them are those that no generated row used, if no statement is there that meets no row and
    might need them. None on real rows, for another database may have what this one does not, and
    where up does not run on all rows, for those left out may have it.
    """
    if evidence.on_real_rows or evidence.narrowed is not None:
        return None
    idle = {fold_name(statement.table) for statement in idle_statements(evidence)}
    unused = [
        each
        for each in unproved_declarations(evidence)
        if not (each.where or each.why or fold_name(each.table) in idle)
    ]
    unneeded = (*unneeded_declarations(evidence), *unused)
    return tuple(each.text for each in unneeded if each.path is not None)


def unneeded_declarations(evidence: Evidence) -> tuple[Unused, ...]:
    """Return each declaration of rows, columns and objects that nothing made use of."""
    diff, after = evidence.up_diff, evidence.schema_after
    if diff is None or after is None or evidence.narrowed is not None:
        return ()
    contract = evidence.migration.contract
    unproved = set(unproved_declarations(evidence))
    return (
        *(unused for unused in unused_declarations(evidence) if unused not in unproved),
        *(
            Unused(f"drops {drop_text(drop)}", drop.table or "", "", None, drop.line, drop.path)
            for drop in contract.drops
            if is_there(drop, after)
            and not is_gone(drop, diff)
            and not is_another(drop.kind, drop.name, evidence, diff)
        ),
        *unneeded_alters(evidence, diff),
        *(
            Unused(f"alters {a.kind} {bare_or_quoted(a.name)}", "", "", None, a.line, a.path)
            for a in contract.altered_objects
            if not is_another(a.kind, a.name, evidence, diff)
        ),
    )


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


def is_gone(drop: Drop, diff: DatabaseDiff) -> bool:
    """Return whether a table or column is gone, though another may have been given its name."""
    name = fold_name(drop.name)
    if drop.kind == "table":
        return any(t.after is None and fold_name(t.table) == name for t in diff.tables)
    of_table = fold_name(drop.table or "")
    return drop.kind == "column" and any(
        fold_name(t.table) == of_table and name in t.lost_columns for t in diff.tables
    )


def is_another(kind: str, name: str, evidence: Evidence, diff: DatabaseDiff) -> bool:
    """Return whether an index, trigger or view ``name`` is something else now, or a sequence lower.

    What a trigger writes by the order of columns is not asked: one that was made again counts. A
    sequence that is lower after down counts as well.
    """
    changed = {d.name for d in diff.schema if d.kind == f"{kind} changed"}
    if kind == "view":
        changed |= {view.view for view in diff.views}
    if kind == "sequence":
        changed |= set(lowered_sequences(evidence, diff))
    if kind == "trigger":
        commands = map(read_command, evidence.up.shapes)
        changed |= {c.name.name for c in commands if isinstance(c, CreateTrigger)}
    return any(same_name(name, other) for other in changed)


def lowered_sequences(evidence: Evidence, diff: DatabaseDiff) -> Iterator[str]:
    """Yield the tables whose sequence is lower after up, or after down."""
    back = evidence.down_diff
    for table, _, _ in (*diff.sequences, *(back.sequences if back else ())):
        yield table


def drop_text(drop: Drop) -> str:
    """Return what is dropped as the contract has it."""
    if drop.kind == "column":
        return dotted(drop.table or "", drop.name)
    name = bare_or_quoted(drop.name)
    return name if drop.kind == "table" else f"{drop.kind} {name}"


def unneeded_alters(evidence: Evidence, diff: DatabaseDiff) -> Iterator[Unused]:
    """Yield the tables and columns that are declared to be altered and are what they were.

    That of a table also allows a lower sequence, after down as well.
    """
    altered = {
        (fold_name(difference.table), fold_name(column))
        for difference in diff.schema
        for column in difference.column.split(", ")
    }
    altered.update((fold_name(table), "") for table in lowered_sequences(evidence, diff))
    for alter in evidence.migration.contract.alters:
        table = fold_name(alter.table)
        if alter.column is None:
            needed = any(of == table for of, _ in altered)
        else:
            # What concerns several columns at once is not laid to one of them.
            needed = bool({(table, fold_name(alter.column)), (table, "")} & altered)
        if not needed:
            column = alter.column
            target = dotted(alter.table, column) if column else bare_or_quoted(alter.table)
            yield Unused(
                f"alters {target}", alter.table, column or "", None, alter.line, alter.path
            )
