"""Broken references: rows without a parent row, and foreign keys without a parent key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import Dangling, Mismatch
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.experiment.model import TableDiff
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import ForeignKey, Index, Renames, Schema, Table

EXAMPLES = 5


def find_mismatches(schema: Schema) -> tuple[Mismatch, ...]:
    """Return the foreign keys of ``schema`` whose parent table or parent key does not exist."""
    return tuple(
        Mismatch(table.name, key.columns, key.parent, key.parent_columns, missing)
        for table in schema.tables
        for key in table.foreign_keys
        if (missing := missing_part(schema, key))
    )


def missing_part(schema: Schema, key: ForeignKey) -> str:
    """Return what the parent of ``key`` lacks ('table', 'column', 'unique key'), '' for nothing.

    The parent's columns must be its primary key, or have a unique index over all of its rows with
    the columns' own collations (https://sqlite.org/foreignkeys.html, 3).
    """
    parent = schema.table(key.parent)
    if parent is None:
        return "table"
    wanted = {fold_name(name) for name in key.parent_columns}
    if len(key.parent_columns) != len(key.columns) or any(
        parent.column(name) is None for name in key.parent_columns
    ):
        return "column"
    if wanted == {fold_name(name) for name in parent.primary_key}:
        return ""
    if any(is_key_index(parent, index, wanted) for index in parent.indexes):
        return ""
    return "unique key"


def is_key_index(parent: Table, index: Index, wanted: set[str]) -> bool:
    """Return whether ``index`` makes exactly the columns ``wanted`` a key."""
    if not index.unique or index.where is not None:
        return False
    if {fold_name(column.name) for column in index.columns if column.name} != wanted:
        return False
    return len(index.columns) == len(wanted) and all(
        column.name is not None
        and (declared := parent.column(column.name)) is not None
        and same_name(declared.collation, column.collation)
        for column in index.columns
    )


def find_dangling(
    db: sqlite3.Connection,
    before: Schema,
    after: Schema,
    renames: Renames,
    untouched: frozenset[str],
    compared: Iterable[TableDiff] = (),
) -> tuple[Dangling, ...]:
    """Return the references without a parent in ``main`` that had one in ``before``.

    ``db`` comes from ``open_contents``. Tables in ``untouched`` (folded names, the same in both)
    hold what they held, and so do those ``compared`` in whose rows nothing differs: between columns
    that are as they were, only a foreign key that is new must be looked at.
    """
    dangling = []
    kept = KeptColumns(before, after, untouched, compared)
    for table in after.tables:
        for key in table.foreign_keys:
            same_rows = kept.has(table.name, key.columns) and kept.has(
                key.parent, key.parent_columns
            )
            if same_rows and has_reference(before, table.name, key):
                continue
            orphans = Counter(orphaned_values(db, "main", after, table, key))
            if orphans:
                orphans -= Counter(earlier_orphans(db, before, renames, table, key))
            if orphans:
                values = tuple(list(orphans)[:EXAMPLES])
                dangling.append(
                    Dangling(table.name, key.columns, key.parent, orphans.total(), values)
                )
    return tuple(dangling)


class KeptColumns:
    """Which columns hold after what they held before, in the same rows, and compare as they did."""

    def __init__(
        self,
        before: Schema,
        after: Schema,
        untouched: frozenset[str],
        compared: Iterable[TableDiff],
    ) -> None:
        self._before, self._after, self._untouched = before, after, untouched
        self._same = {
            fold_name(diff.table): diff
            for diff in compared
            if not diff.differences
            and diff.after is not None
            and same_name(diff.after, diff.table)
            and diff.rows_before == diff.rows_after
        }

    def has(self, table: str, columns: Iterable[str]) -> bool:
        """Return whether all ``columns`` of ``table`` are such."""
        name = fold_name(table)
        if name in self._untouched:
            return True
        diff, old, new = self._same.get(name), self._before.table(name), self._after.table(name)
        if diff is None or old is None or new is None or old.virtual or new.virtual:
            return False
        return all(
            diff.columns.get(fold_name(column)) == fold_name(column)
            and (one := old.column(column)) is not None
            and (other := new.column(column)) is not None
            and (one.type, one.collation) == (other.type, other.collation)
            for column in columns
        )


def has_reference(schema: Schema, name: str, key: ForeignKey) -> bool:
    """Return whether the table ``name`` has a foreign key on the same columns as ``key``."""
    table = schema.table(name)
    return table is not None and any(
        (old_key.columns, old_key.parent, old_key.parent_columns)
        == (key.columns, key.parent, key.parent_columns)
        for old_key in table.foreign_keys
    )


def earlier_orphans(
    db: sqlite3.Connection, before: Schema, renames: Renames, table: Table, key: ForeignKey
) -> Iterator[Key]:
    """Yield the values of ``key`` that had no parent before either, by its former names."""
    old_names = {new: old for old, new in renames.tables.items()}
    name = old_names.get(fold_name(table.name), fold_name(table.name))
    old_columns = {new: old for (of_table, old), new in renames.columns.items() if of_table == name}
    columns = tuple(old_columns.get(fold_name(c), fold_name(c)) for c in key.columns)
    earlier = before.table(name)
    for old_key in earlier.foreign_keys if earlier else ():
        if tuple(fold_name(column) for column in old_key.columns) == columns and earlier:
            yield from orphaned_values(db, "before", before, earlier, old_key)


def orphaned_values(
    db: sqlite3.Connection, where: str, schema: Schema, table: Table, key: ForeignKey
) -> Iterator[Key]:
    """Yield the values of ``key`` that no parent row has."""
    if missing_part(schema, key) == "column":
        return
    columns = ", ".join(f"c.{quote_name(name)}" for name in key.columns)
    yield from db.execute(
        f"SELECT {columns} FROM {where}.{quote_name(table.name)} AS c"
        f" WHERE {orphaned_where(where, schema, key)}"
    )


def orphaned_where(where: str, schema: Schema, key: ForeignKey) -> str:
    """Return the SQL condition on a child ``c`` that selects the rows without a parent.

    The unary plus removes the affinity and the collation of the child's column, so that the
    parent's apply. SQLite does so too (https://sqlite.org/foreignkeys.html, 3).
    """
    child = [f"c.{quote_name(name)}" for name in key.columns]
    present = " AND ".join(f"{name} IS NOT NULL" for name in child)
    if missing_part(schema, key) == "table":
        return present
    pairs = zip(key.parent_columns, child, strict=True)
    equal = " AND ".join(f"p.{quote_name(name)} = +{column}" for name, column in pairs)
    parent = f"{where}.{quote_name(key.parent)}"
    return f"{present} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {equal})"
