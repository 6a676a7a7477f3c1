"""Hold SQLite's exclusive lock on a database file, against readers and writers alike.

A process that holds it must not open the file in any other way: closing any descriptor of a file
drops every lock that the process has on it (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.failures import BUSY, describe_error, primary_code
from pytest_bbmigrate.sqlite_files.images import closed_on_failure, configure_connection, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable

TRY_SECONDS = 0.25  # one attempt; between two, whoever waits is asked whether it still wants to
PAUSE_SECONDS = 0.02
CACHE_KIB = 65536  # integrity_check reads every index entry's row: worth more than the 2 MB default


class DatabaseLocked(DatabaseError):
    """Raised when another program has the database open in a way that keeps the lock from us."""


def take_lock(
    path: Path, deadline: float, still_wanted: Callable[[], None] = lambda: None
) -> sqlite3.Connection:
    """Return a connection (autocommit) that holds the exclusive lock on ``path`` until it closes.

    A hot journal is rolled back, and what a WAL holds is seen. ``still_wanted`` is called between
    attempts and may raise to end the waiting; ``deadline`` is in seconds.

    Raises: DatabaseLocked when somebody else has it to the end of the deadline; DatabaseError when
        it is not there, is no database, or cannot be written.
    """
    real = Path(os.path.realpath(path))
    if not real.is_file():
        raise DatabaseError(path, "not a database file" if real.exists() else "no such database")
    if not os.access(real.parent, os.W_OK | os.X_OK):
        raise DatabaseError(
            path,
            f"this user may not write the folder {real.parent}, where SQLite keeps its journal; "
            "run as a user who may",
        )
    give_up = time.monotonic() + deadline
    while True:
        still_wanted()
        try:
            return try_lock(real, min(TRY_SECONDS, deadline))
        except sqlite3.Error as error:
            if primary_code(error) not in BUSY:
                raise DatabaseError(path, describe_error(error)) from error
            if time.monotonic() >= give_up:
                raise DatabaseLocked(path, f"in use by another program ({error})") from error
        time.sleep(PAUSE_SECONDS)


def try_lock(real: Path, seconds: float) -> sqlite3.Connection:
    """Return a connection with the lock, or raise sqlite3.Error and hold nothing.

    In exclusive locking mode a lock is kept when its transaction ends
    (https://sqlite.org/pragma.html#pragma_locking_mode); so is the lesser one of a BEGIN that
    failed, until the connection closes.
    """
    db = sqlite3.connect(uri_of(real, "mode=rw"), uri=True, isolation_level=None, timeout=seconds)
    with closed_on_failure(db):
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Of use on macOS alone, where fsync does not empty the disk's own cache.
        db.execute("PRAGMA fullfsync = ON")
        db.execute("PRAGMA checkpoint_fullfsync = ON")
        begin_and_roll_back(db)
        db.execute("PRAGMA synchronous = FULL")
        # The journal gives its room back when a transaction ends, not when the lock is released.
        db.execute("PRAGMA journal_size_limit = 0")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return configure_connection(db)


def begin_and_roll_back(db: sqlite3.Connection) -> None:
    """Take the exclusive lock by a transaction that would write, and does not.

    On a file that may only be read, BEGIN EXCLUSIVE succeeds and locks nobody out. The attempt to
    write shows that, and whether the journal can be made; it also does away with a journal that a
    killed process left before it was of use.
    """
    db.execute("BEGIN EXCLUSIVE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {version}")
    db.execute("ROLLBACK")


def journal_mode(db: sqlite3.Connection) -> str:
    """Return the journal mode that ``db`` is in: 'wal', 'delete' and so on."""
    return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def set_journal_mode(db: sqlite3.Connection, mode: str) -> None:
    """Put the locked ``db`` into the journal mode 'wal' or 'delete', and keep the lock.

    Raises: sqlite3.Error when SQLite cannot do it.
    """
    now = str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
    if now != mode:
        raise sqlite3.OperationalError(f"journal_mode stays {now}, {mode} was asked for")
    begin_and_roll_back(db)
