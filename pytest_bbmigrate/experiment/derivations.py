"""Columns whose values the contract derives from the rows before: whether they hold these values.

The value is read over the row before, in the database after: its tables are the ones that a
subquery finds, and those before under their own names where there is no such table after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.contract import Derive
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import Column, Renames, Schema, Table
    from pytest_bbmigrate.sql.values import Cell


class UnderivableError(Exception):
    """Raised when a declared value cannot be judged at all; the message says why."""


@dataclass(frozen=True)
class DerivedCell:
    """One row by its key, the value that is ``declared`` for it and the one that was ``found``."""

    key: Key
    declared: Cell
    found: Cell


@dataclass(frozen=True)
class Derivation:
    """What became of one declared value.

    ``key`` are the columns (names after) that pair the rows of ``source``, ``source_rows`` of them,
    with those of ``table``; ``judged`` rows were compared, and ``wrong`` of them hold something
    else. ``missing`` rows of another table have none in this one; in ``failed`` of them the value
    cannot be computed, for the reason ``error``, SQLite's or ours. Of each, the first few are told.
    ``unusable`` says why nothing could be compared, '' where it was. ``column_before`` is the
    (table, column), both folded, that the column was before, None for a new one.
    """

    declared: Derive
    table: str = ""
    source: str = ""
    key: tuple[str, ...] = ()
    source_rows: int = 0
    judged: int = 0
    wrong: int = 0
    wrong_cells: tuple[DerivedCell, ...] = ()
    missing: int = 0
    missing_cells: tuple[DerivedCell, ...] = ()
    failed: int = 0
    failed_keys: tuple[Key, ...] = ()
    error: str = ""
    unusable: str = ""
    column_before: tuple[str, str] | None = None


@dataclass(frozen=True)
class RowPairs:
    """How the rows of ``source``, a table before, are paired with those of ``table`` after.

    ``keys`` are the columns, as pairs (before, after). ``is_same`` is whether the one table became
    the other; else ``former`` is what ``table`` was, None for a new one. ``column_before`` is the
    (folded) name that the column had in what ``table`` was, '' for a new one.
    """

    source: Table
    table: Table
    column: Column
    keys: tuple[tuple[str, str], ...]
    former: Table | None
    column_before: str

    @property
    def is_same(self) -> bool:
        """Whether ``source`` is what ``table`` was."""
        return self.former is not None and self.former.name == self.source.name


def pair_rows(declared: Derive, before: Schema, after: Schema, renames: Renames) -> RowPairs:
    """Return how the rows are paired that a declared value is about.

    Raises: UnderivableError.
    """
    table = after.table(declared.table) or after.table(
        renames.tables.get(fold_name(declared.table), "")
    )
    if table is None:
        raise UnderivableError(f"there is no table {declared.table} afterwards")
    name = fold_name(table.name)
    former = next((before.table(old) for old, new in renames.tables.items() if new == name), None)
    columns = columns_of(former, renames)
    wanted = fold_name(declared.column)
    column = table.column(wanted) or table.column(columns.get(wanted, ""))
    if column is None:
        raise UnderivableError(f"there is no column {table.name}.{declared.column} afterwards")
    source = former if declared.source is None else before.table(declared.source)
    if source is None and declared.source is None:
        raise UnderivableError(
            f"{table.name} is new: say behind `from` which table it is read from"
        )
    if source is None:
        raise UnderivableError(f"there is no table {declared.source} before")
    kept = {
        fold_name(source_column.name): fold_name(source_column.name)
        for source_column in source.columns
    }
    kept |= columns_of(source, renames) if former is not None and former.name == source.name else {}
    keys = key_pairs(declared, source, table, kept, fold_name(column.name))
    was = next((old for old, new in columns.items() if new == fold_name(column.name)), "")
    return RowPairs(source, table, column, keys, former, was)


def columns_of(table: Table | None, renames: Renames) -> dict[str, str]:
    """Return what each column of ``table`` is called after (both folded)."""
    name = fold_name(table.name) if table else ""
    return {old: new for (of, old), new in renames.columns.items() if of == name}


def key_pairs(
    declared: Derive, source: Table, table: Table, kept: dict[str, str], derived: str
) -> tuple[tuple[str, str], ...]:
    """Return the columns that pair rows, by their names before and after.

    ``kept`` are the columns of ``source`` by the names that they may have after; ``derived`` is the
    column whose value is declared.

    Raises: UnderivableError where nothing pairs them.
    """
    if declared.by:
        return tuple(named_pair(name, source, table, kept) for name in map(fold_name, declared.by))
    names = tuple(map(fold_name, source.primary_key))
    pairs = tuple((name, kept[name]) for name in names)
    if is_key_of(table, {new for _, new in pairs} - {derived}, len(pairs)):
        return pairs
    if not names and not table.primary_key:
        rowids = rowid_name(source), rowid_name(table)
        if all(rowids):
            return (rowids,)
    raise UnderivableError(
        f"nothing pairs the rows of {source.name} with those of {table.name}: "
        "say behind `by` which columns do"
    )


def named_pair(name: str, source: Table, table: Table, kept: dict[str, str]) -> tuple[str, str]:
    """Return the column called ``name`` (folded) before and after, or what it refers to and itself.

    Raises: UnderivableError where it is neither in both tables nor a reference to ``source``.
    """
    if source.column(name) is None:
        referred = referred_column(table, name, source)
        if not referred:
            raise UnderivableError(
                f"there is no column {source.name}.{name} before to pair rows by"
            )
        return referred, name
    if table.column(kept[name]) is None:
        raise UnderivableError(f"there is no column {table.name}.{name} to pair rows by")
    return name, kept[name]


def referred_column(table: Table, name: str, source: Table) -> str:
    """Return the column (folded) of ``source`` that a foreign key of ``table`` says ``name`` is.

    '' for none: a foreign key to a table that ``source`` is called otherwise now counts for none.
    """
    for key in table.foreign_keys:
        if fold_name(key.parent) == fold_name(source.name):
            pairs = zip(key.columns, key.parent_columns, strict=False)
            found = {fold_name(own): fold_name(parent) for own, parent in pairs}
            if name in found and source.column(found[name]) is not None:
                return found[name]
    return ""


def is_key_of(table: Table, names: set[str], count: int) -> bool:
    """Return whether ``names``, ``count`` of them, are the primary key of ``table``."""
    return bool(names) and len(names) == count and names == set(map(fold_name, table.primary_key))


def rowid_name(table: Table) -> str:
    """Return a name of the rowid of ``table``, '' if it has none."""
    if table.without_rowid:
        return ""
    return next((name for name in ROWID_NAMES if name not in table.column_names), "")
