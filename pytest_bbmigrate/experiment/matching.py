"""Which table and which column became which, from one schema to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.rows import Pairing, RowAdded, compare_rows
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
    """Return every table and column of ``before`` that is still there, and under which name.

    What the contract declares goes first, then what ALTER TABLE .. RENAME did, then the same name,
    and last a new one under which the very same values stand. A rename is not followed where
    something new stands under the old name: that is what the app will read, whatever it lacks.
    Tables in ``untouched`` are known to be themselves.
    """
    contract = contract or Contract()
    tables = match_tables(db, before, after, contract, run)
    columns: dict[tuple[str, str], str] = {}
    for old, new in tables.items():
        one, other = before.table(old), after.table(new)
        if one is not None and other is not None and not (old == new and old in untouched):
            matched = match_columns(db, one, other, contract, run)
            columns |= {(old, column): became for column, became in matched.items()}
    return Renames(tables, columns)


def match_names(before: Schema, after: Schema, untouched: frozenset[str] = frozenset()) -> Renames:
    """Return every table and column of ``before`` that is still there under its own name.

    The columns of tables in ``untouched`` go without saying.
    """
    tables = before.table_names & after.table_names
    columns = {
        (name, fold_name(column.name)): fold_name(column.name)
        for name in tables - untouched
        if (table := before.table(name)) and (other := after.table(name))
        for column in table.columns
        if other.column(column.name) is not None
    }
    return Renames({name: name for name in tables}, columns)


def match_tables(
    db: sqlite3.Connection, before: Schema, after: Schema, contract: Contract, run: Run | None
) -> dict[str, str]:
    """Return name before to name after (both folded) for every table that is still there."""
    old_names, new_names = before.table_names, after.table_names
    declared = {
        fold_name(rename.table): fold_name(rename.new_table)
        for rename in contract.renames
        if not same_name(rename.table, rename.new_table)
    }
    followed = left_free(dict(run.renamed_tables) if run else {}, new_names)
    matched: dict[str, str] = {}
    for named in (declared, followed, {name: name for name in old_names}):
        claim(matched, named, old_names, new_names)
    for old in sorted(old_names - matched.keys()):
        for new in sorted(new_names - set(matched.values()) - old_names):
            if is_same_under_new_name(db, before, after, old, new):
                matched[old] = new
                break
    return matched


def claim(
    matched: dict[str, str],
    named: Mapping[str, str],
    old_names: Collection[str],
    new_names: Collection[str],
) -> None:
    """Add to ``matched`` what ``named`` says, where neither name is taken and both are there."""
    taken = set(matched.values())
    for old, new in named.items():
        if old in old_names and old not in matched and new in new_names and new not in taken:
            matched[old] = new
            taken.add(new)


def left_free(renamed: Mapping[str, str], there: Collection[str]) -> dict[str, str]:
    """Return what of ``renamed`` left its old name to nothing, or to what was renamed as well."""
    return {old: new for old, new in renamed.items() if old not in there or old in renamed.values()}


def is_same_under_new_name(
    db: sqlite3.Connection, before: Schema, after: Schema, old: str, new: str
) -> bool:
    """Return whether table ``new`` has all columns of ``old`` and every one of its rows."""
    one, other = before.table(old), after.table(new)
    if one is None or other is None:
        return False
    plain = [column.name for column in one.columns if not column.generated]
    if not plain or any(other.column(name) is None for name in plain):
        return False
    columns = tuple((name, name) for name in plain)
    if not db.execute(f"SELECT 1 FROM before.{quote_name(one.name)} LIMIT 1").fetchone():
        return False
    pairing = Pairing(one.name, other.name, columns, one.primary_key)
    return all(isinstance(difference, RowAdded) for difference in compare_rows(db, pairing))


def match_columns(
    db: sqlite3.Connection, one: Table, other: Table, contract: Contract, run: Run | None
) -> dict[str, str]:
    """Return name before to name after (both folded) for every column that is still there."""
    table = fold_name(one.name)
    old_names = [fold_name(column.name) for column in one.columns]
    new_names = [fold_name(column.name) for column in other.columns]
    known = dict(run.renamed_columns) if run else {}
    renamed = {old: new for (of_table, old), new in known.items() if of_table == table}
    followed = left_free(renamed, new_names)
    declared = {
        fold_name(rename.column): fold_name(rename.new_column)
        for rename in contract.renames
        if rename.column and rename.new_column and fold_name(rename.table) == table
    }
    matched: dict[str, str] = {}
    for named in (declared, followed, {name: name for name in old_names}):
        claim(matched, named, old_names, new_names)
    gone = [name for name in old_names if name not in matched]
    new = [name for name in new_names if name not in old_names]
    for old in gone:
        for name in new:
            if name not in matched.values() and same_values(db, one, other, matched, old, name):
                matched[old] = name
                break
    return matched


def same_values(
    db: sqlite3.Connection,
    one: Table,
    other: Table,
    matched: dict[str, str],
    old: str,
    new: str,
) -> bool:
    """Return whether column ``new`` holds, row by row, exactly what ``old`` held.

    Two different values are asked for at least: a column that is NULL throughout is like any other.
    """
    was, is_now = one.column(old), other.column(new)
    if was is None or is_now is None or was.generated or is_now.generated:
        return False
    distinct = f"SELECT count(DISTINCT {quote_name(old)}) FROM before.{quote_name(one.name)}"
    if db.execute(distinct).fetchone()[0] < 2:
        return False
    key = tuple(name for name in one.primary_key if fold_name(name) in matched)
    if len(key) != len(one.primary_key):
        key = ()
    plain = {fold_name(column.name) for column in one.columns if not column.generated}
    shared = [
        (name, became)
        for name, became in matched.items()
        if name in plain and (not key or name in {fold_name(column) for column in key})
    ]
    pairing = Pairing(
        one.name, other.name, (*shared, (old, new)), tuple(fold_name(name) for name in key)
    )
    return next(iter(compare_rows(db, pairing)), None) is None
