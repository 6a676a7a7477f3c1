"""The files that SQLite keeps beside a database: its journal, its WAL and the index of the WAL.

See https://sqlite.org/tempfiles.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL, WAL, WAL_INDEX = "-journal", "-wal", "-shm"
SIDECARS = (JOURNAL, WAL, WAL_INDEX)
# What may hold content that is not in the database file; the index of a WAL has none of its own.
WITH_CONTENT = (JOURNAL, WAL)
PARTS = ("", *WITH_CONTENT)  # of a database's content, the file itself first


def beside(database: Path, suffix: str) -> Path:
    """Return the path of a file beside ``database``, named like it with ``suffix`` added."""
    return database.with_name(f"{database.name}{suffix}")
