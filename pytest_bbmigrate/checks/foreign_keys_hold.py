"""foreign_keys_hold: no new dangling reference, none to what is not there, no constraint lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.definitions import locate_absence, locate_difference
from pytest_bbmigrate.checks.locate import LOSES_ROWS, SHAPES, locate
from pytest_bbmigrate.checks.schema_survives import (
    is_altered,
    is_column_dropped,
    is_table_dropped,
    name_after,
)
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.experiment.references import missing_part
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.schema.compare.wording import foreign_key_text
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Answer, Example, Finding

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment import Dangling, Evidence, Mismatch
    from pytest_bbmigrate.schema import SchemaDifference


def ask_foreign_keys_hold(evidence: Evidence) -> Answer:
    """Return the references that up broke and the foreign keys that it lost."""
    if evidence.up_diff is None:
        return Answer(reason="up does not apply")
    migration, diff = evidence.migration, evidence.up_diff
    # Where the parent is not there at all, that its rows are not there need not be said.
    mismatched = {(fold_name(m.table), m.columns) for m in diff.mismatches if m.missing == "table"}
    findings = [
        dangling_finding(dangling, migration, new_key_requirement(dangling, evidence))
        for dangling in diff.dangling
        if (fold_name(dangling.table), dangling.columns) not in mismatched
    ]
    findings += [mismatch_finding(mismatch, migration) for mismatch in diff.mismatches]
    redirected = {fold_name(mismatch.table) for mismatch in diff.mismatches}
    findings += [
        lost_key_finding(difference, evidence)
        for difference in diff.schema
        if difference.kind in {"foreign key lost", "foreign key changed"}
        and fold_name(difference.table) not in redirected
        and not was_broken(difference, evidence)
        and not is_allowed(difference, evidence)
    ]
    return Answer(tuple(findings))


def dangling_finding(dangling: Dangling, migration: Migration, requirement: str = "") -> Finding:
    """Return rows that refer to nothing as a finding; ``requirement`` would have kept them out."""
    place = locate(migration.up, (dangling.parent, dangling.table), LOSES_ROWS)
    return Finding(
        "dangling reference",
        "up",
        place.path,
        place.line,
        table=dangling.table,
        column=", ".join(dangling.columns),
        name=dangling.parent,
        count=dangling.count,
        examples=tuple(
            Example(tuple(zip(dangling.columns, cells, strict=True))) for cells in dangling.values
        ),
        allow=contract_line(migration, requirement) if requirement else "",
    )


def new_key_requirement(dangling: Dangling, evidence: Evidence) -> str:
    """Return what a key of one column that is new requires of the rows before, '' for another.

    Both tables and the columns were there before, under these names, and no key between them.
    """
    child = evidence.state.schema.table(dangling.table)
    parent = evidence.state.schema.table(dangling.parent)
    made = evidence.schema_after.table(dangling.table) if evidence.schema_after else None
    keys = [k for k in (made.foreign_keys if made else ()) if k.columns == dangling.columns]
    if child is None or parent is None or len(keys) != 1 or len(dangling.columns) != 1:
        return ""
    (column,), (referred,) = dangling.columns, keys[0].parent_columns
    if child.column(column) is None or parent.column(referred) is None:
        return ""
    if any(key.columns == dangling.columns for key in child.foreign_keys):
        return ""
    table, name = bare_or_quoted(dangling.table), bare_or_quoted(column)
    source = f"SELECT {bare_or_quoted(referred)} FROM {bare_or_quoted(dangling.parent)}"
    return f"requires {table}: {name} IN ({source})"


def mismatch_finding(mismatch: Mismatch, migration: Migration) -> Finding:
    """Return a foreign key to what is not there as a finding."""
    absent = locate_absence(migration.up, mismatch.parent) if mismatch.missing == "table" else None
    place = absent or locate(migration.up, (mismatch.parent, mismatch.table), SHAPES)
    return Finding(
        "mismatched reference",
        "up",
        place.path,
        place.line,
        table=mismatch.table,
        column=", ".join(mismatch.columns),
        name=mismatch.parent,
        expected=", ".join(mismatch.parent_columns),
        observed=mismatch.missing,
    )


def was_broken(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether the foreign key referred to what was not there: that cannot be lost."""
    schema = evidence.state.schema
    table = schema.table(difference.table)
    return any(
        foreign_key_text(key) == difference.before and bool(missing_part(schema, key))
        for key in (table.foreign_keys if table else ())
        if ", ".join(key.columns) == difference.column
    )


def is_allowed(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether the contract gives up the foreign key, a column of it, or its parent."""
    table = evidence.state.schema.table(difference.table)
    keys = table.foreign_keys if table else ()
    columns = [fold_name(name.strip()) for name in difference.column.split(",")]
    gone = any(is_column_dropped(evidence, difference.table, column) for column in columns)
    parents = {key.parent for key in keys if [fold_name(name) for name in key.columns] == columns}
    return (
        gone
        or any(
            is_altered(evidence.migration.contract, difference.table, column) for column in columns
        )
        or any(is_table_dropped(evidence, parent) for parent in parents)
    )


def lost_key_finding(difference: SchemaDifference, evidence: Evidence) -> Finding:
    """Return a foreign key that is no longer declared, or not as it was, as a finding."""
    migration = evidence.migration
    place = locate_difference(migration.up, difference, name_after(difference.table, evidence))
    first = difference.column.split(",")[0].strip()
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
        allow=contract_line(migration, f"alters {dotted(difference.table, first)}"),
    )
