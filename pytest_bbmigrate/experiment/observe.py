"""Look at a database as it was and as it is, and say what became of everything in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.experiment.matching import match_names, match_schemas
from pytest_bbmigrate.experiment.model import DatabaseDiff, TableDiff
from pytest_bbmigrate.experiment.references import find_dangling, find_mismatches
from pytest_bbmigrate.experiment.renumbered_keys import ROWID, find_renumbered, is_known_by_rowid
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_in, unchanged_tables
from pytest_bbmigrate.experiment.views import shifted_views
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
    """Return what became of ``before`` on its way to ``after``.

    ``contract`` and ``run`` tell of renames, and whose ``where`` to evaluate on the rows before.
    """
    if after is before:
        return empty_diff(before)
    with closing(open_contents(before.image, after.image)) as pair:
        return diff_in(pair, before, after, contract or Contract(), run)


def diff_against(before: Snapshot, image: Content) -> tuple[Snapshot, DatabaseDiff]:
    """Return the snapshot of ``image``, and how it differs from ``before``, which it should equal.

    No rename is followed: another name is a difference.
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

    Pages tell nothing of AUTOINCREMENT sequences: those are looked at where there are any.
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
    """Return what became of ``before``; renames are looked for when there is a ``contract``."""
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
        follow_table(pair, table, before, after, renames, declared)
        for table in before.schema.tables
        if fold_name(table.name) not in untouched
    )
    dangling = find_dangling(pair, before.schema, after.schema, renames, untouched)
    sequences = fallen_sequences(pair, before.schema, after.schema, renames)
    earlier = set(find_mismatches(before.schema))
    mismatches = tuple(m for m in find_mismatches(after.schema) if m not in earlier)
    differences = compare_schemas(before.schema, after.schema, renames)
    diff = DatabaseDiff(tables, renames, differences, dangling, mismatches, sequences)
    if contract is not None:
        diff = replace(diff, views=shifted_views(before, after, renames, differences))
    return with_untouched(diff, before, untouched)


def empty_diff(snapshot: Snapshot) -> DatabaseDiff:
    """Return the diff of a database on which nothing happened."""
    diff = DatabaseDiff((), Renames(), (), (), (), ())
    return with_untouched(diff, snapshot, frozenset(snapshot.row_counts))


def with_untouched(diff: DatabaseDiff, before: Snapshot, untouched: frozenset[str]) -> DatabaseDiff:
    """Return ``diff`` with the tables that nothing happened to, and what they hold."""
    still = [table for table in before.schema.tables if fold_name(table.name) in untouched]
    counts = [before.row_counts[fold_name(table.name)] for table in still]
    cells = [len(table.stored_columns) for table in still]
    return replace(
        diff,
        untouched=untouched,
        rows_untouched=sum(counts),
        values_untouched=sum(rows * width for rows, width in zip(counts, cells, strict=True)),
    )


def follow_table(
    db: sqlite3.Connection,
    table: Table,
    before: Snapshot,
    after: Snapshot,
    renames: Renames,
    contract: Contract,
) -> TableDiff:
    """Return what became of ``table`` and its rows."""
    name = fold_name(table.name)
    became = after.schema.table(renames.tables.get(name, ""))
    rows_before = before.row_counts[name]
    plain = table.stored_columns
    columns = {old: renames.columns[name, old] for old in plain if (name, old) in renames.columns}
    lost = tuple(old for old in plain if old not in columns)
    if became is None:
        return TableDiff(
            table.name, None, (), {}, (), frozenset(), rows_before, 0, 0, Differences()
        )
    rewritten = {fold_name(c.column) for c in contract.changes if fold_name(c.table) == name}
    key = row_key(table, columns, rewritten)
    compared = tuple(columns.items())
    by_rowid = is_known_by_rowid(table, before.schema) and not became.without_rowid
    if by_rowid and ROWID not in rewritten:
        key, compared = (ROWID,), (*compared, (ROWID, ROWID))
    differences = Differences()
    renumbered = None
    if columns:
        pairing = Pairing(table.name, became.name, compared, key)
        comparison = Comparison(before.image, after.image, pairing, conditions_on(table, contract))
        differences = comparison.differences(db)
        renumbered = find_renumbered(db, pairing, differences)
    return TableDiff(
        table=table.name,
        after=became.name,
        key=key,
        columns=columns,
        lost_columns=lost,
        blank_columns=find_blank_columns(db, became, columns, differences),
        rows_before=rows_before,
        rows_after=after.row_counts[fold_name(became.name)],
        values_compared=rows_before * len(columns),
        differences=differences,
        renumbered=renumbered,
    )


@dataclass(frozen=True)
class Comparison:
    """One table in two contents, to be compared; each row before is asked the ``conditions``."""

    before: Content
    after: Content
    pairing: Pairing
    conditions: tuple[str, ...]

    def differences(self, pair: sqlite3.Connection) -> Differences:
        """Return what differs, ``pair`` being a connection to both; of a file, not all is kept."""
        with self.question() as question:
            if isinstance(self.before, bytes):
                return differences_of(compare_rows(pair, self.pairing, question))
            return summarize_rows(pair, self.pairing, question, self.again)

    def again(self) -> Iterator[RowDifference]:
        """Yield what differs, comparing anew."""
        with closing(open_contents(self.before, self.after)) as pair, self.question() as question:
            yield from compare_rows(pair, self.pairing, question)

    @contextmanager
    def question(self) -> Iterator[RowConditions | None]:
        """Give what to ask each row before, None for nothing.

        It is asked where ``main`` is the database before, so that a subquery finds the rows before
        as well.
        """
        if not self.conditions:
            yield None
            return
        with closing(open_content(self.before)) as alone:
            asked = [c for c in self.conditions if can_be_asked(alone, self.pairing.before, c)]
            if asked:
                yield RowConditions(attach_content(alone, self.after, "after"), tuple(asked))
            else:
                yield None


def conditions_on(table: Table, contract: Contract) -> tuple[str, ...]:
    """Return each ``where`` that the contract has for ``table``, once."""
    declared: tuple[Change | Delete, ...] = (*contract.changes, *contract.deletes)
    name = fold_name(table.name)
    found = (d.where for d in declared if d.where is not None and fold_name(d.table) == name)
    return tuple(dict.fromkeys(found))


def can_be_asked(db: sqlite3.Connection, table: str, condition: str) -> bool:
    """Return whether ``condition`` can be asked of each row of ``table``; else none meets it."""
    try:
        db.execute(f"SELECT count(*) FROM {quote_name(table)} WHERE ({condition}\n)").fetchone()
    except sqlite3.Error:
        return False
    return True


def still_table(table: Table) -> TableDiff:
    """Return the diff of a table that nothing happened to; its rows are not counted."""
    columns = {name: name for name in table.stored_columns}
    key = tuple(fold_name(name) for name in table.primary_key)
    nothing = Differences()
    return TableDiff(table.name, table.name, key, columns, (), frozenset(), 0, 0, 0, nothing)


def row_key(
    table: Table, columns: Mapping[str, str], rewritten: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the columns that tell rows apart: the primary key, where all of it stays as it is."""
    key = tuple(fold_name(name) for name in table.primary_key)
    stays = all(name in columns and name not in rewritten for name in key)
    return key if stays else ()


def find_blank_columns(
    db: sqlite3.Connection, table: Table, columns: Mapping[str, str], differences: Differences
) -> frozenset[str]:
    """Return the changed columns (names before) that hold nothing but NULL or their default."""
    changed = {alike.column for alike in differences.groups if alike.kind is ValueChanged}
    changed = changed.union(*(alike.filled for alike in differences.groups))
    return frozenset(
        name
        for name in changed
        if (column := table.column(columns.get(name, ""))) and is_blank(db, table, column)
    )


def is_blank(db: sqlite3.Connection, table: Table, column: Column) -> bool:
    """Return whether ``column`` holds NULL or its default in every row.

    In a comparison the column's affinity applies to the default, as it did when it was stored
    (https://sqlite.org/datatype3.html, 4.2). What CURRENT_TIMESTAMP gave is known by being recent.
    """
    name = quote_name(column.name)
    default = column.default or "NULL"
    if default.strip("() ").upper().startswith("CURRENT_"):
        allowed = f"{name} IS NULL OR {name} >= date('now', '-1 day') OR {name} GLOB '??:??:??'"
    else:
        allowed = f"{name} IS NULL OR {name} IS ({default}) COLLATE BINARY"
    found = db.execute(f"SELECT 1 FROM main.{quote_name(table.name)} WHERE NOT ({allowed}) LIMIT 1")
    return found.fetchone() is None


def fallen_sequences(
    db: sqlite3.Connection, before: Schema, after: Schema, renames: Renames
) -> tuple[tuple[str, int, int], ...]:
    """Return the AUTOINCREMENT tables that would give out an id again: (table, before, after).

    What counts is the next id, the larger of the sequence and the largest rowid
    (https://sqlite.org/autoinc.html).
    """
    found = []
    for table in before.tables:
        became = after.table(renames.tables.get(fold_name(table.name), ""))
        if not (table.autoincrement and became and became.autoincrement):
            continue
        was = last_id(db, "before", table.name)
        is_now = last_id(db, "main", became.name)
        if is_now < was:
            found.append((table.name, was, is_now))
    return tuple(found)


def last_id(db: sqlite3.Connection, where: str, table: str) -> int:
    """Return the largest id that ``table`` is known to have given out."""
    sequence = db.execute(
        f"SELECT seq FROM {where}.sqlite_sequence WHERE name = ? COLLATE NOCASE", [table]
    ).fetchone()
    largest = db.execute(f"SELECT max(rowid) FROM {where}.{quote_name(table)}").fetchone()
    return max(int(sequence[0] or 0) if sequence else 0, largest[0] or 0)
