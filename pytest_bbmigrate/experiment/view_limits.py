"""How long views are run to see what they show, and in which file.

A database in a file is somebody's own and may be large: the views of a small one are run. All are
run for a limited time: a view may count without end, for queries that say LIMIT.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files import content_size, open_content, temporary_copy
from pytest_bbmigrate.sqlite_files.in_time import given_up_after, is_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.sqlite_files import Content

MAX_FILE_SIZE = 16 << 20  # bytes; the file is copied, and the views are run on the copy
MAX_CALLS = 200  # as ``given_up_after`` counts, for all views of a file
MAX_CALLS_IN_MEMORY = 500  # the same, of generated rows, of which there are few
MAX_ROWS = 500_000  # that a view may show
TOO_MANY_ROWS = "the view shows too many rows"


@dataclass(frozen=True)
class PassedOver:
    """A ``view`` of which it was not looked at what it shows, for that takes too long."""

    view: str


def is_large_file(content: Content) -> bool:
    """Return whether ``content`` is a file that is too large to run its views."""
    return isinstance(content, Path) and content_size(content) > MAX_FILE_SIZE


@contextmanager
def open_for_views(content: Content) -> Iterator[sqlite3.Connection]:
    """Give a connection to a copy of ``content``, in which renaming a table changes no view.

    It interrupts queries once all together have taken long.
    """
    private_copy = (
        closing(open_content(content)) if isinstance(content, bytes) else temporary_copy(content)
    )
    with private_copy as db:
        db.execute("PRAGMA legacy_alter_table = ON")
        with limited_queries(db, content):
            yield db


@contextmanager
def limited_queries(db: sqlite3.Connection, content: Content) -> Iterator[None]:
    """Interrupt the queries on ``db``, of ``content``, once all together have taken long."""
    with given_up_after(db, MAX_CALLS if isinstance(content, Path) else MAX_CALLS_IN_MEMORY):
        yield


def limited_rows(cursor: sqlite3.Cursor) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows of a view.

    Raises: sqlite3.OperationalError where it shows too many to be looked at.
    """
    for number, row in enumerate(cursor):
        if number == MAX_ROWS:
            raise sqlite3.OperationalError(TOO_MANY_ROWS)
        yield row


def took_too_long(error: sqlite3.Error) -> bool:
    """Return whether ``error`` is that a query was given up, by what limits it here."""
    return error.args == (TOO_MANY_ROWS,) or is_interrupt(error)
