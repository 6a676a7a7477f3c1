"""Compare a database before and after, and say what has become of everything in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.experiment.copied_tables import copy_of_table
from pytest_bbmigrate.experiment.kept_in_place import is_kept_in_place
from pytest_bbmigrate.experiment.matching import match_names, match_schemas
from pytest_bbmigrate.experiment.model import DatabaseDiff, TableDiff
from pytest_bbmigrate.experiment.references import find_dangling, find_mismatches
from pytest_bbmigrate.experiment.remade_views import find_remade_views
from pytest_bbmigrate.experiment.renumbered_keys import (
    ROWID,
    find_renumbered,
    find_renumbered_beside_lost,
    is_known_by_rowid,
)
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_in, unchanged_tables
from pytest_bbmigrate.experiment.views import find_affected_views
from pytest_bbmigrate.rows import (
    Differences,
    Pairing,
    RowConditions,
    ValueChanged,
    compare_rows,
    differences_of,
    summarize_rows,
)
from pytest_bbmigrate.schema import Renames, compare_schemas
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    open_content,
    open_contents,
    same_content,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_bbmigrate.contract import Change, Delete
    from pytest_bbmigrate.rows import RowDifference
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Column, Schema, Table
    from pytest_bbmigrate.sqlite_files import Content


def observe(
    before: Snapshot,
    after: Snapshot,
    *,
    contract: Contract | None = None,
    run: Run | None = None,
) -> DatabaseDiff:
    """Return how ``after`` differs from ``before``.

    ``contract`` and ``run`` tell which names were renamed. The contract's ``where`` conditions are
    evaluated on the rows before.
    """
    if after is before:
        return empty_diff(before)
    with closing(open_contents(before.image, after.image)) as pair:
        return diff_in(pair, before, after, contract or Contract(), run)


def diff_against(before: Snapshot, image: Content) -> tuple[Snapshot, DatabaseDiff]:
    """Return the snapshot of ``image``, and how it differs from ``before``.

    They should be equal, so another name is a difference, not a rename.
    """
    if same_content(before.image, image):
        return before, empty_diff(before)
    with closing(open_content(image)) as db:
        after = snapshot_in(db, image, before)
        if is_same(before, after):
            return after, empty_diff(before)
        return after, diff_in(attach_content(db, before.image), before, after)


def is_same(before: Snapshot, after: Snapshot) -> bool:
    """Return whether schema and pages prove that nothing differs at all.

    Pages of tables tell nothing of AUTOINCREMENT sequences: where there are any, nothing is proven.
    """
    tables = before.schema.tables
    return after is before or (
        after.schema is before.schema
        and after.unchanged == before.schema.table_names
        and not any(table.autoincrement for table in tables)
    )


def diff_in(
    pair: sqlite3.Connection,
    before: Snapshot,
    after: Snapshot,
    contract: Contract | None = None,
    run: Run | None = None,
) -> DatabaseDiff:
    """Return how ``after`` differs from ``before``; look for renames if there is a ``contract``.

    ``pair`` is a connection to both.
    """
    untouched = unchanged_tables(pair, before, after)
    if contract is None:
        renames = match_names(before.schema, after.schema, untouched)
    else:
        renames = match_schemas(
            pair, before.schema, after.schema, contract=contract, run=run, untouched=untouched
        )
    untouched -= {old for old, new in renames.tables.items() if old != new}
    declared = contract or Contract()
    tables = tuple(
        diff_table(pair, table, before, after, renames, declared, run)
        if fold_name(table.name) in renames.tables or contract is None
        else diff_dropped_table(pair, table, before, after, declared, run)
        for table in before.schema.tables
        if fold_name(table.name) not in untouched
    )
    dangling = find_dangling(pair, before.schema, after.schema, renames, untouched)
    sequences = fallen_sequences(pair, before.schema, after.schema, renames)
    earlier = set(find_mismatches(before.schema))
    mismatches = tuple(m for m in find_mismatches(after.schema) if m not in earlier)
    differences = compare_schemas(before.schema, after.schema, renames, strictly=contract is None)
    diff = DatabaseDiff(tables, renames, differences, dangling, mismatches, sequences)
    if contract is not None:
        diff = replace(
            diff,
            views=find_affected_views(before, after, renames, differences),
            remade_views=find_remade_views(before, after, tables, differences),
        )
    return with_untouched(diff, before, untouched)


def empty_diff(snapshot: Snapshot) -> DatabaseDiff:
    """Return the diff of a database in which nothing has changed."""
    diff = DatabaseDiff((), Renames(), (), (), (), ())
    return with_untouched(diff, snapshot, frozenset(snapshot.row_counts))


def with_untouched(diff: DatabaseDiff, before: Snapshot, untouched: frozenset[str]) -> DatabaseDiff:
    """Return ``diff`` with the unchanged tables, and how many rows and cells they hold."""
    tables = [table for table in before.schema.tables if fold_name(table.name) in untouched]
    row_counts = [before.row_counts[fold_name(table.name)] for table in tables]
    widths = [len(table.stored_columns) for table in tables]
    return replace(
        diff,
        untouched=untouched,
        rows_untouched=sum(row_counts),
        values_untouched=sum(rows * width for rows, width in zip(row_counts, widths, strict=True)),
    )


def diff_table(
    db: sqlite3.Connection,
    table: Table,
    before: Snapshot,
    after: Snapshot,
    renames: Renames,
    contract: Contract,
    run: Run | None = None,
) -> TableDiff:
    """Return what has become of ``table`` and its rows."""
    name = fold_name(table.name)
    new_table = after.schema.table(renames.tables.get(name, ""))
    rows_before = before.row_counts[name]
    stored = table.stored_columns
    columns = {old: renames.columns[name, old] for old in stored if (name, old) in renames.columns}
    lost = tuple(old for old in stored if old not in columns)
    if new_table is None:
        return TableDiff(
            table.name,
            None,
            (),
            {},
            (),
            frozenset(),
            rows_before,
            0,
            0,
            Differences(),
            spelled=spelled_columns(table),
        )
    rewritten = {fold_name(c.column) for c in contract.changes if fold_name(c.table) == name}
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
    if columns and not shows_others:
        pairing = Pairing(table.name, new_table.name, compared, key)
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
        values_compared=0 if shows_others else rows_before * len(columns),
        differences=differences,
        renumbered=renumbered,
        spelled=spelled_columns(table),
        real_to_numeric=frozenset(
            old
            for old, new in columns.items()
            if affinity_of(table, old) == "REAL" and affinity_of(new_table, new) == "NUMERIC"
        ),
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
    contract: Contract,
    run: Run | None,
) -> TableDiff:
    """Return what has become of ``table``, which is gone: perhaps its rows stand in another one."""
    gone = diff_table(db, table, before, after, Renames(), contract)
    copied = copy_of_table(db, table, before.schema, after.schema, run)
    if copied is None:
        return gone
    pairing = copied.pairing(table)
    gone = replace(gone, copied_to=copied.table.name)
    if pairing is None:
        return gone
    comparison = Comparison(before.image, after.image, pairing, conditions_on(table, contract))
    return replace(gone, key=pairing.key, differences=comparison.differences(db))


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
    """Return whether ``condition`` runs on every row of ``table``; else none meets it."""
    try:
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


def fallen_sequences(
    db: sqlite3.Connection, before: Schema, after: Schema, renames: Renames
) -> tuple[tuple[str, int, int], ...]:
    """Return the AUTOINCREMENT tables that would use an id again, as (table, before, after).

    What counts is the last id, the larger of the sequence and the largest rowid
    (https://sqlite.org/autoinc.html).
    """
    fallen = []
    for table in before.tables:
        new_table = after.table(renames.tables.get(fold_name(table.name), ""))
        if not (table.autoincrement and new_table and new_table.autoincrement):
            continue
        id_before = last_id(db, "before", table.name)
        id_after = last_id(db, "main", new_table.name)
        if id_after < id_before:
            fallen.append((table.name, id_before, id_after))
    return tuple(fallen)


def last_id(db: sqlite3.Connection, where: str, table: str) -> int:
    """Return the largest id that ``table`` has used: by its sequence, or among its rows."""
    sequence = db.execute(
        f"SELECT seq FROM {where}.sqlite_sequence WHERE name = ? COLLATE NOCASE", [table]
    ).fetchone()
    largest = db.execute(f"SELECT max(rowid) FROM {where}.{quote_name(table)}").fetchone()
    return max(int(sequence[0] or 0) if sequence else 0, largest[0] or 0)
