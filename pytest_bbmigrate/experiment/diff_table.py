"""What differs in one table between two snapshots: rows, and columns that are blank now."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.copied_tables import copies_of_table, successor_among
from pytest_bbmigrate.experiment.kept_in_place import is_kept_in_place
from pytest_bbmigrate.experiment.model import TableDiff
from pytest_bbmigrate.experiment.renumbered_keys import (
    ROWID,
    find_renumbered,
    find_renumbered_beside_lost,
    is_known_by_rowid,
)
from pytest_bbmigrate.rows import (
    Differences,
    Pairing,
    RowConditions,
    RowLost,
    ValueChanged,
    compare_rows,
    differences_of,
    summarize_rows,
)
from pytest_bbmigrate.schema import Renames
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    open_content,
    open_contents,
)
from pytest_bbmigrate.sqlite_files.in_time import given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_bbmigrate.contract import Change, Contract, Delete
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.rows import RowDifference
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Column, Table
    from pytest_bbmigrate.sqlite_files import Content


def diff_table(
    db: sqlite3.Connection,
    table: Table,
    before: Snapshot,
    after: Snapshot,
    renames: Renames,
    contract: Contract,
    run: Run | None = None,
    derived: Collection[tuple[str, str]] = (),
) -> TableDiff:
    """Return what has become of ``table`` and its rows.

    ``derived`` are the (table, column), both folded, whose values the contract derives.
    """
    name = fold_name(table.name)
    new_table = after.schema.table(renames.tables.get(name, ""))
    rows_before = before.row_counts[name]
    stored = table.stored_columns
    columns = {old: renames.columns[name, old] for old in stored if (name, old) in renames.columns}
    lost = tuple(old for old in stored if old not in columns)
    if new_table is not None and new_table.error and not new_table.columns:
        lost = ()  # the table itself is told: it cannot be read
    spelled = spelled_columns(table)
    if new_table is None:
        none = Differences()
        return TableDiff(
            table.name, None, (), {}, (), frozenset(), rows_before, 0, 0, none, spelled=spelled
        )
    derived_here = frozenset(column for of_table, column in derived if of_table == name)
    rewritten = {fold_name(c.column) for c in contract.changes if fold_name(c.table) == name}
    rewritten |= derived_here
    key = row_key(table, columns, rewritten)
    compared = tuple(columns.items())
    by_rowid = is_known_by_rowid(table, before.schema) and not new_table.without_rowid
    by_rowid = by_rowid or is_kept_in_place(db, table, new_table, run)
    if by_rowid and ROWID not in rewritten:
        key, compared = (ROWID,), (*compared, (ROWID, ROWID))
    differences = Differences()
    renumbered = None
    # The rows that it shows are judged where they are; that its index agrees is asked of FTS5.
    shows_others = bool(table.external_content and new_table.external_content)
    is_compared = not (shows_others or table.error or new_table.error)
    if columns and is_compared:
        keeps_rowids = fold_name(table.rowid_alias or "") not in rewritten
        pairing = Pairing(table.name, new_table.name, compared, key, by_rowid=keeps_rowids)
        comparison = Comparison(before.image, after.image, pairing, conditions_on(table, contract))
        differences = comparison.differences(db)
        renumbered = find_renumbered(db, pairing, differences)
        if renumbered is None and (beside := find_renumbered_beside_lost(db, pairing, differences)):
            gone = replace(comparison, pairing=beside[1]).differences(db)
            renumbered = replace(beside[0], lost=gone)
    return TableDiff(
        table=table.name,
        after=new_table.name,
        key=key,
        columns=columns,
        lost_columns=lost,
        blank_columns=find_blank_columns(db, new_table, columns, differences),
        rows_before=rows_before,
        rows_after=after.row_counts[fold_name(new_table.name)],
        values_compared=rows_before * len(columns) if is_compared else 0,
        differences=differences,
        renumbered=renumbered,
        spelled=spelled,
        real_to_numeric=frozenset(
            old
            for old, new in columns.items()
            if affinity_of(table, old) == "REAL" and affinity_of(new_table, new) == "NUMERIC"
        ),
        derived=derived_here,
    )


def affinity_of(table: Table, name: str) -> str:
    """Return the affinity of a column, '' if there is none of that name."""
    column = table.column(name)
    return column.affinity if column else ""


def spelled_columns(table: Table) -> dict[str, str]:
    """Return the names of a table's columns as they were declared, by the folded ones."""
    return {fold_name(column.name): column.name for column in table.columns}


def diff_dropped_table(
    db: sqlite3.Connection,
    table: Table,
    before: Snapshot,
    after: Snapshot,
    renames: Renames,
    contract: Contract,
    run: Run | None,
) -> TableDiff:
    """Return what has become of ``table``, which is gone: perhaps its rows stand in others."""
    gone = diff_table(db, table, before, after, Renames(), contract)
    copies = copies_of_table(db, table, renames, after.schema, run)
    successor = successor_among(copies, table)
    gone = replace(
        gone,
        copied_to=successor.table.name if successor else "",
        not_copied=successor.lacks(table) if successor else (),
        copies=tuple(c.table.name for c in copies if c.pairing(table) is not None),
        is_kept_aside=bool(table.primary_key)
        and not any(copied.table.primary_key for copied in copies),
    )
    conditions = conditions_on(table, contract)
    comparisons = [
        Comparison(before.image, after.image, pairing, conditions)
        for copied in copies
        if (pairing := copied.pairing(table)) is not None
    ]
    if not comparisons:
        return gone
    key = comparisons[0].pairing.key
    if len(comparisons) > 1:
        return replace(gone, key=key, found_by=key, differences=lost_in_all(db, comparisons))
    differences = comparisons[0].differences(db)
    compared = {old for old, _ in comparisons[0].pairing.columns}
    is_as_it_was = compared.issuperset(table.stored_columns) and not any(
        group.kind is ValueChanged for group in differences.groups
    )
    found_by = () if is_as_it_was else key
    return replace(gone, key=key, found_by=found_by, differences=differences)


def lost_in_all(db: sqlite3.Connection, comparisons: Sequence[Comparison]) -> Differences:
    """Return the rows that none of several copies of a table has; they are told by their key.

    A row without a key is as a whole in one of them, or it is not.
    """

    def identity(lost: RowLost) -> object:
        return lost.key or tuple(map(repr, lost.row.values()))

    first, *others = comparisons
    lacking = [
        {identity(d) for d in compare_rows(db, each.pairing) if isinstance(d, RowLost)}
        for each in others
    ]
    with first.row_conditions() as conditions:
        return differences_of(
            difference
            for difference in compare_rows(db, first.pairing, conditions)
            if isinstance(difference, RowLost)
            and all(identity(difference) in keys for keys in lacking)
        )


@dataclass(frozen=True)
class Comparison:
    """One table to be compared in two databases; ``conditions`` are evaluated on rows before."""

    before: Content
    after: Content
    pairing: Pairing
    conditions: tuple[str, ...]

    def differences(self, pair: sqlite3.Connection) -> Differences:
        """Return what differs; ``pair`` is a connection to both. Of a file, not all is kept."""
        with self.row_conditions() as conditions:
            if isinstance(self.before, bytes):
                return differences_of(compare_rows(pair, self.pairing, conditions))
            return summarize_rows(pair, self.pairing, conditions, self.recompute)

    def recompute(self) -> Iterator[RowDifference]:
        """Compare again, and yield what differs."""
        with (
            closing(open_contents(self.before, self.after)) as pair,
            self.row_conditions() as conditions,
        ):
            yield from compare_rows(pair, self.pairing, conditions)

    @contextmanager
    def row_conditions(self) -> Iterator[RowConditions | None]:
        """Give the conditions with a connection to evaluate them on, None if there are none.

        ``main`` is the database before in it, so that a subquery reads the rows before as well.
        """
        if not self.conditions:
            yield None
            return
        with closing(open_content(self.before)) as db:
            valid = [c for c in self.conditions if is_valid_condition(db, self.pairing.before, c)]
            if valid:
                yield RowConditions(attach_content(db, self.after, "after"), tuple(valid))
            else:
                yield None


def conditions_on(table: Table, contract: Contract) -> tuple[str, ...]:
    """Return every ``where`` condition that the contract has for ``table``, each once."""
    declared: tuple[Change | Delete, ...] = (*contract.changes, *contract.deletes)
    name = fold_name(table.name)
    conditions = (d.where for d in declared if d.where is not None and fold_name(d.table) == name)
    return tuple(dict.fromkeys(conditions))


def is_valid_condition(db: sqlite3.Connection, table: str, condition: str) -> bool:
    """Return whether ``condition`` runs on every row of ``table``, in time; else none meets it."""
    try:
        with given_up_in_time(db):
            db.execute(f"SELECT count(*) FROM {quote_name(table)} WHERE ({condition}\n)").fetchone()
    except sqlite3.Error:
        return False
    return True


def unchanged_table_diff(table: Table) -> TableDiff:
    """Return the diff of a table in which nothing has changed; its rows are not counted."""
    columns = {name: name for name in table.stored_columns}
    key = tuple(fold_name(name) for name in table.primary_key)
    return TableDiff(table.name, table.name, key, columns, (), frozenset(), 0, 0, 0, Differences())


def row_key(
    table: Table, columns: Mapping[str, str], rewritten: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the columns that identify rows: the primary key, () if any of it is lost or rewritten.

    ``columns`` are those that still exist, ``rewritten`` those that are declared changed.
    """
    key = tuple(fold_name(name) for name in table.primary_key)
    usable = all(name in columns and name not in rewritten for name in key)
    return key if usable else ()


def find_blank_columns(
    db: sqlite3.Connection, table: Table, columns: Mapping[str, str], differences: Differences
) -> frozenset[str]:
    """Return the changed columns (names before) that hold nothing but NULL or their default."""
    changed = {group.column for group in differences.groups if group.kind is ValueChanged}
    changed = changed.union(*(group.filled for group in differences.groups))
    return frozenset(
        name
        for name in changed
        if (column := table.column(columns.get(name, ""))) and is_blank(db, table, column)
    )


def is_blank(db: sqlite3.Connection, table: Table, column: Column) -> bool:
    """Return whether ``column`` holds NULL or its default in every row.

    In a comparison the column's affinity applies to the default, as it did when it was stored
    (https://sqlite.org/datatype3.html, 4.2). A default of CURRENT_TIMESTAMP gives recent values.
    """
    name = quote_name(column.name)
    default = column.default or "NULL"
    if default.strip("() ").upper().startswith("CURRENT_"):
        allowed = f"{name} IS NULL OR {name} >= date('now', '-1 day') OR {name} GLOB '??:??:??'"
    else:
        allowed = f"{name} IS NULL OR {name} IS ({default}) COLLATE BINARY"
    others = f"SELECT 1 FROM main.{quote_name(table.name)} WHERE NOT ({allowed}) LIMIT 1"
    return db.execute(others).fetchone() is None
