"""Compare a database before and after, and say what has become of everything in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.experiment.derived_rows import judge_derived
from pytest_bbmigrate.experiment.diff_table import diff_dropped_table, diff_table
from pytest_bbmigrate.experiment.matching import match_names, match_schemas
from pytest_bbmigrate.experiment.model import DatabaseDiff
from pytest_bbmigrate.experiment.references import find_dangling, find_mismatches
from pytest_bbmigrate.experiment.remade_views import find_remade_views
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_in, unchanged_tables
from pytest_bbmigrate.experiment.view_limits import PassedOver
from pytest_bbmigrate.experiment.views import find_affected_views
from pytest_bbmigrate.schema import Renames, compare_schemas
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    open_contents,
    read_content,
    same_content,
)

if TYPE_CHECKING:
    import sqlite3

    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema
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
    if after is before and not (contract and contract.derives):
        return empty_diff(before)
    with closing(open_contents(before.image, after.image)) as pair:
        return diff_in(pair, before, after, contract or Contract(), run)


def diff_against(
    before: Snapshot, image: Content, there: sqlite3.Connection | None = None
) -> tuple[Snapshot, DatabaseDiff]:
    """Return the snapshot of ``image``, and how it differs from ``before``.

    They should be equal, so another name is a difference, not a rename. Where a connection to
    ``image`` is ``there``, that is read.
    """
    if same_content(before.image, image):
        return before, empty_diff(before)
    with read_content(image, there) as db:
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


def is_proven_same(before: Snapshot, after: Snapshot, diff: DatabaseDiff) -> bool:
    """Return whether nothing differs at all, by pages, or by a ``diff`` of rows that have a key.

    The statements of both schemas are the same. Where a table has no key its rows may stand in
    another order.
    """
    tables = before.schema.tables
    equal = {fold_name(table.table) for table in diff.tables if table.is_as_it_was}
    return is_same(before, after) or (
        after.schema is before.schema
        and before.schema.table_names <= diff.untouched | equal
        and not any(table.autoincrement or table.virtual for table in tables)
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
    derivations = judge_derived(pair, before, after, renames, declared)
    derived = frozenset(d.column_before for d in derivations if d.column_before)
    tables = tuple(
        diff_table(pair, table, before, after, renames, declared, run, derived)
        if fold_name(table.name) in renames.tables or contract is None
        else diff_dropped_table(pair, table, before, after, renames, declared, run)
        for table in before.schema.tables
        if fold_name(table.name) not in untouched
    )
    dangling = find_dangling(pair, before.schema, after.schema, renames, untouched, tables)
    sequences = fallen_sequences(pair, before.schema, after.schema, renames)
    found = find_mismatches(after.schema) if after.schema is not before.schema else ()
    earlier = find_mismatches(before.schema) if found else ()
    mismatches = tuple(mismatch for mismatch in found if mismatch not in earlier)
    differences = compare_schemas(before.schema, after.schema, renames, strictly=contract is None)
    diff = DatabaseDiff(
        tables,
        renames,
        differences,
        dangling,
        mismatches,
        sequences,
        derivations=derivations,
    )
    if contract is not None:
        affected = find_affected_views(before, after, renames, differences)
        remade = find_remade_views(before, after, tables, differences)
        diff = replace(
            diff,
            views=tuple(view for view in affected if not isinstance(view, PassedOver)),
            remade_views=tuple(view for view in remade if not isinstance(view, PassedOver)),
            views_passed_over=tuple(
                view.view for view in (*affected, *remade) if isinstance(view, PassedOver)
            ),
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
