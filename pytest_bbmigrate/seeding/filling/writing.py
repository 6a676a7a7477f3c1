"""Rows into a table: all at once as long as none is refused, and a refused one drawn again."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.seeding.filling.queries import listed, or_abort, row_count, select
from pytest_bbmigrate.seeding.filling.sources import FromPool
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, fold_text
from pytest_bbmigrate.sqlite_files.in_time import (
    LEAST_CALLS,
    GivenUp,
    given_up_after,
    is_interrupt,
)

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.row_sources import RowSources
    from pytest_bbmigrate.seeding.filling.sources import Row, Source
    from pytest_bbmigrate.sql.values import Cell

T = TypeVar("T")
TRIES = 100  # other values for a refused row, after which it is dropped
TRIES_KEEPING_HOSTILE = 40  # the first of these, which leave hostile values in the row
TRIES_OF_BLAMED = 70  # the first of these, in columns that SQLite complained of; then in others
MAX_DROPPED = 20  # rows dropped one after the other, after which no further one is tried
SAVEPOINT = "bb_seeding"


def write_rows(
    db: sqlite3.Connection, row_sources: RowSources, rows: Sequence[Row], rng: random.Random
) -> str:
    """Insert ``rows``; return why the last one was refused, or ''.

    A refused row gets other values from its sources a few times, and is dropped if none fit. Where
    all of it takes too long, which a trigger may, that is the refusal, and no row is added.
    """
    try:
        with written_in_time(db, len(rows)), one_transaction(db):
            return _Writer(db, row_sources, rng).write(rows)
    except GivenUp as error:
        return str(error)


@contextmanager
def written_in_time(db: sqlite3.Connection, count: int) -> Iterator[None]:
    """Give up what is written to ``count`` rows in the block where a trigger makes it very long.

    Raises: GivenUp, where it does.
    """
    with given_up_after(db, LEAST_CALLS + count):
        yield


def insertion(table: Table, columns: Sequence[str]) -> str:
    """Return the INSERT of a row with ``columns``."""
    return (
        f"INSERT {or_abort(table)}INTO main.{quote_name(table.name)}"
        f" ({listed(columns)}) VALUES ({', '.join('?' * len(columns))})"
    )


@contextmanager
def one_transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Write in one transaction, which is faster, unless the schema could end it half-way.

    RAISE(ROLLBACK) in a trigger, or a conflict clause, would undo the rows before.
    """
    if select(db, "SELECT 1 FROM main.sqlite_schema WHERE sql LIKE '%rollback%'"):
        yield
    else:
        db.execute(f"SAVEPOINT {SAVEPOINT}")
        yield
        if db.in_transaction:  # not where a write was interrupted
            db.execute(f"RELEASE {SAVEPOINT}")


def each_refused(
    db: sqlite3.Connection,
    sql: str,
    rows: Iterable[T],
    parameters: Callable[[T], Sequence[Cell]],
) -> Iterator[tuple[T | None, str]]:
    """Run ``sql`` for each of ``rows``, at once as long as none is refused; yield those that are.

    Each with why it was refused. None stands for all rows: the statement itself does not compile.
    """
    waiting = iter(rows)
    latest: list[T] = []

    def feed() -> Iterator[Sequence[Cell]]:
        for row in waiting:
            latest[:] = [row]
            yield parameters(row)

    while True:
        try:
            db.executemany(sql, feed())  # ends with a refusal; the rest comes next
        except REFUSALS as error:
            if is_interrupt(error):
                raise
            refusal = str(error)
        else:
            return
        yield latest.pop() if latest else None, refusal


class _Writer:
    """One INSERT, and where other values for a refused row come from."""

    def __init__(self, db: sqlite3.Connection, row_sources: RowSources, rng: random.Random) -> None:
        self.db, self.table = db, row_sources.table
        self.sql = insertion(row_sources.table, row_sources.columns)
        self.columns = [fold_name(column) for column in row_sources.columns]
        self.sources = row_sources.sources
        self.rng = rng
        self.repeatable = [source for source in self.sources if source.repeatable]
        self.blamed: dict[str, list[Source]] = {}

    def write(self, rows: Sequence[Row]) -> str:
        """Insert ``rows``; return the last refusal, or ''."""
        last_refusal, dropped = "", 0
        for row, why in each_refused(self.db, self.sql, self._until_enough(rows), list):
            last_refusal = why
            if row is None:
                break
            refusal = self._insert_redrawn(row, why)
            last_refusal = refusal or last_refusal
            dropped = dropped + 1 if refusal else 0
            if dropped == MAX_DROPPED:
                break
        return last_refusal

    def _until_enough(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield ``rows`` until there are so many more: a trigger may add others, without end."""
        before, changes = row_count(self.db, self.table), self.db.total_changes
        for number, row in enumerate(rows):
            is_alone = self.db.total_changes - changes <= number
            if not is_alone and row_count(self.db, self.table) >= before + len(rows):
                return
            yield row

    def _insert_redrawn(self, row: Row, refusal: str) -> str:
        """Insert ``row`` with other values; return '' or the last refusal.

        Each try starts from the row as it was drawn, and replaces the values of all columns that a
        refusal of it was about, or of one of them. Plain values are as frequent as realistic ones:
        where columns are compared they agree more often. A refusal need not name each column that
        matters, as that in the WHERE of a unique index: in the end those are replaced as well.
        """
        hostile = [
            source
            for source in self.sources
            if isinstance(source, FromPool) and source.is_hostile(row)
        ]
        concerned: list[Source] = []
        for attempt in range(TRIES):
            blamed = self._blamed_by(refusal)
            if attempt >= TRIES_OF_BLAMED:
                blamed = [source for source in self.repeatable if source not in hostile]
            concerned += [source for source in blamed if source not in concerned]
            # Other values beside a hostile one are often enough, and it is there for a purpose.
            usual = [source for source in concerned if source not in hostile]
            chosen = usual if usual and attempt < TRIES_KEEPING_HOSTILE else concerned
            if chosen and attempt % 2:
                chosen = [self.rng.choice(chosen)]
            changed = list(row)
            plain = self.rng.random() < 0.5
            for source in chosen:
                source.redraw(changed, self.rng, plain=plain)
            refusal = self._insert(changed)
            if not refusal:
                break
        return refusal

    def _insert(self, row: Row) -> str:
        """Insert ``row``; return '' or why it was refused."""
        try:
            self.db.execute(self.sql, row)
        except REFUSALS as error:
            if is_interrupt(error):
                raise
            return str(error)
        return ""

    def _blamed_by(self, refusal: str) -> list[Source]:
        """Return the sources of the columns that a refusal names, or of all if it names none.

        'UNIQUE constraint failed: t.a, t.b', 'CHECK constraint failed: a < b'.
        """
        if refusal not in self.blamed:
            words = set(re.findall(r"\w+", fold_text(refusal.partition(":")[2])))
            named = [
                source
                for source in self.sources
                if any(self.columns[position] in words for position in source.positions)
            ]
            self.blamed[refusal] = named or self.repeatable
        return self.blamed[refusal]
