"""data_survives: every row and value is still there, but for what the contract declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.declared import drops_column, drops_table, undeclared_rows
from pytest_bbmigrate.checks.definitions import locate_column, locate_drop
from pytest_bbmigrate.checks.derived_findings import find_underived
from pytest_bbmigrate.checks.dropped_values import dropped_value_notes
from pytest_bbmigrate.checks.locate import without_idle
from pytest_bbmigrate.checks.row_findings import find_in_rows
from pytest_bbmigrate.checks.unneeded import unneeded_notes, unneeded_outside
from pytest_bbmigrate.checks.zoned import zone_findings, zone_notes
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.explain.copied_where import rows_given_default, rows_left_out
from pytest_bbmigrate.explain.renamed_away import with_rename
from pytest_bbmigrate.explain.seen_condition import with_seen_condition
from pytest_bbmigrate.explain.statement_where import (
    UNKNOWN,
    TableColumns,
    condition_of_statements,
)
from pytest_bbmigrate.explain.suggest_derives import with_derived
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff
    from pytest_bbmigrate.rows import Differences
    from pytest_bbmigrate.runner import Run


def ask_data_survives(evidence: Evidence) -> Answer:
    """Return the rows, values, columns and tables that up lost or changed without saying so."""
    if evidence.up_diff is None:
        return Answer(reason="up does not apply")
    diff, migration = evidence.up_diff, evidence.migration
    findings = tuple(
        with_derived(with_rename(with_seen_condition(finding, evidence), evidence), evidence)
        for finding in find_lost_data(diff, migration, evidence.up)
        # Of a line that nothing can be compared by, catalogue_reads tells.
        if evidence.on_real_rows or finding.step != "contract"
    )
    findings += tuple(
        Finding(
            "invariant broken",
            "up",
            migration.up.path,
            name=invariant.name,
            expected=invariant.before,
            observed=invariant.after,
        )
        for invariant in evidence.invariants
        if invariant.before is not None
        and invariant.after is not None
        and invariant.before != invariant.after
    )
    findings += zone_findings(evidence)
    return Answer(
        findings,
        notes=(
            *unneeded_notes(evidence),
            *keys_on_notes(evidence),
            *dropped_value_notes(evidence),
            *zone_notes(evidence, findings),
        ),
        rows=diff.rows_compared,
        values=diff.values_compared,
        unneeded=unneeded_outside(evidence),
    )


def keys_on_notes(evidence: Evidence) -> tuple[str, ...]:
    """Return a note that names the tables which lose rows where foreign keys are on."""
    tables = ", ".join(evidence.lost_with_keys_on)
    which = "" if evidence.profile.name else "with bb_runs_as which tool runs it, or "
    note = (
        f"where foreign keys are on, ON DELETE takes rows or references from {tables}: say {which}"
        "with bb_foreign_keys whether they are on"
    )
    return (note,) if tables else ()


def find_lost_data(diff: DatabaseDiff, migration: Migration, up: Run) -> tuple[Finding, ...]:
    """Return every undeclared loss or change of data on ``diff``, and what is not as derived."""
    lost = tuple(
        finding for table in diff.tables for finding in find_in_table(table, migration, up)
    )
    return lost + find_underived(diff, migration)


def find_in_table(table: TableDiff, migration: Migration, up: Run) -> tuple[Finding, ...]:
    """Return every undeclared loss or change in one table, at a statement that wrote a row."""
    contract = migration.contract
    if table.after is None:
        lacking = [with_remedy(finding, migration) for finding in lost_in_copies(table, migration)]
        is_said = drops_table(contract, table.table)
        return tuple(lacking) if is_said else (*lost_table(table, migration), *lacking)
    lost = tuple(
        lost_column(table, table.spelled.get(column, column), migration)
        for column in table.lost_columns
        if not drops_column(contract, table.table, column)
    )
    undeclared = without_retyped(undeclared_rows(table, contract), table)
    beside = table.renumbered.lost if table.renumbered else None
    if beside is not None:
        beside = undeclared_rows(replace(table, differences=beside, key=()), contract)
    rows = find_in_rows(undeclared, table, without_idle(migration.up, up), "up", lost=beside)
    key = () if table.renumbered else table.key
    known = TableColumns(key, tuple(table.spelled.values()))
    return lost + tuple(with_remedy(finding, migration, known, up.executed) for finding in rows)


def without_retyped(differences: Differences, table: TableDiff) -> Differences:
    """Return ``differences`` without columns whose numbers are the same ones in another type.

    A REAL column stores 19 as 19.0, and NUMERIC stores it as 19 again: that the type is another
    one is told of the column, and is all there is to tell (https://sqlite.org/datatype3.html, 3).
    """
    changed = {group.column for group in differences.groups if group.kind is ValueChanged}
    other = {
        difference.column
        for difference in (differences if changed & table.real_to_numeric else ())
        if isinstance(difference, ValueChanged)
        and not (
            isinstance(difference.before, float)
            and isinstance(difference.after, int)
            and difference.before == difference.after
        )
    }
    same = (changed & table.real_to_numeric) - other
    return differences.filter_groups(
        lambda d: not (isinstance(d, ValueChanged) and d.column in same)
    )


def lost_table(table: TableDiff, migration: Migration) -> tuple[Finding, ...]:
    """Return the finding that a table is gone, and in which others its rows are, by ``name``.

    Its ``count`` are those in none of them; ``total`` is 0 where that cannot be told. A table that
    has half of them or more is what it is called now, and what columns that lacks is told as well.
    """
    place = locate_drop(migration.up, table.table)
    rows = table.rows_before
    lost = sum(group.count for group in table.differences.groups if group.kind is RowLost)
    copies = table.copies or ((table.copied_to,) if table.copied_to else ())
    line = renaming_line(table, migration) if 2 * lost <= rows else ""
    gone = Finding(
        "table lost",
        "up",
        place.path,
        place.line,
        table=table.table,
        name=", ".join(copies) if rows else "",
        count=lost if copies else rows,
        total=rows if table.copies or not copies else 0,
        found_by=", ".join(table.spelled.get(name, name) for name in table.found_by),
        allow=line or contract_line(migration, f"drops {bare_or_quoted(table.table)}"),
    )
    not_copied = [
        lost_column(table, table.spelled.get(column, column), migration)
        for column in (table.not_copied if line else ())
        if not drops_column(migration.contract, table.table, column)
    ]
    return (gone, *not_copied)


def renaming_line(table: TableDiff, migration: Migration) -> str:
    """Return the line that says that a dropped table is its copy now, '' where there is none."""
    if not table.copied_to:
        return ""
    old, new = bare_or_quoted(table.table), bare_or_quoted(table.copied_to)
    return contract_line(migration, f"renames {old} -> {new}")


def lost_in_copies(table: TableDiff, migration: Migration) -> tuple[Finding, ...]:
    """Return what the copies of a table lack that was dropped as declared: no loss is hidden.

    What a copy has beside, and whatever was not copied at all, is not asked; nor what was put aside
    for a down part, which is to bring it back.
    """
    if table.is_kept_aside and migration.down and migration.contract.irreversible is None:
        return ()
    lost = undeclared_rows(table, migration.contract).filter_groups(
        lambda difference: not isinstance(difference, RowAdded)
    )
    return find_in_rows(lost, table, migration.up, "up")


def lost_column(table: TableDiff, column: str, migration: Migration) -> Finding:
    """Return the finding that a column, and all that it held, is gone."""
    place = locate_column(migration.up, table.table, column, table.after or "")
    return Finding(
        "column lost",
        "up",
        place.path,
        place.line,
        table=table.table,
        column=column,
        count=table.rows_before,
        total=table.rows_before,
        allow=contract_line(migration, f"drops {dotted(table.table, column)}"),
    )


def condition_of_copy(finding: Finding, migration: Migration, known: TableColumns) -> str:
    """Return which rows a copy leaves out, or gives a value for want of one; '' for none told."""
    if finding.kind == "rows lost":
        return rows_left_out(migration, finding.table, known.key)
    was_null = all(cell is None for example in finding.examples for _, cell in example.before)
    if not was_null:
        return ""
    return rows_given_default(migration, finding.table, finding.column, known.columns)


def with_remedy(
    finding: Finding,
    migration: Migration,
    known: TableColumns = UNKNOWN,
    executed: Sequence[str] = (),
) -> Finding:
    """Return a finding on rows with the contract line that would allow it.

    ``known`` are the key and the columns of its table, ``executed`` what up ran. Where the contract
    declares the same with a ``where``, that condition is what was broken.
    """
    table = bare_or_quoted(finding.table)
    folded = fold_name(finding.table)
    contract = migration.contract
    if finding.kind == "rows added":
        return replace(finding, allow=contract_line(migration, f"inserts {table}"))
    if finding.kind == "rows lost":
        wheres = [d.where for d in contract.deletes if fold_name(d.table) == folded]
        declaration = f"deletes {table}"
    else:
        wheres = [
            c.where
            for c in contract.changes
            if fold_name(c.table) == folded and same_name(c.column, finding.column)
        ]
        declaration = f"changes {dotted(finding.table, finding.column)}"
    outside = " or ".join(where for where in wheres if where)
    if outside:
        return replace(finding, expected=f"only rows where {outside}")
    column = "" if finding.kind == "rows lost" else finding.column
    condition = condition_of_statements(migration, finding.table, column, known, executed)
    if finding.kind != "rows renumbered":
        condition = condition or condition_of_copy(finding, migration, known)
    declaration += f" where {condition}" if condition else ""
    return replace(finding, allow=contract_line(migration, declaration))
