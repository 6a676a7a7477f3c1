"""What down did to what was written since up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.diff_table import row_key
from pytest_bbmigrate.experiment.model import WrittenRows
from pytest_bbmigrate.experiment.written_columns import declared_columns, table_diff_of
from pytest_bbmigrate.rows import RowLost, ValueChanged, same_cell
from pytest_bbmigrate.seeding.filling.queries import select
from pytest_bbmigrate.seeding.model import storable
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import read_content

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.experiment.model import Evidence
    from pytest_bbmigrate.experiment.writing import Writing, WrittenTable
    from pytest_bbmigrate.rows import Key, RowDifference
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.sqlite_files import Content

ASKED_CELLS = 50  # SQLite takes no more than 1,000 conditions


def look_at_written(
    evidence: Evidence,
    writing: Writing,
    after_down: Content,
    there: sqlite3.Connection | None = None,
) -> WrittenRows:
    """Return what has become of ``writing`` in ``after_down``, which down made of it.

    Where a connection to that is ``there``, it is read.
    """
    rows: list[RowDifference] = []
    edits: list[RowDifference] = []
    back: list[RowDifference] = []
    with read_content(after_down, there) as db:
        for work in writing.tables:
            comparison = comparison_of(evidence, work, db)
            if comparison is None:
                continue
            rows += comparison.differences([work.rows[key] for key in work.added])
            edits += comparison.undone(
                (work.rows[key], frozenset(columns)) for key, columns in work.edited.items()
            )
            back += comparison.back(work.deleted.values())
    return WrittenRows(
        {work.table.name: len(work.added) for work in writing.tables if work.added},
        tuple(rows),
        writing.unwritten,
        edited=tuple(
            (work.table.name, column)
            for work in writing.tables
            for columns in work.edited.values()
            for column in columns
        ),
        edits_undone=tuple(edits),
        deleted={work.table.name: len(work.deleted) for work in writing.tables if work.deleted},
        deleted_back=tuple(back),
        passed_over=sum(work.passed_over for work in writing.tables),
    )


def comparison_of(
    evidence: Evidence, work: WrittenTable, db: sqlite3.Connection
) -> WrittenComparison | None:
    """Return the rows of a table after down, to look for what was written; None for a new table.

    What down does to the rows of a table that up made is for the author to say.
    """
    diff = table_diff_of(evidence, work.table)
    if diff is None:
        return None
    declared = declared_columns(evidence, diff, work.table)
    columns = {new: old for old, new in diff.columns.items() if old not in declared}
    for table in (diff.table, work.table.name):  # the latter where down gives no name back
        if there := columns_there(db, table):
            break
    else:
        return None  # that it is gone is in ``down_diff``
    columns = {
        new: name for new, old in columns.items() for name in (new, old) if fold_name(name) in there
    }
    key = row_key(work.table, columns)
    return WrittenComparison(
        work.table.name, tuple(columns), key, partial(rows_like, db, table, columns)
    )


class WrittenComparison:
    """What has become of written rows of one table after down.

    ``columns`` are those compared, by their names after up. Without a ``key``, a row is known by
    all of its cells. ``look_up`` returns rows after down, with cells in the order of
    ``columns``; among them are all that have the given cells.
    """

    def __init__(
        self,
        table: str,
        columns: tuple[str, ...],
        key: tuple[str, ...],
        look_up: Callable[[Mapping[str, Cell]], list[Key]],
    ) -> None:
        self.table = table
        self.columns = columns
        self.key = key
        self.look_up = look_up
        self.identity = tuple(name for name in columns if not key or name in key)
        self.places = [columns.index(name) for name in self.identity]
        self.by_key: dict[tuple[object, ...], list[Key]] = {}

    def found(self, row: Mapping[str, Cell]) -> list[Key]:
        """Return the rows after down with the very cells that identify ``row``."""
        wanted = exact(self.key_of(row))
        if wanted not in self.by_key:
            alike = self.look_up({name: row[name] for name in self.identity})
            self.by_key[wanted] = [
                cells for cells in alike if exact([cells[place] for place in self.places]) == wanted
            ]
        return self.by_key[wanted]

    def key_of(self, row: Mapping[str, Cell]) -> Key:
        """Return the cells that identify ``row``."""
        return tuple(row[name] for name in self.identity)

    def differences(self, written: Sequence[Mapping[str, Cell]]) -> Iterator[RowDifference]:
        """Yield how ``written`` rows differ from the same ones after down, or are lost."""
        for row in written:
            yield from self.difference(row, frozenset(self.columns))

    def difference(
        self, row: Mapping[str, Cell], columns: Collection[str]
    ) -> Iterator[RowDifference]:
        """Yield how one row differs after down in ``columns``, or that it is lost."""
        key = self.key_of(row)
        candidates = self.found(row)
        if not candidates:
            yield RowLost(self.table, key if self.key else (), dict(row))
            return
        # Without a key, equal rows are counted: each of those after down stands for one written.
        cells = candidates[-1] if self.key else candidates.pop()
        for name, cell in zip(self.columns, cells, strict=True):
            if name in columns and not same_cell(row[name], cell):
                yield ValueChanged(self.table, key, name, row[name], cell)

    def undone(
        self, edits: Iterable[tuple[Mapping[str, Cell], Collection[str]]]
    ) -> Iterator[RowDifference]:
        """Yield the cells of ``edits``, (row, columns), that are not what they were set to."""
        for row, columns in edits:
            yield from self.difference(row, columns)

    def back(self, deleted: Iterable[Mapping[str, Cell]]) -> Iterator[RowDifference]:
        """Yield the ``deleted`` rows that are there again."""
        for row in deleted:
            if self.found(row):
                yield RowLost(self.table, self.key_of(row) if self.key else (), dict(row))


def columns_there(db: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the columns (folded) of a table, none if it does not exist."""
    found = db.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))
    return frozenset(fold_name(name) for (name,) in found)


def rows_like(
    db: sqlite3.Connection, table: str, columns: Mapping[str, str], cells: Mapping[str, Cell]
) -> list[Key]:
    """Return ``columns`` (names after up: before) of the rows of ``table`` with ``cells``.

    Among them are rows that SQLite takes for equal. What is no Unicode cannot be asked for, and of
    very many cells the first ones will do.
    """
    if not columns:
        return []
    wanted = ", ".join(f"t.{quote_name(column)}" for column in columns.values())
    asked = [name for name, cell in cells.items() if storable(cell)][:ASKED_CELLS]
    conditions = [f"t.{quote_name(columns[name])} IS ?" for name in asked]
    return select(
        db,
        f"SELECT {wanted} FROM {quote_name(table)} AS t WHERE {' AND '.join(conditions) or 1}",
        [cells[name] for name in asked],
    )


def exact(cells: Sequence[Cell]) -> tuple[tuple[type, str], ...]:
    """Return a key in which 1, 1.0 and '1' differ, as do 0.0 and -0.0."""
    return tuple((type(cell), repr(cell)) for cell in cells)
