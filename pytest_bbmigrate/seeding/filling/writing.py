"""Rows into a table: all at once as long as none is refused, else one by one, mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, or_abort
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.sources import Row, Source

POINTED, REDRAWN, SIMPLER = 10, 24, 60  # tries: what the message names; all; plainer and plainer
PATIENCE = 8  # rows given up one after the other, after which no further one is tried
SAVEPOINT = "bb_seeding"


@dataclass
class Written:
    """What became of some rows: ``mended`` got other values; ``refusal`` is the last message."""

    mended: int = 0
    given_up: int = 0
    refusal: str = ""


class RolledBack(Exception):
    """Raised when a refusal ended the transaction: RAISE(ROLLBACK) in a trigger."""


def write_rows(
    db: sqlite3.Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    sources: Sequence[Source],
    rng: random.Random,
) -> Written:
    """Insert ``rows``; give those that are refused other values from their ``sources``.

    All in one savepoint; when a trigger rolls that back, each row by itself.
    """
    writer = _Writer(db, insertion(table, columns), columns, sources, rng)
    db.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        written = writer.write([list(row) for row in rows], alone=False)
    except RolledBack:
        return writer.write([list(row) for row in rows], alone=True)
    db.execute(f"RELEASE {SAVEPOINT}")
    return written


def insertion(table: Table, columns: Sequence[str]) -> str:
    """Return the INSERT of a row with ``columns``."""
    return (
        f"INSERT {or_abort(table)}INTO main.{quote_name(table.name)}"
        f" ({listed(columns)}) VALUES ({', '.join('?' * len(columns))})"
    )


class _Writer:
    """One INSERT and what it takes to mend a row for it."""

    def __init__(
        self,
        db: sqlite3.Connection,
        sql: str,
        columns: Sequence[str],
        sources: Sequence[Source],
        rng: random.Random,
    ) -> None:
        self.db = db
        self.sql = sql
        self.columns = [fold_name(column) for column in columns]
        self.sources = sources
        self.rng = rng
        self.accepted: list[Row] = []  # mended rows that went in, for others to be like

    def write(self, rows: Sequence[Row], *, alone: bool) -> Written:
        """Insert ``rows``; ``alone`` when none shares a transaction with another."""
        written = Written()
        pending = iter(rows)
        last: list[Row] = []

        def feed() -> Iterator[Row]:
            for row in pending:
                last[:] = [row]
                yield row

        patience = PATIENCE
        while patience:
            try:
                self.db.executemany(self.sql, feed())
            except REFUSALS as error:
                written.refusal = str(error)
            else:
                break
            self._look_at_transaction(alone=alone)
            if not last:
                break  # the statement itself does not compile: no row will go in
            refusal = self._mend(last.pop(), written.refusal, alone=alone)
            written.refusal = refusal or written.refusal
            written.given_up += bool(refusal)
            written.mended += not refusal
            patience = patience - 1 if refusal else PATIENCE
        return written

    def _mend(self, row: Row, message: str, *, alone: bool) -> str:
        """Insert ``row`` with other values; return '' or the last refusal."""
        for attempt in range(SIMPLER):
            if not self._redraw(row, message, attempt):
                return message
            try:
                self.db.execute(self.sql, row)
            except REFUSALS as error:
                message = str(error)
                self._look_at_transaction(alone=alone)
            else:
                self.accepted.append(row)
                return ""
        return message

    def _redraw(self, row: Row, message: str, attempt: int) -> bool:
        """Put other values into ``row``, first those that ``message`` speaks of."""
        named = self._named(message)
        others = [one for one in self.sources if one.repeatable and one not in named]
        concerned = named if named and attempt < POINTED else [*named, *others]
        if self.accepted and attempt >= POINTED and attempt % 2:
            return self._imitate(row, concerned)
        if attempt < REDRAWN:
            return all(source.again(row, self.rng) for source in concerned)
        return all(source.simplify(row, self.rng) for source in concerned)

    def _imitate(self, row: Row, concerned: Sequence[Source]) -> bool:
        """Give ``row`` the values of one that was taken, but for those that may not repeat."""
        like = self.rng.choice(self.accepted)
        for source in concerned:
            for position in source.positions if source.repeatable else ():
                row[position] = like[position]
        return all(source.repeatable or source.again(row, self.rng) for source in concerned)

    def _named(self, message: str) -> list[Source]:
        """Return the sources of the columns that a refusal names, if it names any.

        'UNIQUE constraint failed: t.a, t.b', 'CHECK constraint failed: a < b'.
        """
        words = set(re.findall(r"\w+", fold_name(message.partition(":")[2])))
        return [
            source
            for source in self.sources
            if any(self.columns[position] in words for position in source.positions)
        ]

    def _look_at_transaction(self, *, alone: bool) -> None:
        if not alone and not self.db.in_transaction:
            raise RolledBack
