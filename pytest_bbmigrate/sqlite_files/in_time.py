"""What is given up when it takes long: a contract's query, or a trigger, may go on without end.

SQLite itself never gives up (https://sqlite.org/c3ref/progress_handler.html). What is counted are
its instructions, so that the same query is given up on any machine, or on none.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INSTRUCTIONS = 100_000  # of SQLite's virtual machine, between two calls of the progress handler
LEAST_CALLS = 500  # of it, before a query is given up
CALLS_OF_A_WRITE = 200  # of it, before the write of one generated row is given up
BYTES_FOR_A_CALL = 100  # of the database: where there are more rows, more may be asked
TAKES_TOO_LONG = "it takes too long, and was given up: it may be without end"

_limits: dict[int, Callable[[], bool]] = {}  # of the blocks that are open, by their connection


class GivenUp(sqlite3.OperationalError):
    """Raised where what runs takes too long."""

    def __init__(self) -> None:
        super().__init__(TAKES_TOO_LONG)


@contextmanager
def given_up_in_time(db: sqlite3.Connection) -> Iterator[None]:
    """Interrupt what runs on ``db`` in the block once all together has taken long.

    Raises: GivenUp, in place of SQLite's error.
    """
    ((pages,),) = db.execute("PRAGMA main.page_count")
    ((size,),) = db.execute("PRAGMA main.page_size")
    with given_up_after(db, max(LEAST_CALLS, pages * size // BYTES_FOR_A_CALL)):
        yield


@contextmanager
def given_up_after(db: sqlite3.Connection, most: int) -> Iterator[None]:
    """Interrupt what runs on ``db`` in the block after ``most`` times INSTRUCTIONS together.

    A write that is interrupted takes all of its transaction back, and ends it
    (https://sqlite.org/c3ref/interrupt.html). In such a block there may be another.

    Raises: GivenUp, in place of SQLite's error.
    """
    calls, around = count(1), _limits.get(id(db))
    _limits[id(db)] = lambda: next(calls) > most or (around is not None and around())
    db.set_progress_handler(_limits[id(db)], INSTRUCTIONS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_interrupt(error) and next(calls) > most:
            raise GivenUp from error
        raise
    finally:
        db.set_progress_handler(around, INSTRUCTIONS)
        if around is None:
            del _limits[id(db)]
        else:
            _limits[id(db)] = around


def is_given_up(message: str) -> bool:
    """Return whether ``message`` is of what was given up here."""
    return message == TAKES_TOO_LONG


def is_interrupt(error: sqlite3.Error) -> bool:
    """Return whether SQLite was told to stop."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
