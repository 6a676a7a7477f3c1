"""A database that is written to, and the backups of it that lie beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEWEST = "budget_buddy.db.backup.20260102_080000"


def write(path: Path, sql: str) -> None:
    """Execute the statements of ``sql`` in one transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"BEGIN;{sql};COMMIT;")


def back_up(database: Path, name: str = NEWEST) -> Path:
    """Return a backup of ``database`` as it is."""
    backup = database.with_name(name)
    with closing(sqlite3.connect(database)) as db, closing(sqlite3.connect(backup)) as copy:
        db.backup(copy)
    return backup
