"""Compare what a rehearsal reports of the working copy with what the witness has seen.

The process that reports ran somebody's migrations: it is not believed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import TableChange
from pytest_bbmigrate.apply.rehearsal.check_verdicts import refuse_faults
from pytest_bbmigrate.checks.rollback import CHECK as ROLLS_BACK
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.apply.model import Preflight, Rehearsal
    from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
    from pytest_bbmigrate.apply.rehearsal.witness import TableSeen, WitnessReport
    from pytest_bbmigrate.checks.discards import Discarded
    from pytest_bbmigrate.contract import Contract

NOT_REPORTED = TableChange("", None, None)


def refuse_forged_copy(
    preflight: Preflight, order: RehearsalOrder, rehearsal: Rehearsal, report: WitnessReport
) -> None:
    """Make sure that the working copy, by the witness's ``report``, is what the rehearsal says.

    Raises: StepFailed.
    """
    refuse_faults([*copy_faults(preflight, order, rehearsal, report)])


def copy_faults(
    preflight: Preflight, order: RehearsalOrder, rehearsal: Rehearsal, report: WitnessReport
) -> Iterator[str]:
    """Yield where the working copy is not what the verdicts and the changes say of it."""
    if report.digest != rehearsal.digest:
        yield "the working copy is another one than was verified"
    yield from history_faults(preflight, order, report)
    yield from own_table_faults(order, report)
    yield from table_faults(rehearsal, report)
    yield from loss_faults(preflight, rehearsal)
    yield from column_faults(rehearsal, report)
    yield from row_faults(rehearsal, report)
    yield from count_faults(preflight, rehearsal, report)


def history_faults(
    preflight: Preflight, order: RehearsalOrder, report: WitnessReport
) -> Iterator[str]:
    """Yield where the history is not the old one and the migrations of this run, and no more."""
    renamed = dict(order.renamed)
    former = {new: old for old, new in order.renamed}
    rolled_back = (
        {former.get(m.name, m.name) for m in preflight.pending} if preflight.is_rollback else set()
    )
    kept = [
        replace(applied, name=renamed.get(applied.name, applied.name))
        for applied in report.before.history
        if applied.name not in rolled_back
    ]
    new = () if preflight.is_rollback else preflight.pending
    history = report.after.history
    names = [applied.name for applied in history]
    expected_names = [*(applied.name for applied in kept), *(migration.name for migration in new)]
    for name in sorted(set(expected_names) - set(names)):
        yield f"the history lacks {name}"
    if more := set(names) - set(expected_names):
        yield f"the history has {len(more):,} migrations that were neither applied nor are pending"
    if names != expected_names:
        yield "the history is not the old one and the migrations of this run in their order"
        return
    if list(history[: len(kept)]) != kept:
        yield "the history says something else of what was applied before"
    for migration, applied in zip(new, history[len(kept) :], strict=True):
        if (applied.checksum, applied.batch) != (migration.checksum, order.batch):
            yield f"the history has another text or batch for {migration.name}"
        if applied.statements < 0 or not applied.seconds >= 0:
            yield f"the history counts less than nothing for {migration.name}"


def own_table_faults(order: RehearsalOrder, report: WitnessReport) -> Iterator[str]:
    """Yield where our own tables are not as we make them, or count what is not there."""
    if set(report.after.attached) != set(report.before.attached):
        yield "the history's table has other indexes or triggers than before"
    for kind, name, _ in report.before.attached:
        if kind == "trigger":
            yield f"the trigger {name} is on a table of ours, and would run after all was judged"
    counts = {table.name: table.rows for table in report.after.tables}
    if not order.is_rollback and any(
        counts.get(table, rows) not in (rows, None) for table, rows in report.after.contents
    ):
        yield "the history counts other rows than there are"


def table_faults(rehearsal: Rehearsal, report: WitnessReport) -> Iterator[str]:
    """Yield the tables that the changes misreport, or that changed and are not reported.

    A name is repeated only where there is a table of that name.
    """
    before = {fold_name(table.name): table for table in report.before.tables}
    after = {fold_name(table.name): table for table in report.after.tables}
    for change in rehearsal.changes:
        table_before, table_after = (
            before.get(fold_name(change.former)),
            after.get(fold_name(change.table)),
        )
        if change.rows_before is not None:
            before.pop(fold_name(change.former), None)
            yield from _faults_of_table(
                table_before, change.rows_before, change.columns_lost, "before"
            )
        if change.rows_after is not None:
            after.pop(fold_name(change.table), None)
            yield from _faults_of_table(
                table_after, change.rows_after, change.columns_added, "afterwards"
            )
        if change.rows_before is None is change.rows_after or change.values_changed < 0:
            yield "a change that changes nothing"
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            yield f"the table {name} {'came' if name in after else 'went'}, unsaid"
        elif before[name].rows != after[name].rows:
            yield f"the table {name} has another number of rows, unsaid"
    yield from discard_faults(rehearsal.discarded, report)


def _faults_of_table(
    table: TableSeen | None, rows: int, columns: Sequence[str], when: str
) -> Iterator[str]:
    """Yield what is reported of a ``table`` and is not so."""
    if table is None:
        yield f"a change of a table that is not there {when}, or that was named already"
        return
    if table.rows not in (rows, None):
        yield f"the table {table.name} holds {table.rows:,} rows {when}, and not {rows:,}"
    if not set(columns) <= set(table.columns):
        yield f"the table {table.name} has no such columns {when}"


def discard_faults(discarded: Sequence[Discarded], report: WitnessReport) -> Iterator[str]:
    """Yield what is reported as discarded and was not there."""
    columns = {fold_name(table.name): table.columns for table in report.before.tables}
    for each in discarded:
        table_columns = columns.get(fold_name(each.table))
        if table_columns is None or each.column not in ("", *table_columns) or each.values < 1:
            yield "something is said to go that was not there"


def loss_faults(preflight: Preflight, rehearsal: Rehearsal) -> Iterator[str]:
    """Yield losses and changes that no migration declares."""
    contracts = [migration.contract for migration in preflight.pending]
    if not preflight.is_rollback:
        yield from undeclared_faults(contracts, rehearsal)
    is_declared = any(c.deletes or any(d.kind == "table" for d in c.drops) for c in contracts)
    if rehearsal.discarded if preflight.is_rollback else is_declared:
        return
    for change in rehearsal.changes:
        if change.rows_before is not None and change.rows_before > (change.rows_after or 0):
            yield f"the table {change.former} has lost rows, and no migration says that any may go"


def undeclared_faults(contracts: Sequence[Contract], rehearsal: Rehearsal) -> Iterator[str]:
    """Yield losses and changes of a kind that no contract declares for any table."""
    changes = any(contract.changes or contract.derives for contract in contracts)
    drops = any(contract.drops for contract in contracts)
    rows = changes or drops or any(c.deletes or c.inserts for c in contracts)
    for change in rehearsal.changes:
        if change.values_changed and not changes:
            yield f"values of the table {change.table} have changed, and no migration says so"
        if change.columns_lost and not drops:
            yield f"the table {change.table} has lost columns, and no migration says so"
        if (change.rows_lost or change.rows_came) and not rows:
            yield f"rows of the table {change.table} have come or gone, and no migration says so"


def column_faults(rehearsal: Rehearsal, report: WitnessReport) -> Iterator[str]:
    """Yield the tables whose columns are not those before, as the changes say they became."""
    by_name = {fold_name(change.former): change for change in rehearsal.changes if change.former}
    after = {fold_name(table.name): table for table in report.after.tables}
    for table in report.before.tables:
        change = by_name.get(fold_name(table.name), NOT_REPORTED)
        table_after = after.get(fold_name(change.table or table.name))
        if table_after is None:  # which is reported, or a fault by itself
            continue
        renamed = {fold_name(old): fold_name(new) for old, new in change.columns_renamed}
        lost = {fold_name(name) for name in change.columns_lost}
        kept = {fold_name(name) for name in table.columns} - lost
        expected = [renamed.get(name, name) for name in kept]
        expected += [fold_name(name) for name in change.columns_added]
        if sorted(expected) != sorted(fold_name(name) for name in table_after.columns):
            yield f"the table {table.name} has other columns than is said"


def row_faults(rehearsal: Rehearsal, report: WitnessReport) -> Iterator[str]:
    """Yield the tables in which more rows or values differ than is reported.

    Where migrations removed rows and made others, a new row may have the key of an old one.
    """
    by_name = {fold_name(change.former): change for change in rehearsal.changes if change.former}
    for change in rehearsal.changes:
        if bool(change.columns_changed) is not bool(change.values_changed):
            yield "changed values and their columns do not go together"
        if min(change.rows_lost, change.rows_came) < 0:
            yield "a change counts less than no rows"
    for rows in report.rows:
        change = by_name.get(fold_name(rows.table), NOT_REPORTED)
        remade = min(change.rows_lost, change.rows_came)
        changed = {fold_name(name) for name in change.columns_changed}
        most = change.values_changed + remade * len(changed)
        if rows.lost > change.rows_lost or rows.came > change.rows_came:
            yield f"the table {rows.table} does not hold the rows that it held"
        elif any(count > remade for name, count in rows.values if name not in changed):
            yield f"values of the table {rows.table} have changed, unsaid"
        elif sum(count for name, count in rows.values if name in changed) > most:
            yield f"more values of the table {rows.table} have changed than is said"


def count_faults(
    preflight: Preflight, rehearsal: Rehearsal, report: WitnessReport
) -> Iterator[str]:
    """Yield where the verdicts were reached on other rows than there are."""
    counts = [table.rows for table in report.before.tables]
    if None in counts:
        return
    row_count = sum(rows or 0 for rows in counts)
    check = ROLLS_BACK if preflight.is_rollback else "data_survives"
    first = (preflight.pending[0].name, check)
    for verdict in rehearsal.verdicts:
        if (verdict.subject, verdict.check) == first and verdict.rows != row_count:
            asked = f"{first[0]}: {check} was asked of {verdict.rows:,} rows"
            yield f"{asked}, and there are {row_count:,}"
