"""Queries that are given up when they take long: what a contract says may count without end.

SQLite itself never gives up (https://sqlite.org/c3ref/progress_handler.html). What is counted are
its instructions, so that the same query is given up on any machine, or on none.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTRUCTIONS = 100_000  # of SQLite's virtual machine, between two calls of the progress handler
LEAST_CALLS = 500  # of it, before a query is given up
BYTES_FOR_A_CALL = 100  # of the database: where there are more rows, more may be asked
TAKES_TOO_LONG = "it takes too long, and was given up: it may be without end"


@contextmanager
def given_up_in_time(db: sqlite3.Connection) -> Iterator[None]:
    """Interrupt what runs on ``db`` in the block once all together has taken long.

    Raises: sqlite3.OperationalError, which says so, in place of SQLite's.
    """
    ((pages,),) = db.execute("PRAGMA main.page_count")
    ((size,),) = db.execute("PRAGMA main.page_size")
    calls, most = count(1), max(LEAST_CALLS, pages * size // BYTES_FOR_A_CALL)
    db.set_progress_handler(lambda: next(calls) > most, INSTRUCTIONS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_interrupt(error) and next(calls) > most:
            raise sqlite3.OperationalError(TAKES_TOO_LONG) from error
        raise
    finally:
        db.set_progress_handler(None, 0)


def is_interrupt(error: sqlite3.Error) -> bool:
    """Return whether SQLite was told to stop."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
