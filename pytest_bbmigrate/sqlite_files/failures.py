"""Explain what an error of SQLite or of the system means for a database file."""

from __future__ import annotations

import errno
import sqlite3

from pytest_bbmigrate.private import safe_message

BUSY = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL))

# https://sqlite.org/rescode.html
_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the system could not read or write it; is the disk full, or damaged?",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database, or it is encrypted",
    sqlite3.SQLITE_READONLY: "this user may not write it, or its disk is mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "it, or its journal beside it, cannot be opened by this user",
    sqlite3.SQLITE_PERM: "this user may not open it",
}


def primary_code(error: BaseException) -> int:
    """Return SQLite's primary result code of ``error``; -1 when it has none."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF


def is_not_a_database(error: BaseException | None) -> bool:
    """Return whether ``error`` says that a file is no SQLite database at all."""
    return error is not None and primary_code(error) == sqlite3.SQLITE_NOTADB


def is_damaged(error: BaseException | None) -> bool:
    """Return whether ``error`` says that a file is no SQLite database, or a damaged one."""
    codes = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
    return error is not None and primary_code(error) in codes


def describe_error(error: sqlite3.Error | OSError) -> str:
    """Return what went wrong: the meaning, then the message of SQLite or the system."""
    if isinstance(error, OSError):
        message = error.strerror or str(error)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return f"the disk is full ({message})" if is_full else message
    code = getattr(error, "sqlite_errorname", None)
    meaning = _MEANINGS.get(primary_code(error))
    message = f"{safe_message(error)} [{code}]" if code else safe_message(error)
    return f"{meaning} ({message})" if meaning else message
