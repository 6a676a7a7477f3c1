"""Views that still compile but show other values, because the columns of a table have changed.

``SELECT *`` takes columns by their order; NATURAL JOIN, and a name in a subquery, take whatever
columns there are. So a view that was not touched can show other values when the columns of its
tables are in another order, or when there are new ones. To find out, each such view is run twice
over the rows after: on tables with the columns that they had before, and on the tables as they
are. In both runs a view stands in for each table, or a copy of it if the view may select rowids.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import AffectedView
from pytest_bbmigrate.experiment.renumbered_keys import value_hash
from pytest_bbmigrate.experiment.view_limits import (
    PassedOver,
    is_large_file,
    limited_rows,
    open_for_views,
    took_too_long,
)
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Renames, Schema, SchemaDifference, Table, View

ONE_OF_EQUALS = frozenset({"distinct", "union", "intersect", "except"})
ColumnNames = tuple[str, ...]  # in their order


@dataclass(frozen=True)
class Substitutes:
    """What stands in for ``tables`` while a view is run: they have these ``columns`` instead.

    Both are by the tables' (folded) names after. ``kind`` is 'VIEW', or 'TABLE' where the view may
    select rowids, which a view does not have.
    """

    tables: Mapping[str, Table]
    columns: Mapping[str, ColumnNames]
    kind: str


def find_affected_views(
    before: Snapshot, after: Snapshot, renames: Renames, differences: Collection[SchemaDifference]
) -> tuple[AffectedView | PassedOver, ...]:
    """Return the unchanged views that show other values because columns of a table changed.

    And those of which that was not looked at, for it would take too long. Neither are views with
    another definition and views that no longer compile, which are in ``differences``, and views
    that cannot be run or give another result each time.
    """
    former_columns = columns_before(before.schema, after.schema, renames)
    views = unchanged_views(before.schema, after.schema, differences) if former_columns else ()
    candidates = []
    for view in views:
        names, words = names_read_by(view, after.schema)
        tables = {
            name: table
            for name in sorted(names & former_columns.keys())
            if (table := after.schema.table(name))
        }
        new = {name: columns_of(table) for name, table in tables.items()}
        old = {
            name: columns_as_before(former_columns[name], columns, words)
            for name, columns in new.items()
        }
        if new != old:
            kind = "TABLE" if may_select_rowids(words) else "VIEW"
            candidates.append(
                (view, Substitutes(tables, old, kind), Substitutes(tables, new, kind))
            )
    if not candidates:
        return ()
    if is_large_file(after.image):
        return tuple(PassedOver(view.name) for view, *_ in candidates)
    with open_for_views(after.image) as db:
        found = (differing(db, *candidate) for candidate in candidates)
        return tuple(view for view in found if view is not None)


def columns_before(before: Schema, after: Schema, renames: Renames) -> dict[str, ColumnNames]:
    """Return the columns that tables had before, where they are not the ones they have after.

    Tables and columns have their (folded) names after; the columns are in their order before, and
    those that are gone are left out.
    """
    former_columns = {}
    for old_table in before.tables:
        old_name = fold_name(old_table.name)
        new_table = after.table(renames.tables.get(old_name, ""))
        if new_table is None or old_table == new_table or new_table.virtual is not None:
            continue
        names = [
            renames.columns.get((old_name, fold_name(column.name)), fold_name(column.name))
            for column in old_table.columns
        ]
        columns = tuple(name for name in names if new_table.column(name) is not None)
        if columns and columns != columns_of(new_table):
            former_columns[fold_name(new_table.name)] = columns
    return former_columns


def columns_of(table: Table) -> ColumnNames:
    """Return the (folded) columns of a table in their order."""
    return tuple(fold_name(column.name) for column in table.columns)


def unchanged_views(
    before: Schema, after: Schema, differences: Collection[SchemaDifference]
) -> list[View]:
    """Return the views that have the same definition before and after, and compile in both."""
    changed = {fold_name(d.name) for d in differences if d.kind == "view changed"}
    compiled_before = {fold_name(view.name) for view in before.views if view.error is None}
    kept = compiled_before - changed
    return [view for view in after.views if view.error is None and fold_name(view.name) in kept]


def names_read_by(view: View, schema: Schema) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables and views that ``view`` reads, and all words of these views, all folded.

    It reads by itself and through other views.
    """
    views = {fold_name(other.name): other for other in schema.views}
    readable = views.keys() | schema.table_names
    names, words = {fold_name(view.name)}, set[str]()
    unread = [view]
    while unread:
        tokens = set(unread.pop().tokens)
        new_names = (readable & tokens) - names
        names |= new_names
        words |= tokens
        unread += [views[name] for name in new_names if name in views]
    return frozenset(names), frozenset(words)


def may_select_rowids(words: Collection[str]) -> bool:
    """Return whether a view with these ``words`` may select rowids.

    ``"rowid"`` counts too: where no column has that name, it is among the words as a string.
    """
    return not {fold_name(word.strip("'")) for word in words}.isdisjoint(ROWID_NAMES)


def columns_as_before(old: ColumnNames, new: ColumnNames, words: Collection[str]) -> ColumnNames:
    """Return the columns of a table as before, for a view with these ``words``.

    New columns are left out, except for ``SELECT DISTINCT *`` and set operations, where a new
    column legitimately changes which rows are equal; there they go last.
    """
    if "*" in words and ONE_OF_EQUALS & set(words):
        return (*old, *(column for column in new if column not in old))
    return old


def differing(
    db: sqlite3.Connection, view: View, as_before: Substitutes, as_after: Substitutes
) -> AffectedView | PassedOver | None:
    """Return ``view`` with its columns that show other values ``as_after`` than ``as_before``.

    They are () if its rows are others: more or fewer, or the same values in other combinations.
    None if it shows the same, gives another result each time, or cannot be run: INDEXED BY finds
    no index on a substitute, for one.
    """
    try:
        old_rows = query_view(db, view, as_before)
        new_rows = query_view(db, view, as_after, old_rows)
        if new_rows == old_rows or new_rows != query_view(db, view, as_after, old_rows):
            return None
    except sqlite3.Error as error:
        return PassedOver(view.name) if took_too_long(error) else None
    columns = tuple(
        name
        for name, total in old_rows.columns.items()
        if new_rows.count == old_rows.count and new_rows.columns[name] != total
    )
    return AffectedView(view.name, columns, tuple(as_after.columns))


@dataclass(frozen=True)
class ViewRows:
    """What a view shows, in whatever order: ``count`` rows, with sums of their hashes.

    ``rows`` is the sum over whole rows, ``columns`` over each column, None for a missing one.
    """

    count: int
    rows: int
    columns: Mapping[str, int | None]


def query_view(
    db: sqlite3.Connection, view: View, substitutes: Substitutes, like: ViewRows | None = None
) -> ViewRows:
    """Return what ``view`` shows with ``substitutes`` in place of its tables.

    With ``like``, of the columns that this has; else of all of them.

    Raises: sqlite3.Error.
    """
    db.execute("SAVEPOINT substitutes")
    try:
        for number, (name, columns) in enumerate(substitutes.columns.items()):
            table, original = substitutes.tables[name], quote_name(f"_bb_table_{number}")
            db.execute(f"ALTER TABLE {quote_name(name)} RENAME TO {original}")
            if substitutes.kind == "TABLE" and not table.without_rowid:
                copy_with_rowids(db, table, columns, original)
            else:
                listed = ", ".join(f"t.{quote_name(column)}" for column in columns)
                db.execute(
                    f"CREATE VIEW {quote_name(name)} AS SELECT {listed} FROM {original} AS t"
                )
        cursor = db.execute(f"SELECT * FROM main.{quote_name(view.name)}")
        return sum_up_rows(cursor, () if like is None else tuple(like.columns))
    finally:
        db.execute("ROLLBACK TO substitutes")
        db.execute("RELEASE substitutes")


def copy_with_rowids(
    db: sqlite3.Connection, table: Table, columns: ColumnNames, original: str
) -> None:
    """Create ``table`` with ``columns``, and copy the rows of ``original`` with their rowids.

    A view has no rowid, or NULL for it, by the version of SQLite
    (https://sqlite.org/rowidtable.html, 4); a column of that name would show up in ``*``.
    """
    name = quote_name(table.name)
    defined = ", ".join(definition_of(table, column) for column in columns)
    rowid = [word for word in ROWID_NAMES if table.column(word) is None][:1]
    listed = ", ".join([*rowid, *map(quote_name, columns)])
    db.execute(f"CREATE TABLE {name} ({defined})")
    db.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {original}")


def definition_of(table: Table, name: str) -> str:
    """Return a definition of the column ``name`` that stores its values in ``table`` unchanged."""
    column = table.column(name)
    if column is None:
        return quote_name(name)
    keeps_all = table.strict and column.type == "ANY"
    affinity = "BLOB" if keeps_all else column.affinity
    return f"{quote_name(name)} {affinity} COLLATE {quote_name(column.collation)}"


def sum_up_rows(cursor: sqlite3.Cursor, wanted: ColumnNames) -> ViewRows:
    """Return the number and sums of the rows of ``cursor``, in the columns ``wanted`` or in all."""
    index_of: dict[str, int] = {}
    for index, (name, *_) in enumerate(cursor.description):
        index_of.setdefault(fold_name(name), index)
    names = wanted or tuple(index_of)
    present = [name for name in names if name in index_of]
    count_of_rows, sum_of_rows, sums = 0, 0, [0] * len(present)
    for row in limited_rows(cursor):
        count_of_rows += 1
        hashes = [value_hash(row[index_of[name]]) for name in present]
        sum_of_rows += hash(tuple(hashes))
        sums = [total + cell_hash for total, cell_hash in zip(sums, hashes, strict=True)]
    columns = {**dict.fromkeys(names), **dict(zip(present, sums, strict=True))}
    return ViewRows(count_of_rows, sum_of_rows, columns)
