"""up_repeats: and forward again from there gives what it gave the first time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.down_restores import (
    NOT_RUN,
    difference_finding,
    down_not_tried,
    find_unrestored,
)
from pytest_bbmigrate.checks.row_findings import find_in_rows
from pytest_bbmigrate.checks.up_applies import failure_finding
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged, number_of
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff
    from pytest_bbmigrate.rows import Differences
    from pytest_bbmigrate.schema import Table


def ask_up_repeats(evidence: Evidence) -> Answer:
    """Return what going up again, from where down led, gave otherwise.

    That means nothing when down led elsewhere, for which ``down_restores`` fails.
    """
    if reason := down_not_tried(evidence):
        return Answer(reason=reason)
    down_part = evidence.migration.down
    if down_part is None or evidence.down is None:
        return Answer(reason=NOT_RUN)
    if evidence.down_diff is None:
        return Answer(reason="down does not apply")
    if find_unrestored(evidence.down_diff, down_part, evidence.migration):
        return Answer(reason="down does not restore what was there before")
    if evidence.second_up is None or evidence.second_up.failure:
        failure = evidence.second_up.failure if evidence.second_up else None
        return (
            Answer((failure_finding(failure, "up again"),))
            if failure
            else Answer(reason="up was not run again")
        )
    repeat = evidence.second_up_diff
    if repeat is None:
        return Answer(reason="up was not run again")
    part = evidence.migration.up
    findings: list[Finding] = [
        difference_finding(difference, part, "up again") for difference in repeat.schema
    ]
    given = tables_given_ids(evidence, repeat)
    for table in (table for table in repeat.tables if table.differences):
        differences = unexplained(table, evidence, given)
        findings += find_in_rows(differences, table, part, "up again")
    return Answer(tuple(findings), rows=repeat.rows_compared, values=repeat.values_compared)


def unexplained(table: TableDiff, evidence: Evidence, given: frozenset[str]) -> Differences:
    """Return the differences that neither chance, the clock nor SQLite's choice of ids explains."""
    volatile = volatile_columns(table.table, evidence.volatile)
    chosen = chosen_columns(table.table, evidence, given)
    loose = volatile | chosen
    rest = table.differences.filter_groups(
        lambda d: not (isinstance(d, ValueChanged) and fold_name(d.column) in loose)
    )
    if loose and not rows_apart_from(loose, rest):
        return rest.filter_groups(lambda d: isinstance(d, ValueChanged))
    return rest


def rows_apart_from(loose: frozenset[str], differences: Differences) -> bool:
    """Return whether lost and added rows, as multisets of the cells outside ``loose``, differ."""
    balance = 0
    for row in differences:
        if not isinstance(row, ValueChanged):
            cells = tuple(cell for name, cell in row.row.items() if fold_name(name) not in loose)
            balance += number_of(cells) if isinstance(row, RowLost) else -number_of(cells)
    return balance != 0


def volatile_columns(table: str, volatile: DatabaseDiff | None) -> frozenset[str]:
    """Return the columns of ``table`` that two runs of up from the same state fill differently."""
    for diff in volatile.tables if volatile else ():
        if same_name(diff.table, table):
            alike = diff.differences.groups
            changed = {fold_name(a.column) for a in alike if a.kind is ValueChanged}
            return frozenset(changed | differing_columns(diff))
    return frozenset()


def differing_columns(diff: TableDiff) -> set[str]:
    """Return the columns in which the lost rows, taken together, differ from the added ones."""
    if not any(alike.kind is RowLost for alike in diff.differences.groups):
        return set()
    balance = Counter[str]()
    for row in diff.differences:
        if not isinstance(row, ValueChanged):
            for name, cell in row.row.items():
                number = number_of(cell)
                balance[fold_name(name)] += number if isinstance(row, RowLost) else -number
    return {name for name, rest in balance.items() if rest}


def tables_given_ids(evidence: Evidence, repeat: DatabaseDiff) -> frozenset[str]:
    """Return the tables (folded, names after) in which up inserts rows whose id SQLite chooses."""
    there = evidence.up_diff
    old = {fold_name(t.after): t for t in there.tables if t.after} if there else {}
    untouched = there.untouched if there else frozenset()
    return frozenset(
        name
        for diff in repeat.tables
        if (name := fold_name(diff.table)) not in untouched
        and (name not in old or any(a.kind is RowAdded for a in old[name].differences.groups))
    )


def chosen_columns(table: str, evidence: Evidence, given: frozenset[str]) -> frozenset[str]:
    """Return the columns of ``table`` that hold ids given by SQLite to rows which up inserted."""
    there = evidence.schema_after.table(table) if evidence.schema_after else None
    if there is None:
        return frozenset()
    own = (
        {fold_name(there.rowid_alias)} if there.rowid_alias and fold_name(table) in given else set()
    )
    return frozenset(own | referring_columns(there, given, evidence))


def referring_columns(table: Table, given: frozenset[str], evidence: Evidence) -> set[str]:
    """Return the columns of ``table`` that refer to an id of a table in ``given``."""
    schema = evidence.schema_after
    found = set()
    for key in table.foreign_keys:
        parent = schema.table(key.parent) if schema else None
        alias = parent.rowid_alias if parent and fold_name(key.parent) in given else None
        for own, theirs in zip(key.columns, key.parent_columns, strict=False):
            if alias and same_name(theirs, alias):
                found.add(fold_name(own))
    return found
