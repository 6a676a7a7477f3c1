"""Views that compile as they did and show something else, because a table has another shape.

``SELECT *`` takes columns by their order, NATURAL JOIN and a name in a subquery mean what is there
by then: a view that is not touched itself can show other values under the same names when columns
of its tables are in another order, or are new. Each view is asked twice over the rows after: with
the tables in the shape that they had, and in the one that they have; what has the shape is a view,
or a copy where rowids are asked for. Of a database in a file, which is somebody's own and may be
long, only a small one is asked, and no longer than that takes.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import ShiftedView
from pytest_bbmigrate.experiment.renumbered_keys import weight
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name
from pytest_bbmigrate.sqlite_files import content_size, open_content, temporary_copy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Renames, Schema, SchemaDifference, Table, View
    from pytest_bbmigrate.sqlite_files import Content

ONE_OF_EQUALS = frozenset({"distinct", "union", "intersect", "except"})
SMALL = 16 << 20  # bytes of a file that is copied, to ask its views
STEPS = 100_000  # instructions of SQLite's machine, between two looks at how many there were
PATIENCE = 200  # times that many for all views of a file

Shape = tuple[str, ...]  # columns in their order


@dataclass(frozen=True)
class Shapes:
    """The ``columns`` that ``tables`` are to have, both by the tables' (folded) names now.

    What stands in for them is a ``kind`` of 'VIEW', or a 'TABLE' where rowids are asked for.
    """

    tables: Mapping[str, Table]
    columns: Mapping[str, Shape]
    kind: str


def shifted_views(
    before: Snapshot, after: Snapshot, renames: Renames, differences: Collection[SchemaDifference]
) -> tuple[ShiftedView, ...]:
    """Return the views that are the same as before, and show other values because of a shape.

    Views that are declared otherwise or no longer compile are not among them, ``differences`` tell
    of those; nor are views that differ each time they are asked, or cannot be asked. Those of a
    file that is not small are not asked at all.
    """
    shapes = former_shapes(before.schema, after.schema, renames)
    views = kept_views(before.schema, after.schema, differences) if shapes else ()
    asked = []
    for view in views:
        read, words = reads(view, after.schema)
        tables = {
            name: t for name in sorted(read & shapes.keys()) if (t := after.schema.table(name))
        }
        now = {name: columns_of(table) for name, table in tables.items()}
        then = {name: former_shape(shapes[name], columns, words) for name, columns in now.items()}
        if now != then:
            kind = "TABLE" if may_ask_for_rowids(words) else "VIEW"
            asked.append((view, Shapes(tables, then, kind), Shapes(tables, now, kind)))
    if not asked or is_long(after.image):
        return ()
    with to_be_asked(after.image) as db:
        return tuple(
            ShiftedView(view.name, columns, tuple(now.columns))
            for view, then, now in asked
            if (columns := differing_columns(db, view, then, now)) is not None
        )


def is_long(content: Content) -> bool:
    """Return whether ``content`` is a file that is not small."""
    return isinstance(content, Path) and content_size(content) > SMALL


@contextmanager
def to_be_asked(content: Content) -> Iterator[sqlite3.Connection]:
    """Give a connection to a copy of ``content``, in which a rename changes no view.

    To one of a file that fails when its views take long.
    """
    alone = (
        closing(open_content(content)) if isinstance(content, bytes) else temporary_copy(content)
    )
    with alone as db:
        db.execute("PRAGMA legacy_alter_table = ON")
        if isinstance(content, Path):
            looks = count(1)
            db.set_progress_handler(lambda: next(looks) > PATIENCE, STEPS)
        yield db


def former_shapes(before: Schema, after: Schema, renames: Renames) -> dict[str, Shape]:
    """Return the columns, by their names now, that a table had before, in the order it had them.

    By the table's (folded) name now, and of those alone in which they are not the columns now.
    """
    shapes = {}
    for table in before.tables:
        old = fold_name(table.name)
        now = after.table(renames.tables.get(old, ""))
        if now is None or table == now or now.virtual is not None:
            continue
        names = [
            renames.columns.get((old, fold_name(column.name)), fold_name(column.name))
            for column in table.columns
        ]
        shape = tuple(name for name in names if now.column(name) is not None)
        if shape and shape != columns_of(now):
            shapes[fold_name(now.name)] = shape
    return shapes


def columns_of(table: Table) -> Shape:
    """Return the (folded) columns of a table in their order."""
    return tuple(fold_name(column.name) for column in table.columns)


def kept_views(
    before: Schema, after: Schema, differences: Collection[SchemaDifference]
) -> list[View]:
    """Return the views after that say what they said before, and compile."""
    other = {fold_name(d.name) for d in differences if d.kind == "view changed"}
    known = {fold_name(view.name) for view in before.views if view.error is None}
    return [
        view for view in after.views if view.error is None and fold_name(view.name) in known - other
    ]


def reads(view: View, schema: Schema) -> tuple[frozenset[str], frozenset[str]]:
    """Return the (folded) names of what ``view`` reads, by itself and through other views.

    And all words of these views.
    """
    views = {fold_name(v.name): v for v in schema.views}
    there = views.keys() | schema.table_names
    found, words = {fold_name(view.name)}, set[str]()
    ahead = [view]
    while ahead:
        tokens = set(ahead.pop().tokens)
        named = (there & tokens) - found
        found |= named
        words |= tokens
        ahead += [views[name] for name in named if name in views]
    return frozenset(found), frozenset(words)


def may_ask_for_rowids(words: Collection[str]) -> bool:
    """Return whether a view of these ``words`` may ask for rowids.

    A name in double quotes is given as a string where no column is called so.
    """
    return not {fold_name(word.strip("'")) for word in words}.isdisjoint(ROWID_NAMES)


def former_shape(shape: Shape, now: Shape, words: Collection[str]) -> Shape:
    """Return the ``shape`` to give a table back, for a view of these ``words``.

    Columns that are new are left out, but where the view tells rows apart by all that ``*`` gives:
    rows that were alike are then not any more, as is asked for. They come last there.
    """
    if "*" in words and ONE_OF_EQUALS & set(words):
        return (*shape, *(column for column in now if column not in shape))
    return shape


def differing_columns(
    db: sqlite3.Connection, view: View, then: Shapes, now: Shapes
) -> tuple[str, ...] | None:
    """Return the columns of ``view`` that show other values ``now`` than in the shapes of ``then``.

    () where its rows are others; None where it shows the same, shows something else each time, or
    cannot be asked: a view on a table in a former shape finds no index by name.
    """
    try:
        former = show(db, view, then)
        shown = show(db, view, now, former)
        steady = shown == former or shown == show(db, view, now, former)
    except sqlite3.Error:
        return None
    if shown == former or not steady:
        return None
    if shown.count != former.count:
        return ()
    return tuple(n for n, value in former.columns.items() if shown.columns[n] != value)


@dataclass(frozen=True)
class ViewRows:
    """What a view shows, in any order: how many rows, and numbers for them and their columns."""

    count: int
    rows: int
    columns: Mapping[str, int | None]


def show(
    db: sqlite3.Connection, view: View, shapes: Shapes, like: ViewRows | None = None
) -> ViewRows:
    """Return what ``view`` shows where tables have the ``shapes``.

    Of its columns those that ``like`` has, None for one that is not there; all without it.

    Raises: sqlite3.Error.
    """
    db.execute("SAVEPOINT shapes")
    try:
        for number, (name, columns) in enumerate(shapes.columns.items()):
            table, aside = shapes.tables[name], quote_name(f"_bb_table_{number}")
            db.execute(f"ALTER TABLE {quote_name(name)} RENAME TO {aside}")
            if shapes.kind == "TABLE" and not table.without_rowid:
                copy_with_rowids(db, table, columns, aside)
            else:
                listed = ", ".join(f"t.{quote_name(column)}" for column in columns)
                db.execute(f"CREATE VIEW {quote_name(name)} AS SELECT {listed} FROM {aside} AS t")
        cursor = db.execute(f"SELECT * FROM main.{quote_name(view.name)}")
        return add_up(cursor, () if like is None else tuple(like.columns))
    finally:
        db.execute("ROLLBACK TO shapes")
        db.execute("RELEASE shapes")


def copy_with_rowids(db: sqlite3.Connection, table: Table, columns: Shape, aside: str) -> None:
    """Make ``table`` anew of those ``columns`` and with the rows of ``aside``, rowids included.

    Some SQLites give views no rowid, and others give NULL for it
    (https://sqlite.org/rowidtable.html, 4). In a view it could be a column of that name, but that
    one is in ``*``.
    """
    name = quote_name(table.name)
    defined = ", ".join(definition_of(table, column) for column in columns)
    free = [word for word in ROWID_NAMES if table.column(word) is None][:1]
    listed = ", ".join([*free, *map(quote_name, columns)])
    db.execute(f"CREATE TABLE {name} ({defined})")
    db.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {aside}")


def definition_of(table: Table, name: str) -> str:
    """Return the definition of a column that takes the values of ``table``'s as they are."""
    column = table.column(name)
    if column is None:
        return quote_name(name)
    keeps_all = table.strict and column.type == "ANY"
    affinity = "BLOB" if keeps_all else column.affinity
    return f"{quote_name(name)} {affinity} COLLATE {quote_name(column.collation)}"


def add_up(cursor: sqlite3.Cursor, wanted: Shape) -> ViewRows:
    """Return what the rows of ``cursor`` come to, in the columns ``wanted`` or in all."""
    places: dict[str, int] = {}
    for at, (name, *_) in enumerate(cursor.description):
        places.setdefault(fold_name(name), at)
    names = wanted or tuple(places)
    there = [name for name in names if name in places]
    number, rows, sums = 0, 0, [0] * len(there)
    for row in cursor:
        number += 1
        cells = [weight(row[places[name]]) for name in there]
        rows += hash(tuple(cells))
        sums = [total + cell for total, cell in zip(sums, cells, strict=True)]
    return ViewRows(number, rows, {**dict.fromkeys(names), **dict(zip(there, sums, strict=True))})
