"""schema_survives: nothing of the structure went unsaid; every view and trigger compiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.column_order import shifted_objects
from pytest_bbmigrate.checks.declared import drops_column, drops_table
from pytest_bbmigrate.checks.definitions import locate_difference, locate_sequence
from pytest_bbmigrate.checks.explicit_drops import is_said_by_drop, remade_view
from pytest_bbmigrate.checks.text_defaults import text_defaults
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.schema import is_at_fault
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.schema import Schema, SchemaDifference, Table, Trigger, View

# What data_survives and foreign_keys_hold speak of, and what takes nothing away.
NOT_A_LOSS_OF_STRUCTURE = frozenset(
    {
        "table lost",
        "table added",
        "column added",
        "column order",
        "check added",
        "unique added",
        "foreign key lost",
        "foreign key added",
        "foreign key changed",
        "index added",
        "trigger added",
        "view added",
    }
)
DROPPED_BY_NAME = {
    "index lost": "index",
    "index changed": "index",
    "trigger lost": "trigger",
    "trigger changed": "trigger",
    "view lost": "view",
    "view changed": "view",
}
MOST_NAMED = 5  # views in a note
OBJECTS_GONE = frozenset({"trigger lost", "trigger changed", "view lost", "view changed"})
MADE_BROKEN = {
    "trigger broken": "trigger never compiles",
    "view broken": "view never compiles",
    "table broken": "table never reads",
}
# A property that a table or a column gained is an addition: it takes nothing away.
GAINED = frozenset(
    {"column not null", "column default", "strict", "autoincrement", "on conflict", "primary key"}
)


def ask_schema_survives(evidence: Evidence) -> Answer:
    """Return what up took from the structure, or left broken, without saying so."""
    if evidence.up_diff is None:
        return Answer(reason="up does not apply")
    migration = evidence.migration
    findings = [
        with_rows_missing(
            structure_finding(named_by_its_making(difference, evidence.state.schema), evidence),
            evidence,
        )
        for difference in evidence.up_diff.schema
        if is_loss(difference, evidence) and not is_allowed(difference, evidence)
    ]
    findings += [
        Finding(
            "sequence lowered",
            "up",
            (place := locate_sequence(migration.up, table, name_after(table, evidence))).path,
            place.line,
            table=table,
            expected=str(before),
            observed=str(after),
            allow=contract_line(migration, f"alters sequence {bare_or_quoted(table)}"),
        )
        for table, before, after in evidence.up_diff.sequences
        if not may_be_lower(migration.contract, table)
    ]
    findings += shifted_objects(evidence)
    notes = (*empty_views(evidence), *unseen_views(evidence), *text_defaults(evidence))
    return Answer(tuple(findings), notes=notes)


def empty_views(evidence: Evidence) -> Iterator[str]:
    """Yield a note for each view that was made again and shows none of its rows any more."""
    for view in evidence.up_diff.remade_views if evidence.up_diff else ():
        if view.shows_none:
            yield (
                f"view {view.view} was made again in other words, and shows none of the"
                f" {view.rows:,} rows that it showed before"
            )


def unseen_views(evidence: Evidence) -> Iterator[str]:
    """Yield a note that names the views of which it was not looked at what they show."""
    if evidence.up_diff and (views := evidence.up_diff.views_passed_over):
        named = ", ".join([*views[:MOST_NAMED], *("..",) * (len(views) > MOST_NAMED)])
        they_show = "it shows what it" if len(views) == 1 else "they show what they"
        yield (
            f"of {counted(len(views), 'view')} ({named}) it was not looked at whether {they_show}"
            " did: that takes too long"
        )


def is_loss(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether a difference takes something away that was there before."""
    if difference.kind == "column lost":
        table = evidence.state.schema.table(difference.table)
        column = table.column(difference.column) if table else None
        return bool(column and column.generated)
    if difference.kind in GAINED:
        return bool(difference.before)
    if difference.kind in OBJECTS_GONE and never_compiled(difference, evidence.state.schema):
        return False
    return difference.kind not in NOT_A_LOSS_OF_STRUCTURE


def never_compiled(difference: SchemaDifference, before: Schema) -> bool:
    """Return whether a view or trigger did nothing before: what was broken cannot be lost.

    One that only lacked a function of the app was not broken.
    """
    name = fold_name(difference.name)
    objects: tuple[View | Trigger, ...] = (
        before.views if difference.kind.startswith("view") else before.triggers
    )
    return any(fold_name(found.name) == name and is_at_fault(found.error) for found in objects)


def is_allowed(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether the contract, or a DROP in the migration's own text, says so.

    A DROP says that something goes, and not that it may be made again as something less.
    """
    if difference.kind.endswith("broken"):
        return False
    migration, contract = evidence.migration, evidence.migration.contract
    kind = DROPPED_BY_NAME.get(difference.kind)
    if kind:
        name = fold_name(difference.name)
        if any(drop.kind == kind and fold_name(drop.name) == name for drop in contract.drops):
            return True
        if difference.kind.endswith("changed") and is_altered_object(contract, kind, name):
            return True
        if (kind, name) in migration.explicit_drops and is_said_by_drop(difference, evidence):
            return True
    if is_column_dropped(evidence, difference.table, difference.column):
        return True
    # An index, a trigger or a view goes by its own name: `alters t` speaks of the table alone.
    return not kind and is_altered(contract, difference.table, difference.column)


def is_column_dropped(evidence: Evidence, table: str, column: str) -> bool:
    """Return whether a column is declared dropped and is gone: else it keeps what stood on it."""
    still = evidence.up_diff.renames.columns if evidence.up_diff else {}
    return drops_column(evidence.migration.contract, table, column) and (
        (fold_name(table), fold_name(column)) not in still
    )


def is_table_dropped(evidence: Evidence, table: str) -> bool:
    """Return whether a table is declared dropped and is gone."""
    still = evidence.up_diff.renames.tables if evidence.up_diff else {}
    return drops_table(evidence.migration.contract, table) and fold_name(table) not in still


def is_altered(contract: Contract, table: str, column: str) -> bool:
    """Return whether the contract ``alters`` the table, or the one ``column`` of it.

    What is about no column ('') or several is altered with the whole table only.
    """
    return any(
        same_name(alter.table, table) and (alter.column is None or same_name(alter.column, column))
        for alter in contract.alters
    )


def is_altered_object(contract: Contract, kind: str, name: str) -> bool:
    """Return whether the contract ``alters`` the index, trigger or view ``name``, or a sequence."""
    return any(
        altered.kind == kind and same_name(altered.name, name)
        for altered in contract.altered_objects
    )


def may_be_lower(contract: Contract, table: str) -> bool:
    """Return whether the contract ``alters`` the sequence of a table, or all of the table."""
    return is_altered(contract, table, "") or is_altered_object(contract, "sequence", table)


def named_by_its_making(difference: SchemaDifference, before: Schema) -> SchemaDifference:
    """Return ``difference``; a broken view or trigger that up itself made never compiled.

    A virtual table that it made could never be read.
    """
    kind = MADE_BROKEN.get(difference.kind)
    objects: tuple[View | Trigger | Table, ...] = (
        *before.views,
        *before.triggers,
        *before.tables,
    )
    known = {fold_name(found.name) for found in objects}
    if kind is None or fold_name(difference.name) in known:
        return difference
    before_it = "it to be readable" if difference.kind == "table broken" else "it to compile"
    return replace(difference, kind=kind, before=before_it)


def structure_finding(difference: SchemaDifference, evidence: Evidence) -> Finding:
    """Return a loss of structure as a finding, with the line that would allow it."""
    after = name_after(difference.table, evidence)
    place = locate_difference(evidence.migration.up, difference, after)
    return Finding(
        difference.kind,
        "up",
        place.path,
        place.line,
        table=difference.table,
        column=difference.column,
        name=difference.name,
        expected=difference.before,
        observed=difference.after,
        allow=remedy_line(difference, evidence.migration),
    )


def name_after(table: str, evidence: Evidence) -> str:
    """Return what ``table`` is called after up, '' where it is gone or has kept its name."""
    renames = evidence.up_diff.renames.tables if evidence.up_diff else {}
    return renames.get(fold_name(table), "")


def with_rows_missing(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding``, on a view with how many of its rows are not shown any more."""
    view = remade_view(finding.name, evidence) if finding.kind == "view changed" else None
    if view is None:
        return finding
    return replace(finding, count=view.missing, total=view.rows, only_fewer=not view.others)


def remedy_line(difference: SchemaDifference, migration: Migration) -> str:
    """Return the contract line that would allow a loss of structure; '' when none would."""
    if difference.kind.endswith(("broken", "never compiles", "never reads")):
        return ""
    kind = DROPPED_BY_NAME.get(difference.kind)
    if kind:
        verb = "alters" if difference.kind.endswith("changed") else "drops"
        return contract_line(migration, f"{verb} {kind} {bare_or_quoted(difference.name)}")
    if difference.kind == "column lost":
        return contract_line(migration, f"drops {dotted(difference.table, difference.column)}")
    if difference.column:
        return contract_line(migration, f"alters {dotted(difference.table, difference.column)}")
    return contract_line(migration, f"alters {bare_or_quoted(difference.table)}")
