"""What an app might have written since up: rows added, rows edited, rows deleted.

Each write is tried on the state before as well: what that schema refuses cannot be kept by down,
and is passed over, as is what the new one refuses.
"""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.former_rows import Fields, FormerRows
from pytest_bbmigrate.experiment.held_rows import held_rows
from pytest_bbmigrate.experiment.written_columns import editable_columns, table_diff_of
from pytest_bbmigrate.experiment.written_rows import Distinct, read_row, read_rows, values_for
from pytest_bbmigrate.seeding.filling.fill import add_rows
from pytest_bbmigrate.seeding.filling.queries import (
    delete_row,
    insert_row,
    new_keys,
    row_keys,
    select,
    set_cells,
)
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image, read_content, require_bytes, take_image

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_bbmigrate.experiment.model import Evidence
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.seeding.model import Recipe, Unfilled

WRITTEN_ROWS = 5
EDITED_ROWS = 5
DELETED_ROWS = 3
TRIES = 12  # rows that are tried for one that may be deleted
ROWS_GIVING_VALUES = 40  # whose values other rows are given


@dataclass
class WrittenTable:
    """What was written to ``table``: rows by their keys (``row_key``), and cells of old rows.

    ``edited`` are the columns that were given another value, by the key of their row; ``deleted``
    the rows as they were. ``beyond`` are rows that only the new schema takes: they are not there.
    ``rows`` are those added and edited as they stand in the end.
    """

    table: Table
    added: list[Key] = field(default_factory=list)
    edited: dict[Key, list[str]] = field(default_factory=dict)
    deleted: dict[Key, Fields] = field(default_factory=dict)
    beyond: list[Fields] = field(default_factory=list)
    rows: Mapping[Key, Fields] = field(default_factory=dict)
    passed_over: int = 0


@dataclass(frozen=True)
class Writing:
    """What was written: the database with it, and each table's part of it.

    ``beyond`` is the database with the rows, too, that only the new schema takes, None for none.
    """

    image: bytes
    tables: tuple[WrittenTable, ...]
    unwritten: tuple[Unfilled, ...]
    beyond: bytes | None


def write_since(
    evidence: Evidence,
    before: Snapshot,
    after: Snapshot,
    tables: Iterable[str],
    recipe: Recipe,
    *,
    as_before: bool = False,
    there: sqlite3.Connection | None = None,
) -> Writing:
    """Write to ``tables`` (names after), in ``after``, as an app would have; return what it was.

    With ``as_before`` the app knows nothing of what up made: rows are added to no table of that,
    and have no value of their own in a column of that. Where a connection to a copy of ``after`` is
    ``there``, it is used up.
    """
    later = replace(
        recipe,
        seed=recipe.seed + 1,
        own_rows={},
        expected_literals=(),
        taken_literals=(),
        requires=(),
    )
    written: list[WrittenTable] = []
    unwritten: list[Unfilled] = []
    with (
        read_content(require_bytes(after.image), there) as db,
        closing(open_image(require_bytes(before.image))) as earlier,
    ):
        earlier.execute("PRAGMA foreign_keys = ON")
        writers = []
        for table in filter(None, map(after.schema.table, tables)):
            work = WrittenTable(table)
            written.append(work)
            former = former_rows(evidence, earlier, table)
            keys = row_keys(db, table)
            if not as_before:
                filling = add_rows(db, after.schema, table.name, WRITTEN_ROWS, later, there=keys)
                unwritten += filling.unfilled
                keep_what_fits(db, work, former, keys)
            if as_before or (work.beyond and not work.added):
                add_as_before(db, work, former, before, later)
            if former is not None:
                writers.append(Writer(db, work, former, some_of(keys, table)))
        db.execute("PRAGMA foreign_keys = ON")
        for writer in writers:
            writer.edit(editable_columns(evidence, after.schema, writer.work.table))
        for writer in writers:
            writer.delete(after.schema)
        db.execute("PRAGMA foreign_keys = OFF")
        for work in written:
            leave_out_what_changed(db, work)
        image = take_image(db)
        return Writing(image, tuple(written), tuple(unwritten), write_beyond(db, written))


def former_rows(evidence: Evidence, earlier: sqlite3.Connection, table: Table) -> FormerRows | None:
    """Return ``table`` as it was before, to try writes on; None for one that up made."""
    diff = table_diff_of(evidence, table)
    old = evidence.state.schema.table(diff.table) if diff else None
    return None if diff is None or old is None else FormerRows(earlier, old, diff)


def keep_what_fits(
    db: sqlite3.Connection, work: WrittenTable, former: FormerRows | None, there: Sequence[Key]
) -> None:
    """Keep the rows that were added and that the schema before takes; take out the others."""
    for key, row in read_rows(db, work.table, new_keys(db, work.table, there)).items():
        if former is None or former.takes(row):
            work.added.append(key)
        else:
            work.beyond.append(row)
            work.passed_over += 1
            delete_row(db, work.table, key)


def add_as_before(
    db: sqlite3.Connection,
    work: WrittenTable,
    former: FormerRows | None,
    before: Snapshot,
    recipe: Recipe,
) -> None:
    """Add rows that the schema before takes, where the one after does; none to a new table."""
    table = work.table
    for row in former.drawn(before.schema, WRITTEN_ROWS, recipe) if former else ():
        fields = {name: cell for name, cell in row.items() if name in table.stored_columns}
        there = row_keys(db, table)
        try:
            insert_row(db, table, fields)
        except REFUSALS:
            work.passed_over += 1
            continue
        work.added += new_keys(db, table, there)


@dataclass
class Writer:
    """Edits and deletes old rows of one table; ``keys`` are some of those that were there after up.

    The first are edited, the next deleted, and what the last ones hold is what rows are given.
    """

    db: sqlite3.Connection
    work: WrittenTable
    former: FormerRows
    keys: Sequence[Key]

    def edit(self, columns: Iterable[str]) -> None:
        """Give a few rows another row's values in ``columns``."""
        values = self.values(tuple(columns))
        for number, key in enumerate(self.keys[:EDITED_ROWS]):
            row = read_row(self.db, self.work.table, key)
            if row is not None:
                self.set_cells(key, row, values_for(row, number, EDITED_ROWS, values))

    def values(self, columns: tuple[str, ...]) -> dict[str, Distinct]:
        """Return different values of ``columns``: those of the last keys' rows, if they differ."""
        giving = self.keys[EDITED_ROWS + TRIES :] if columns else ()
        rows = read_rows(self.db, self.work.table, giving).values()
        values = {column: Distinct([row[column] for row in rows]) for column in columns}
        table = quote_name(self.work.table.name)
        for column, found in values.items():
            if len(found.cells) < 2:
                query = f"SELECT DISTINCT {quote_name(column)} FROM main.{table}"
                values[column] = Distinct([value for (value,) in select(self.db, query)])
        return values

    def set_cells(self, key: Key, row: Fields, values: Fields) -> None:
        """Set ``values`` in ``row``, which has ``key``: all of them, or those not refused."""
        if not values:
            return
        if self.is_done(
            partial(set_cells, self.db, self.work.table, key, values),
            partial(self.former.changes, row, values),
        ):
            self.work.edited.setdefault(key, []).extend(values)
        elif len(values) == 1:
            self.work.passed_over += 1
        else:
            cells = list(values.items())
            half = len(cells) // 2
            for some in (cells[:half], cells[half:]):
                there = read_row(self.db, self.work.table, key)
                if there is not None:
                    self.set_cells(key, there, dict(some))

    def delete(self, schema: Schema) -> None:
        """Delete a few rows that were not edited; ``schema`` is that of the database."""
        tried = self.keys[EDITED_ROWS : EDITED_ROWS + TRIES]
        held: frozenset[Key] | None = None  # asked once a row is refused
        for place, key in enumerate(tried):
            if len(self.work.deleted) == DELETED_ROWS:
                break
            if held and key in held:
                self.work.passed_over += 1
                continue
            row = read_row(self.db, self.work.table, key)
            if row is None:
                continue
            remove = partial(delete_row, self.db, self.work.table, key)
            if self.is_done(remove, partial(self.former.loses, row)):
                self.work.deleted[key] = row
            else:
                self.work.passed_over += 1
                if held is None:
                    held = held_rows(self.db, schema, self.work.table, tried[place + 1 :])

    def is_done(self, write: Callable[[], bool], write_before: Callable[[], bool]) -> bool:
        """Write, if the state before allows the same; return whether it was written."""
        self.db.execute("SAVEPOINT written")
        try:
            done = write() and write_before()
        except REFUSALS:
            done = False
        if not self.db.in_transaction:  # a trigger may have ended it
            return False
        try:
            self.db.execute("RELEASE written" if done else "ROLLBACK TO written")
        except REFUSALS:  # a deferred foreign key is looked at here only
            done = False
            self.db.execute("ROLLBACK TO written")
        if not done:
            self.db.execute("RELEASE written")
        return done


def some_of(keys: Sequence[Key], table: Table) -> list[Key]:
    """Return a few of ``keys``, the same ones each time, in any order."""
    dice = random.Random(f"{fold_name(table.name)}:{len(keys)}")  # noqa: S311 -- reproducible
    count = EDITED_ROWS + TRIES + ROWS_GIVING_VALUES
    return [keys[place] for place in dice.sample(range(len(keys)), min(count, len(keys)))]


def leave_out_what_changed(db: sqlite3.Connection, work: WrittenTable) -> None:
    """Forget what a later write, a cascade or a trigger has undone or taken along."""
    work.rows = read_rows(db, work.table, [*dict.fromkeys((*work.added, *work.edited))])
    work.added = [key for key in work.added if key in work.rows]
    work.edited = {key: columns for key, columns in work.edited.items() if key in work.rows}
    back = read_rows(db, work.table, [*work.deleted])
    work.deleted = {key: row for key, row in work.deleted.items() if key not in back}


def write_beyond(db: sqlite3.Connection, tables: Iterable[WrittenTable]) -> bytes | None:
    """Add the rows that only the new schema takes; return the database, None without any."""
    added = 0
    for work in tables:
        for row in work.beyond:
            try:
                insert_row(db, work.table, row)
                added += 1
            except REFUSALS:
                continue
    return take_image(db) if added else None
