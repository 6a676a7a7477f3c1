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

TRY_SECONDS = 0.25  # for one attempt; between two, the caller is asked whether to go on
PAUSE_SECONDS = 0.02
CACHE_KIB = 65536  # integrity_check looks up the row of every index entry: 2 MB would be too few


class DatabaseLocked(DatabaseError):
    """Raised when another program holds a lock on the database to the end of the deadline."""


def take_lock(
    path: Path, deadline: float, still_wanted: Callable[[], None] = lambda: None
) -> sqlite3.Connection:
    """Return a connection (autocommit) that holds the exclusive lock on ``path`` until it closes.

    A hot journal is rolled back, and the content of a WAL is part of what it reads. ``deadline`` is
    in seconds. ``still_wanted`` is called between attempts and may raise to end the waiting.

    Raises: DatabaseLocked when another program has the lock to the end of the deadline;
        DatabaseError when the file is missing, is no database, or cannot be written.
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
    """Return a connection with the lock, or raise sqlite3.Error and hold no lock.

    In exclusive locking mode a lock is kept when its transaction ends
    (https://sqlite.org/pragma.html#pragma_locking_mode). So is the weaker lock of a BEGIN that
    failed, until the connection closes: hence a new connection for each attempt.
    """
    db = sqlite3.connect(uri_of(real, "mode=rw"), uri=True, isolation_level=None, timeout=seconds)
    with closed_on_failure(db):
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # These matter on macOS only, where fsync does not empty the disk's own cache.
        db.execute("PRAGMA fullfsync = ON")
        db.execute("PRAGMA checkpoint_fullfsync = ON")
        begin_and_roll_back(db)
        db.execute("PRAGMA synchronous = FULL")
        # Free the journal's room when a transaction ends, not only when the lock is released.
        db.execute("PRAGMA journal_size_limit = 0")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return configure_connection(db)


def begin_and_roll_back(db: sqlite3.Connection) -> None:
    """Take the exclusive lock by a transaction that begins to write, and is rolled back.

    On a read-only file BEGIN EXCLUSIVE succeeds and locks nobody out. The attempt to write shows
    that, and whether the journal can be made. It also removes the unfinished journal of a process
    that was killed.
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
    actual = str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
    if actual != mode:
        raise sqlite3.OperationalError(f"journal_mode stays {actual}, {mode} was asked for")
    begin_and_roll_back(db)
