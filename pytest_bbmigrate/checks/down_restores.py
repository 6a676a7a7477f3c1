"""down_restores: down gives schema and data from before, and keeps rows written since."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.alike import is_told_of_up
from pytest_bbmigrate.checks.declared import drops_column, drops_table
from pytest_bbmigrate.checks.definitions import locate_difference, locate_made, locate_sequence
from pytest_bbmigrate.checks.locate import LOSES_ROWS, WRITES_VALUES, locate
from pytest_bbmigrate.checks.lost_by_up import told_at_up
from pytest_bbmigrate.checks.row_findings import find_in_rows
from pytest_bbmigrate.checks.schema_survives import is_altered, may_be_lower
from pytest_bbmigrate.checks.up_applies import failure_finding
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.explain.copy_refused import advice_on_copy
from pytest_bbmigrate.explain.indexes_in_the_way import with_every_index
from pytest_bbmigrate.explain.nearest_name import with_nearest
from pytest_bbmigrate.rows import RowLost, ValueChanged
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Answer, Example, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff, WrittenRows
    from pytest_bbmigrate.rows import RowDifference
    from pytest_bbmigrate.runner import Failure, Run
    from pytest_bbmigrate.schema import SchemaDifference


NOT_RUN = "down was not run"
NOT_IMPLEMENTED = "NotImplementedError"
THERE = re.compile(r"duplicate column name|^(?:table|index|view|trigger) .+ already exists")
THERE_BEFORE = (
    "it is there when down comes to it, from up or from before: drop it first, give it another "
    "name, or leave this out"
)
IS_REFUSED = "the down part itself says that there is none"


def down_not_tried(evidence: Evidence) -> str:
    """Return why there is no down part to try, '' when there is one."""
    if evidence.up_diff is None:
        return "up does not apply"
    return why_no_down(evidence.migration)


def why_no_down(migration: Migration) -> str:
    """Return why ``migration`` has no down part, '' when it has one."""
    contract = migration.contract
    if contract.irreversible is not None:
        because = f" because {contract.irreversible}" if contract.irreversible else ""
        return f"declared irreversible{because}"
    return "" if migration.down else "no down part"


def ask_down_restores(evidence: Evidence) -> Answer:
    """Return what down did not drop, did not recreate, or lost of rows written since."""
    part, down = evidence.migration.down, evidence.down
    if reason := down_not_tried(evidence):
        return Answer(reason=reason)
    if part is None or down is None:
        return Answer(reason=NOT_RUN)
    if down.failure:
        return Answer((refused_finding(down, down.failure, evidence),))
    findings: list[Finding] = []
    notes: tuple[str, ...] = ()
    rows = values = 0
    if evidence.down_diff is not None:
        found = find_unrestored(evidence.down_diff, part, evidence.migration)
        found = [told_at_up(gone_before(finding, part, evidence), evidence) for finding in found]
        findings += [one for one in found if not is_told_of_up(one, evidence)] or found
        notes = blank_notes(evidence.down_diff, evidence.migration)
        rows, values = evidence.down_diff.rows_compared, evidence.down_diff.values_compared
    findings += [
        Finding("integrity", "down", part.path, observed=message)
        for message in evidence.integrity_after_down
    ]
    later = evidence.down_after_writing
    if later is not None and later.failure and not findings:
        findings.append(failure_finding(later.failure, "down after writing", later.printed))
    if evidence.written is not None:
        findings += find_unkept(evidence.written, part)
        findings += find_undone(evidence.written, evidence.down_diff, part)
        notes += unwritten_notes(evidence.written)
    return Answer(tuple(findings), notes=notes, rows=rows, values=values)


def refused_finding(down: Run, failure: Failure, evidence: Evidence) -> Finding:
    """Return a ``failure`` of down, with the line that says so where there is no way back."""
    finding = failure_finding(failure, "down", down.printed)
    if THERE.search(failure.message):
        finding = replace(finding, cause=THERE_BEFORE)
    if failure.message.startswith(NOT_IMPLEMENTED):
        line = contract_line(evidence.migration, f"irreversible because {IS_REFUSED}")
        finding = replace(finding, allow=line)
    after = evidence.schema_after
    if after is None:
        return finding
    finding = with_every_index(finding, failure, after, down.executed)
    finding = with_nearest(finding, failure, after, down.executed, evidence.up.executed)
    return replace(finding, cause=advice_on_copy(failure, down.executed, after) or finding.cause)


def find_unrestored(back: DatabaseDiff, part: Part, migration: Migration) -> list[Finding]:
    """Return every difference of schema and data between before and after down.

    A table that is declared altered may come back with its columns in another order, and with a
    lower sequence: neither can be put right but by a rebuild. What the sequence of one that is
    declared dropped was, nothing knows any more.
    """
    contract = migration.contract
    counts = {fold_name(table.table): table.rows_before for table in back.tables}
    findings = [
        replace(finding, count=counts.get(fold_name(finding.table), 0))
        if finding.kind == "table lost"
        else with_order_line(finding, migration)
        for finding in (difference_finding(d, part, "down") for d in back.schema)
        if not (finding.kind == "column order" and is_altered(contract, finding.table, ""))
    ]
    for table in back.tables:
        if table.after is not None:
            findings += find_unrestored_rows(table, part, migration)
    findings += [
        Finding(
            "sequence lowered",
            "down",
            (place := locate_sequence(part, table)).path,
            place.line,
            table=table,
            expected=str(before),
            observed=str(after),
            allow=contract_line(migration, f"alters sequence {bare_or_quoted(table)}")
            if drops_table(contract, table)
            else "",
        )
        for table, before, after in back.sequences
        if not may_be_lower(contract, table)
    ]
    return findings


def gone_before(finding: Finding, part: Part, evidence: Evidence) -> Finding:
    """Return ``finding``, one on an index that up dropped where down makes its table, if it does.

    What down drops has nothing to do with it: the index was gone.
    """
    after = evidence.schema_after
    if finding.kind != "index lost" or after is None or after.index(finding.name) is not None:
        return finding
    place = locate_made(part, finding.table)
    return replace(finding, path=place.path, line=place.line) if place.line else finding


def with_order_line(finding: Finding, migration: Migration) -> Finding:
    """Return ``finding``, on an order of columns with the line that allows it after ``drops``."""
    contract = migration.contract
    touched = {fold_name(drop.table) for drop in contract.drops if drop.table}
    touched |= {fold_name(alter.table) for alter in contract.alters}
    if finding.kind != "column order" or fold_name(finding.table) not in touched:
        return finding
    line = contract_line(migration, f"alters {bare_or_quoted(finding.table)}")
    return replace(finding, allow=line)


def find_unrestored_rows(table: TableDiff, part: Part, migration: Migration) -> tuple[Finding, ...]:
    """Return every difference of one table's rows between before and after down."""
    kept = table.differences.filter_groups(lambda d: not is_blank(d, table, migration))
    return find_in_rows(kept, table, part, "down")


def difference_finding(difference: SchemaDifference, part: Part, step: str) -> Finding:
    """Return a difference of structure as a finding on ``part``."""
    place = locate_difference(part, difference)
    return Finding(
        difference.kind,
        step,
        place.path,
        place.line,
        table=difference.table,
        column=difference.column,
        # Of a table that is gone, that names where its rows are: they are nowhere.
        name="" if difference.kind == "table lost" else difference.name,
        expected=difference.before,
        observed=difference.after,
    )


def is_blank(difference: RowDifference, table: TableDiff, migration: Migration) -> bool:
    """Return whether a difference only shows that what was declared dropped came back blank.

    A dropped column holds nothing but NULL or its default; a dropped table has no rows.
    """
    contract = migration.contract
    if isinstance(difference, ValueChanged):
        column = difference.column
        return column in table.blank_columns and drops_column(contract, table.table, column)
    return (
        isinstance(difference, RowLost)
        and not table.rows_after
        and drops_table(contract, table.table)
    )


def blank_notes(back: DatabaseDiff, migration: Migration) -> tuple[str, ...]:
    """Return what came back without its values, as (table or table.column) names."""
    contract = migration.contract
    columns = [
        f"{table.table}.{column}"
        for table in back.tables
        for column in sorted(table.blank_columns)
        if drops_column(contract, table.table, column)
        and any(alike.column == column for alike in table.differences.groups)
    ]
    tables = [
        table.table
        for table in back.tables
        if drops_table(contract, table.table) and table.rows_before and not table.rows_after
    ]
    return tuple(f"down creates {name} again without its values" for name in (*tables, *columns))


def unwritten_notes(written: WrittenRows) -> tuple[str, ...]:
    """Return which tables no row could be written to after up: nothing was seen of those.

    That down refuses what only the schema after up takes is noted as well.
    """
    beyond = written.only_after
    return (
        *(
            f"no row could be written to {unfilled.table} after up: {unfilled.reason}"
            for unfilled in written.unwritten
            if not unfilled.column and unfilled.table not in written.counts
        ),
        *([f"down does not run with rows that only up allows: {beyond}"] if beyond else []),
    )


def find_undone(written: WrittenRows, back: DatabaseDiff | None, part: Part) -> Iterator[Finding]:
    """Yield the edits since up that down undid, and the deleted rows that it brought back.

    Not those of tables and columns of which something worse is told.
    """
    spoilt = spoilt_by_down(written, back)
    for table, column in dict.fromkeys(written.edited):
        undone = [
            d
            for d in written.edits_undone
            if d.table == table and (not isinstance(d, ValueChanged) or d.column == column)
        ]
        if undone and not spoilt & {(fold_name(table), ""), (fold_name(table), fold_name(column))}:
            place = locate(part, (table,), WRITES_VALUES)
            yield Finding(
                "edits undone",
                "down after writing",
                place.path,
                place.line,
                table=table,
                column=column,
                count=len(undone),
                total=written.edited.count((table, column)),
                examples=tuple(map(edit_example, undone[:5])),
            )
    for table, total in written.deleted.items():
        returned = [d for d in written.deleted_back if d.table == table]
        if returned and (fold_name(table), "") not in spoilt:
            place = locate(part, (table,), WRITES_VALUES)
            yield Finding(
                "deleted rows back",
                "down after writing",
                place.path,
                place.line,
                table=table,
                count=len(returned),
                total=total,
                examples=tuple(
                    Example((), tuple(d.row.items()))
                    for d in returned[:5]
                    if isinstance(d, RowLost)
                ),
            )


def edit_example(difference: RowDifference) -> Example:
    """Return an edit that down undid as an example."""
    if isinstance(difference, ValueChanged):
        column = difference.column
        return Example((), ((column, difference.before),), ((column, difference.after),))
    return Example((), before=tuple(difference.row.items()))


def spoilt_by_down(written: WrittenRows, back: DatabaseDiff | None) -> set[tuple[str, str]]:
    """Return the (table, column) whose values down spoils anyway; (table, '') where rows are lost.

    All names are folded.
    """
    differences = [*written.differences]
    found = {
        (fold_name(d.table), d.column if isinstance(d, ValueChanged) else "") for d in differences
    }
    for table in back.tables if back else ():
        if table.after is None:
            found.add((fold_name(table.table), ""))
        for alike in table.differences.groups:
            column = alike.column if alike.kind is ValueChanged else ""
            found.add((fold_name(table.table), fold_name(column)))
    return found


def find_unkept(written: WrittenRows, part: Part) -> list[Finding]:
    """Return the rows written after up that down lost or changed."""
    findings = []
    for table in written.counts:
        lost = [d for d in written.differences if d.table == table and isinstance(d, RowLost)]
        changed = [
            d for d in written.differences if d.table == table and isinstance(d, ValueChanged)
        ]
        if lost:
            place = locate(part, (table,), LOSES_ROWS)
            findings.append(
                Finding(
                    "written rows lost",
                    "down after writing",
                    place.path,
                    place.line,
                    table=table,
                    count=len(lost),
                    total=written.counts[table],
                    examples=tuple(Example((), tuple(d.row.items())) for d in lost[:5]),
                )
            )
        for column in dict.fromkeys(d.column for d in changed):
            cells = [d for d in changed if d.column == column]
            place = locate(part, (table,), WRITES_VALUES)
            findings.append(
                Finding(
                    "written values changed",
                    "down after writing",
                    place.path,
                    place.line,
                    table=table,
                    column=column,
                    count=len(cells),
                    total=written.counts[table],
                    examples=tuple(
                        Example((), ((column, d.before),), ((column, d.after),)) for d in cells[:5]
                    ),
                )
            )
    return findings
