"""What SQLite finds wrong with a database, and queries of the user's that must not change."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing, nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import Invariant
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, fold_text
from pytest_bbmigrate.sqlite_files import open_content, open_private, temporary_copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.experiment.model import DatabaseDiff, SeededState
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.runner import Run

SHOWN_ROWS = 100  # of an invariant's result
DEFAULT_MESSAGES = 100  # that integrity_check gives without a number, as with a table's name
ALL_MESSAGES = 2**31 - 1


def check_integrity(
    db: sqlite3.Connection, before: Snapshot, after: Snapshot, up_diff: DatabaseDiff, up: Run
) -> tuple[str, ...]:
    """Return what ``PRAGMA integrity_check`` says of the tables that up may have touched.

    ``db`` is a connection to ``after``. A table whose pages are all unchanged is not checked,
    unless the schema was written by hand. A message that the database before gives as well is left
    out, as often as it occurs there.
    """
    by_hand = any("writable_schema" in fold_text(sql) for sql in up.shapes)
    untouched = frozenset[str]() if by_hand else up_diff.untouched
    names = [t.name for t in after.schema.tables if fold_name(t.name) not in untouched]
    if not names and not by_hand:
        return ()
    # Of a file that is opened for reading only, SQLite does not even look at the CHECKs.
    is_file = isinstance(after.image, Path)
    with closing(open_private(after.image)) if is_file else nullcontext(db) as checked:
        messages = integrity_of(checked, None if by_hand else names)
        # A table gives only so many messages: to subtract the earlier ones, all are needed.
        if everything := by_hand or messages.total() >= DEFAULT_MESSAGES:
            messages = integrity_of(checked, None)
    if not messages:
        return ()
    spelled = {fold_name(table.name): table.name for table in after.schema.tables}
    new_names = {
        table.name: spelled[new]
        for old_name, new in up_diff.renames.tables.items()
        if new in spelled and (table := before.schema.table(old_name)) is not None
    }
    with temporary_copy(before.image) as db_before:
        old_names = [old for old, new in new_names.items() if new in names]
        earlier = integrity_of(db_before, None if everything else old_names)
    return tuple(messages - renamed(earlier, new_names))


def integrity_of(db: sqlite3.Connection, tables: Iterable[str] | None) -> Counter[str]:
    """Return what is wrong with ``tables`` and their indexes, or with everything, and how often.

    No message holds a value of a row. Of each of ``tables`` SQLite gives the first 100.
    """
    arguments = (
        [f"({ALL_MESSAGES})"] if tables is None else [f"({quote_name(name)})" for name in tables]
    )
    return Counter(
        message
        for argument in arguments
        for (message,) in db.execute(f"PRAGMA main.integrity_check{argument}")
        if message != "ok"
    )


def renamed(messages: Counter[str], names: dict[str, str]) -> Counter[str]:
    """Return ``messages`` with the tables' new names."""
    result = Counter[str]()
    for message, count in messages.items():
        what, is_in, where = message.partition(" in ")
        table, dot, column = where.partition(".")
        place = names.get(where) or (names[table] + dot + column if table in names else where)
        result[what + is_in + place] += count
    return result


def ask_invariants(
    before: Snapshot, after: Snapshot, queries: tuple[tuple[str, str], ...]
) -> tuple[Invariant, ...]:
    """Return the results of the user's queries before and after."""
    if not queries:
        return ()
    with (
        closing(open_content(before.image)) as old_db,
        closing(open_content(after.image)) as new_db,
    ):
        return tuple(Invariant(name, ask(old_db, sql), ask(new_db, sql)) for name, sql in queries)


def silent_invariants(
    states: Iterator[SeededState], queries: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the queries that run on none of ``states``, with SQLite's message on the first."""
    errors = dict[str, str]()
    waiting = dict(queries)
    while waiting and (state := next(states, None)):
        with closing(open_content(state.image)) as db:
            for name, sql in list(waiting.items()):
                try:
                    db.execute(sql).fetchone()
                    del waiting[name]
                except sqlite3.Error as error:
                    errors.setdefault(name, str(error))
    return tuple((name, errors[name]) for name in waiting)


def ask(db: sqlite3.Connection, sql: str) -> str | None:
    """Return the rows of a query as text, None when it cannot run on this schema.

    A long result is given as its first rows, the number of the others and their hash.
    """
    try:
        cursor = db.execute(sql)
        shown = cursor.fetchmany(SHOWN_ROWS)
        others, digest = 0, blake2b(digest_size=8)
        for row in cursor:
            others += 1
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    except sqlite3.OperationalError:
        return None
    return f"{shown} and {others} rows more ({digest.hexdigest()})" if others else repr(shown)
