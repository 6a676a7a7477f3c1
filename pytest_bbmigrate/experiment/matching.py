"""Find the tables and columns of one schema in a later one, also under a new name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.rows import Pairing, compare_rows
from pytest_bbmigrate.schema import Renames
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table


def match_schemas(
    db: sqlite3.Connection,
    before: Schema,
    after: Schema,
    *,
    contract: Contract | None = None,
    run: Run | None = None,
    untouched: frozenset[str] = frozenset(),
) -> Renames:
    """Return every table and column of ``before`` that still exists, with its name after.

    These decide, in this order: the renames that the contract declares; ALTER TABLE .. RENAME;
    the same name; of a column, a new name under which the very same values are found. ALTER TABLE
    .. RENAME does not count where something new has the old name: that is what the app will read.
    Tables in ``untouched`` are unchanged, so that their columns need no look.
    """
    contract = contract or Contract()
    tables = match_tables(before, after, contract, run)
    columns: dict[tuple[str, str], str] = {}
    for old, new in tables.items():
        old_table, new_table = before.table(old), after.table(new)
        if old_table is None or new_table is None or (old == new and old in untouched):
            continue
        matched = match_columns(db, old_table, new_table, contract, run)
        columns |= {(old, old_column): new_column for old_column, new_column in matched.items()}
    return Renames(tables, columns)


def match_names(before: Schema, after: Schema, untouched: frozenset[str] = frozenset()) -> Renames:
    """Return every table and column of ``before`` that still exists under its own name.

    Columns of tables in ``untouched`` are left out.
    """
    tables = before.table_names & after.table_names
    columns = {
        (name, fold_name(column.name)): fold_name(column.name)
        for name in tables - untouched
        if (old_table := before.table(name)) and (new_table := after.table(name))
        for column in old_table.columns
        if new_table.column(column.name) is not None
    }
    return Renames({name: name for name in tables}, columns)


def match_tables(
    before: Schema, after: Schema, contract: Contract, run: Run | None
) -> dict[str, str]:
    """Return the name after of every table that still exists, by its name before (both folded)."""
    old_names, new_names = before.table_names, after.table_names
    declared = {
        fold_name(rename.table): fold_name(rename.new_table)
        for rename in contract.renames
        if not same_name(rename.table, rename.new_table)
    }
    followed = without_replaced(dict(run.renamed_tables) if run else {}, new_names)
    matched: dict[str, str] = {}
    for renames in (declared, followed, {name: name for name in old_names}):
        add_matches(matched, renames, old_names, new_names)
    return matched


def add_matches(
    matched: dict[str, str],
    renames: Mapping[str, str],
    old_names: Collection[str],
    new_names: Collection[str],
) -> None:
    """Add ``renames`` to ``matched``, where both names exist and neither is matched already."""
    taken = set(matched.values())
    for old, new in renames.items():
        if old in old_names and old not in matched and new in new_names and new not in taken:
            matched[old] = new
            taken.add(new)


def without_replaced(renamed: Mapping[str, str], new_names: Collection[str]) -> dict[str, str]:
    """Return ``renamed`` without those whose old name something new has by now.

    What was itself renamed to that name is not new: two may have swapped their names.
    """
    return {
        old: new for old, new in renamed.items() if old not in new_names or old in renamed.values()
    }


def match_columns(
    db: sqlite3.Connection,
    old_table: Table,
    new_table: Table,
    contract: Contract,
    run: Run | None,
) -> dict[str, str]:
    """Return the name after of every column that still exists, by its name before (both folded)."""
    table = fold_name(old_table.name)
    old_names = [fold_name(column.name) for column in old_table.columns]
    new_names = [fold_name(column.name) for column in new_table.columns]
    all_renamed = dict(run.renamed_columns) if run else {}
    renamed = {old: new for (of_table, old), new in all_renamed.items() if of_table == table}
    followed = without_replaced(renamed, new_names)
    declared = {
        fold_name(rename.column): fold_name(rename.new_column)
        for rename in contract.renames
        if rename.column and rename.new_column and fold_name(rename.table) == table
    }
    matched: dict[str, str] = {}
    for renames in (declared, followed, {name: name for name in old_names}):
        add_matches(matched, renames, old_names, new_names)
    missing = [name for name in old_names if name not in matched]
    added = [name for name in new_names if name not in old_names]
    for old in missing:
        for new in added:
            if new not in matched.values() and same_values(
                db, old_table, new_table, matched, old, new
            ):
                matched[old] = new
                break
    return matched


def same_values(
    db: sqlite3.Connection,
    old_table: Table,
    new_table: Table,
    matched: dict[str, str],
    old: str,
    new: str,
) -> bool:
    """Return whether column ``new`` holds, row by row, exactly what ``old`` held.

    That counts only if there are two different values: two columns full of NULL are equal by
    chance. Rows are paired by the primary key if its columns are ``matched``; else each is compared
    with all of its matched columns.
    """
    old_column, new_column = old_table.column(old), new_table.column(new)
    if old_column is None or new_column is None or old_column.generated or new_column.generated:
        return False
    distinct = f"SELECT count(DISTINCT {quote_name(old)}) FROM before.{quote_name(old_table.name)}"
    if db.execute(distinct).fetchone()[0] < 2:
        return False
    key = tuple(fold_name(name) for name in old_table.primary_key)
    if not all(name in matched for name in key):
        key = ()
    stored = {fold_name(column.name) for column in old_table.columns if not column.generated}
    shared = [
        (old_name, new_name)
        for old_name, new_name in matched.items()
        if old_name in stored and (not key or old_name in key)
    ]
    pairing = Pairing(old_table.name, new_table.name, (*shared, (old, new)), key)
    return next(iter(compare_rows(db, pairing)), None) is None
