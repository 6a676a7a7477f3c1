"""Put a working copy into the locked database in one transaction, and check the result."""

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
    HEADER_SIZE,
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

# How messages of integrity_check on rows that break a rule of their table begin. All others are on
# the structure of the file (https://sqlite.org/pragma.html#pragma_integrity_check).
RULE_PREFIXES = (
    "NULL value in ",
    "CHECK constraint failed in ",
    *(f"{kind} value in " for kind in ("NUMERIC", "TEXT")),
    *(f"non-{kind} value in " for kind in ("INT", "INTEGER", "NUMERIC", "REAL", "TEXT", "BLOB")),
)
# What we say of a table whose constraints or indexes call functions that only the app registers.
UNCHECKED_PREFIX = "cannot be looked at here, table "
MAX_LINES = 1000  # of integrity_check


@contextmanager
def reading_closed(path: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection for reading our own closed file ``path``; nobody can write it meanwhile.

    It is not opened read-only: then SQLite ignores CHECK constraints, and would not find rows that
    break one.

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
    """Check the header of a database file that is to be published, and that it has no sidecar.

    Raises: DatabaseError when it is not SQLite, has another size than its header says, is in WAL
        mode, or has a sidecar.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(HEADER_SIZE)
    except OSError as error:
        raise DatabaseError(path, describe_error(error)) from error
    if len(header) < HEADER_SIZE or not header.startswith(HEADER_STRING):
        raise DatabaseError(path, "not an SQLite database; nothing was published")
    if header[18:20] != b"\x01\x01":
        raise DatabaseError(
            path, "in WAL mode; put it into journal_mode = delete before it is published"
        )
    if size != size_in_header(header):
        raise DatabaseError(path, "not as long as its header says; nothing was published")
    names = [f"{path.name}{suffix}" for suffix in SIDECARS if os.path.lexists(f"{path}{suffix}")]
    if names:
        raise DatabaseError(
            path, f"{', '.join(names)} is beside it: another program has it open, or had"
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
    """Replace the content of the locked ``db`` by that of ``source``: all of it, or nothing.

    The file stays the same, with its owner and mode. Page size, auto_vacuum, user_version and
    application_id come with the content. ``db`` must not be in WAL mode: there a full disk shows
    only after the transaction, and the page size cannot change.

    Raises: sqlite3.Error, or what ``pace`` raises; ``db`` has its old content then.
    """
    copy_pages(source, db, pace)


def new_faults(db: sqlite3.Connection, backup: Path, work: Path, seconds: float) -> tuple[str, ...]:
    """Return the messages of ``integrity_check`` on ``db`` that are not on old faults.

    Faults that the backup has as well are old. So are rows that break a rule of their table if the
    working copy has them: they were judged there, and a table may have another name since.
    """
    faults = integrity_faults(db)
    if not faults:
        return ()
    in_backup = set(_faults_of(backup, seconds))
    in_working_copy = {
        line
        for line in _faults_of(work, seconds)
        if line.startswith((*RULE_PREFIXES, UNCHECKED_PREFIX))
    }
    return tuple(line for line in faults if line not in in_backup | in_working_copy)


def integrity_faults(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the messages of ``PRAGMA integrity_check`` on ``db``; () when all is well."""
    return _lines(db, "integrity_check")


def _lines(db: sqlite3.Connection, pragma: str) -> tuple[str, ...]:
    try:
        lines = [str(line) for (line,) in db.execute(f"PRAGMA {pragma}({MAX_LINES})")]
    except sqlite3.DatabaseError as error:
        if primary_code(error) == sqlite3.SQLITE_ERROR:
            return tuple(_by_table(db, pragma))
        return (describe_error(error),)  # too broken to be checked
    return () if lines == ["ok"] else tuple(lines)


def _by_table(db: sqlite3.Connection, pragma: str) -> Iterator[str]:
    """Yield the messages of ``pragma`` table by table; for a table it cannot check, the reason."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
    for (table,) in db.execute(query).fetchall():
        try:
            lines = db.execute(f"PRAGMA {pragma}({quote_name(table)})").fetchall()
        except sqlite3.DatabaseError as error:
            yield f"{UNCHECKED_PREFIX}{table}: {describe_error(error)}"
        else:
            yield from (str(line) for (line,) in lines if line != "ok")


def _faults_of(path: Path, seconds: float) -> tuple[str, ...]:
    with reading_closed(path, seconds) as db:
        return integrity_faults(db)
