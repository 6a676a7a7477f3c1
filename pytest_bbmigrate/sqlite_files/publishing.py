"""Put a working copy into the locked database, in one transaction, and look at what came of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sqlite_files.backup import Pace, copy_pages
from pytest_bbmigrate.sqlite_files.failures import describe_error, primary_code
from pytest_bbmigrate.sqlite_files.images import (
    HEADER_STRING,
    configure_connection,
    size_in_header,
    uri_of,
)
from pytest_bbmigrate.sqlite_files.locking import CACHE_KIB
from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What integrity_check says of rows that break a rule of their table. Everything else it says is of
# the file's structure (https://sqlite.org/pragma.html#pragma_integrity_check).
RULE_PREFIXES = (
    "NULL value in ",
    "CHECK constraint failed in ",
    *(f"{kind} value in " for kind in ("NUMERIC", "TEXT")),
    *(f"non-{kind} value in " for kind in ("INT", "INTEGER", "NUMERIC", "REAL", "TEXT", "BLOB")),
)
# A constraint or an index may call functions and collations that only the app registers.
UNCHECKED_PREFIX = "cannot be looked at here, table "
MAX_LINES = 1000  # lines of integrity_check


@contextmanager
def reading_closed(path: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection for reading our own file ``path``, which nobody can change meanwhile.

    It is not opened read-only: SQLite forgets CHECK constraints then, and finds no row that breaks
    one.

    Raises: DatabaseError when it is not a database in rollback mode with nothing beside it.
    """
    refuse_unpublishable(path)
    uri = uri_of(path, "mode=rw")
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=seconds)) as db:
        configure_connection(db)
        db.execute("PRAGMA query_only = ON")
        try:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except sqlite3.Error as error:
            raise DatabaseError(path, describe_error(error)) from error
        yield db


def refuse_unpublishable(path: Path) -> None:
    """Look at the outside of a database file that is to be published.

    Raises: DatabaseError when it is not SQLite, is cut short, is in WAL mode, or has a file beside
        it that belongs to its content.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise DatabaseError(path, describe_error(error)) from error
    if len(header) < len(HEADER_STRING) + 84 or not header.startswith(HEADER_STRING):
        raise DatabaseError(path, "not an SQLite database; nothing was published")
    if header[18:20] != b"\x01\x01":
        raise DatabaseError(
            path, "in WAL mode; put it into journal_mode = delete before it is published"
        )
    if size != size_in_header(header):
        raise DatabaseError(path, "not as long as its header says; nothing was published")
    beside = [f"{path.name}{suffix}" for suffix in SIDECARS if os.path.lexists(f"{path}{suffix}")]
    if beside:
        raise DatabaseError(
            path, f"{', '.join(beside)} is beside it: another program has it open, or had"
        )


def refuse_damaged(db: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseError when the structure of ``db``, the database ``path``, is broken."""
    broken = [
        line
        for line in _lines(db, "quick_check")
        if not line.startswith((*RULE_PREFIXES, UNCHECKED_PREFIX))
    ]
    if broken:
        raise DatabaseError(path, f"damaged: {broken[0]}; nothing was published")


def replace_content(db: sqlite3.Connection, source: sqlite3.Connection, pace: Pace) -> None:
    """Make the content of the locked ``db`` that of ``source``: all of it, or nothing.

    The file stays the same one, with its owner and mode; page size, auto_vacuum, user_version and
    application_id come with the content. ``db`` may not be in WAL mode: there a full disk shows
    only after the transaction, and the page size cannot change.

    Raises: sqlite3.Error, or what ``pace`` raises; ``db`` has its old content then.
    """
    copy_pages(source, db, pace)


def new_faults(db: sqlite3.Connection, backup: Path, work: Path, seconds: float) -> tuple[str, ...]:
    """Return what ``integrity_check`` holds against ``db`` and is not old.

    Old is what the backup has too. Rows that break a rule of their table are old as well when the
    working copy has them: there they were judged, and a table may have another name since.
    """
    faults = integrity_faults(db)
    if not faults:
        return ()
    old = set(_faults_of(backup, seconds))
    judged = {
        line
        for line in _faults_of(work, seconds)
        if line.startswith((*RULE_PREFIXES, UNCHECKED_PREFIX))
    }
    return tuple(line for line in faults if line not in old | judged)


def integrity_faults(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return what ``PRAGMA integrity_check`` finds in ``db``; () when all is well."""
    return _lines(db, "integrity_check")


def _lines(db: sqlite3.Connection, pragma: str) -> tuple[str, ...]:
    try:
        lines = [str(line) for (line,) in db.execute(f"PRAGMA {pragma}({MAX_LINES})")]
    except sqlite3.DatabaseError as error:
        if primary_code(error) == sqlite3.SQLITE_ERROR:
            return tuple(_by_table(db, pragma))
        return (describe_error(error),)  # too broken to be looked through
    return () if lines == ["ok"] else tuple(lines)


def _by_table(db: sqlite3.Connection, pragma: str) -> Iterator[str]:
    """Yield what ``pragma`` finds in each table; of one that calls the app's functions, that."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
    for (table,) in db.execute(query).fetchall():
        try:
            found = db.execute(f"PRAGMA {pragma}({quote_name(table)})").fetchall()
        except sqlite3.DatabaseError as error:
            yield f"{UNCHECKED_PREFIX}{table}: {describe_error(error)}"
        else:
            yield from (str(line) for (line,) in found if line != "ok")


def _faults_of(path: Path, seconds: float) -> tuple[str, ...]:
    with reading_closed(path, seconds) as db:
        return integrity_faults(db)
