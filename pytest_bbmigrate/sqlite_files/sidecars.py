"""The files that SQLite keeps beside a database: its journal, its WAL and the index of the WAL.

See https://sqlite.org/tempfiles.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SidecarStates = tuple[tuple[int, int, int] | None, ...]

JOURNAL, WAL, WAL_INDEX = "-journal", "-wal", "-shm"
SIDECARS = (JOURNAL, WAL, WAL_INDEX)
# What may hold content that is not in the database file; the index of a WAL has none of its own.
WITH_CONTENT = (JOURNAL, WAL)
PARTS = ("", *WITH_CONTENT)  # of a database's content, the file itself first


def beside(database: Path, suffix: str) -> Path:
    """Return the path of a file beside ``database``, named like it with ``suffix`` added."""
    return database.with_name(f"{database.name}{suffix}")


def size_of(path: Path) -> int | None:
    """Return a file's size in bytes; None when it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def stale_sidecars(real: Path) -> tuple[Path, ...]:
    """Return the journal and WAL that have content although the file is empty or missing.

    They belong to pages that are gone, so SQLite removes them as soon as the file is opened. What
    was committed last may be in them only.
    """
    if size_of(real):
        return ()
    return tuple(beside(real, suffix) for suffix in WITH_CONTENT if size_of(beside(real, suffix)))


def sidecar_states(real: Path) -> SidecarStates:
    """Return (inode, size, time) of a database file, its journal and its WAL; None if missing."""
    states: list[tuple[int, int, int] | None] = []
    for suffix in PARTS:
        try:
            status = beside(real, suffix).stat()
        except FileNotFoundError:
            states.append(None)
        else:
            states.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(states)
