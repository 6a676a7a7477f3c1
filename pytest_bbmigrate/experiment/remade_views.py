"""Views that a migration made again in other words: which of their rows and columns are gone.

The old definition is run beside the new one, over the rows after, so that only the words differ.
Where it no longer runs there, the rows that it showed before count, unless rows have gone.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import RemadeView
from pytest_bbmigrate.experiment.renumbered_keys import value_hash
from pytest_bbmigrate.experiment.view_limits import (
    PassedOver,
    is_large_file,
    limited_queries,
    limited_rows,
    open_for_views,
    took_too_long,
)
from pytest_bbmigrate.rows import RowLost
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateView
from pytest_bbmigrate.sqlite_files import open_content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pytest_bbmigrate.experiment.model import TableDiff
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import SchemaDifference
    from pytest_bbmigrate.sql.values import Cell

KEEPS_ROWS = frozenset({"", "left join", "left outer join", "natural left join"})


@dataclass(frozen=True)
class Shown:
    """What a view shows: the (folded) names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    def alike(self, columns: Collection[str]) -> Counter[int]:
        """Return how often each row is there, told by the hash of its cells in ``columns``."""
        places = [self.columns.index(name) for name in columns]
        return Counter(hash(tuple(value_hash(row[place]) for place in places)) for row in self.rows)


def find_remade_views(
    before: Snapshot,
    after: Snapshot,
    tables: Collection[TableDiff],
    differences: Collection[SchemaDifference],
) -> tuple[RemadeView | PassedOver, ...]:
    """Return the views of ``differences`` that have other words, and what they show no more.

    And those of which that was not looked at, for it would take too long; not among them are those
    that cannot be run.
    """
    names = {fold_name(d.name) for d in differences if d.kind == "view changed"}
    views = [v for v in before.schema.views if fold_name(v.name) in names and v.error is None]
    if not views:
        return ()
    if is_large_file(after.image):
        return tuple(PassedOver(view.name) for view in views)
    lost_rows = any(
        table.after is None or any(a.kind is RowLost for a in table.differences.groups)
        for table in tables
    )
    with (
        closing(open_content(before.image)) as earlier,
        limited_queries(earlier, before.image),
        open_for_views(after.image) as later,
    ):
        found = (look_at(view.name, earlier, later, lost_rows=lost_rows) for view in views)
        return tuple(view for view in found if view is not None)


def look_at(
    name: str, earlier: sqlite3.Connection, later: sqlite3.Connection, *, lost_rows: bool
) -> RemadeView | PassedOver | None:
    """Return what has become of the view ``name``; None where that cannot be told."""
    old, new = definition_of(earlier, name), definition_of(later, name)
    try:
        now = shown_by(later, name)
        former = shown_by_former(later, name, old)
        was = None if lost_rows else shown_by(earlier, name)
    except sqlite3.Error as error:
        return PassedOver(name) if took_too_long(error) else None
    then = former or was
    if then is None:
        return None
    lost = tuple(column for column in then.columns if column not in now.columns)
    # By SELECT * the former shows other columns now: what is shown as it was is not missing.
    there = [each for each in (former, was) if each is not None]
    missing, others = min(
        (missing_rows(each, now, old, new), shows_others(each, now)) for each in there
    )
    return RemadeView(
        name,
        lost,
        len(then.rows),
        missing,
        joins=inner_joins(new) > inner_joins(old),
        others=others,
    )


def missing_rows(then: Shown, now: Shown, old: str, new: str) -> int:
    """Return how many rows of ``then``, by the definition ``old``, are not among those ``now``."""
    shared = [column for column in then.columns if column in now.columns]
    columns = tuple(comparable(old, new, shared))
    missing = max(len(then.rows) - len(now.rows), 0)
    return max(missing, (then.alike(columns) - now.alike(columns)).total()) if columns else missing


def shows_others(then: Shown, now: Shown) -> bool:
    """Return whether a row ``now`` is none of ``then``, or has not all of its columns."""
    if any(column not in now.columns for column in then.columns):
        return True
    return bool(now.alike(then.columns) - then.alike(then.columns))


def definition_of(db: sqlite3.Connection, name: str) -> str:
    """Return the CREATE VIEW of ``name``."""
    query = "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE"
    ((sql,),) = db.execute(query, [name]).fetchall()
    return str(sql)


def shown_by(db: sqlite3.Connection, name: str) -> Shown:
    """Return what the view ``name`` shows.

    Raises: sqlite3.Error.
    """
    cursor = db.execute(f"SELECT * FROM main.{quote_name(name)}")
    columns = tuple(fold_name(column) for column, *_ in cursor.description)
    return Shown(columns, list(limited_rows(cursor)))


def shown_by_former(db: sqlite3.Connection, name: str, old: str) -> Shown | None:
    """Return what the view ``name`` would show by its ``old`` definition; None if it cannot run."""
    db.execute("SAVEPOINT former")
    try:
        db.execute(f"DROP VIEW main.{quote_name(name)}")
        db.execute(old)
        return shown_by(db, name)
    except sqlite3.Error:
        return None
    finally:
        db.execute("ROLLBACK TO former")
        db.execute("RELEASE former")


def comparable(old: str, new: str, shared: Collection[str]) -> Iterator[str]:
    """Yield the ``shared`` columns that both definitions take from the same expression.

    Of SELECT * and of compound queries that is not known: all of them.
    """
    before, after = expressions_of(old), expressions_of(new)
    for column in shared:
        if not before or not after or before.get(column) == after.get(column):
            yield column


def expressions_of(sql: str) -> dict[str, tuple[str, ...]]:
    """Return the expression of each column of a view without its tables; {} if not known."""
    view = read_as(CreateView, sql)
    if view.query is None or len(view.query.selects) != 1:
        return {}
    columns = view.query.selects[0].columns
    plain = [without_tables(fold_tokens(column.expression)) for column in columns]
    if ("*",) in plain:
        return {}
    names = view.columns or [
        column.alias or " ".join(expression)
        for column, expression in zip(columns, plain, strict=True)
    ]
    return dict(zip(map(fold_name, names), plain, strict=False))


def without_tables(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``tokens`` without what stands before a dot, and without the dot."""
    dots = {place for place, word in enumerate(tokens) if word == "."}
    left_out = dots | {place - 1 for place in dots}
    return tuple(word for place, word in enumerate(tokens) if place not in left_out)


def inner_joins(sql: str) -> int:
    """Return how many tables a view joins so that a row without a match is not shown."""
    query = read_as(CreateView, sql).query
    selects = query.selects if query else ()
    return sum(source.join not in KEEPS_ROWS for s in selects for source in s.sources)
