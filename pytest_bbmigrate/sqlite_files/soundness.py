"""Find what is wrong with a database file: its structure, or rows that break its constraints."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files.images import HEADER_SIZE, HEADER_STRING, size_in_header
from pytest_bbmigrate.sqlite_files.locking import CACHE_KIB

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

MAX_ERRORS = 2**31 - 1  # without a number SQLite stops after 100
MAX_DAMAGE_LINES = 3
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
LONGEST_CHARACTER = 4  # bytes, in UTF-8
WAY_OUT_OF_DAMAGE = "put a backup in its place, or save what is left of it with sqlite3's .recover"
NOT_NULL = re.compile(r"NULL value in (?P<where>.+)", re.DOTALL)
TYPE = re.compile(r"(?P<what>(?:non-)?[A-Z]+ value) in (?P<where>.+)", re.DOTALL)


@dataclass(frozen=True)
class Soundness:
    """The faults found by reading every page and row.

    ``damage`` are messages on what makes a file unfit for use. ``violations`` are on rows with a
    NULL or a type that their table forbids: they have columns and counts, and never a value.
    """

    damage: tuple[str, ...]
    violations: tuple[str, ...]


def examine(db: sqlite3.Connection) -> Soundness:
    """Return what is wrong with the content of ``db``, found by one quick_check.

    It reads every page and row, but does not check whether indexes agree with their tables
    (https://sqlite.org/pragma.html#pragma_quick_check). CHECK constraints are left out: on a
    read-only connection SQLite forgets them, and on others they need the app's functions.

    Raises: sqlite3.Error when it cannot be looked at.
    """
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute("PRAGMA ignore_check_constraints = ON")
    violations: Counter[str] = Counter()
    damage: list[str] = []
    for (message,) in db.execute(f"PRAGMA quick_check({MAX_ERRORS})"):
        if violation := _violation(message):
            violations[violation] += 1
        elif message != "ok" and len(damage) < MAX_DAMAGE_LINES:
            damage.append(message)
    rows = (f"{row_count(count)} {what}" for what, count in violations.items())
    return Soundness(tuple(damage), tuple(rows))


def _violation(message: str) -> str:
    """Return the violation in a ``message`` of quick_check on a row; '' for any other message."""
    if match := NOT_NULL.fullmatch(message):
        return f"with NULL in {match['where']}, which is NOT NULL"
    if match := TYPE.fullmatch(message):
        return f"with a {match['what']} in {match['where']}, against its type"
    return ""


def row_count(count: int) -> str:
    """Return '1 row' or '2 rows'."""
    return "1 row" if count == 1 else f"{count} rows"


def broken_size(db: sqlite3.Connection, size: int) -> str:
    """Return why a file of ``size`` bytes cannot be all of the database ``db``, or ''."""
    (page,) = db.execute("PRAGMA page_size").fetchone()
    if size % page:
        return f"it has {size} bytes, which are not whole pages of {page}"
    return ""


def describe_non_database(path: Path) -> str:
    """Return what a file that is no database seems to be, and what to do."""
    head = _head(path)
    if not _is_text(head):
        return (
            "it is an encrypted database, or of another program: decrypt it, or give the path of "
            "the database"
        )
    return "it is text: give the path of the database (a dump is read in by 'sqlite3 NEW < FILE')"


def describe_damage(path: Path) -> str:
    """Return what is wrong with a damaged database file, as far as can be seen, and what to do."""
    head = _head(path)
    size = path.stat().st_size
    if head.startswith(HEADER_STRING) and len(head) == HEADER_SIZE:
        expected = size_in_header(head)
        if size < expected:
            return f"it is cut off: {size} bytes are left of {expected}; {WAY_OUT_OF_DAMAGE}"
    return f"it is damaged; {WAY_OUT_OF_DAMAGE}"


def _head(path: Path) -> bytes:
    """Return the first bytes of a file that SQLite cannot open, so that no lock on it is lost."""
    with path.open("rb") as file:
        return file.read(HEADER_SIZE)


def _is_text(head: bytes) -> bool:
    """Return whether ``head`` is text in UTF-8, perhaps cut off within a character."""
    if CONTROL_BYTES.search(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - LONGEST_CHARACTER
    return True
