"""The file that a lock is on: what it was like, and whether its name still leads to it.

A program that does not ask SQLite for the lock may remove, replace or rewrite the file meanwhile.
Nothing here opens the file: closing it again would lose the lock
(https://sqlite.org/howtocorrupt.html, 2.2). SQLite's own descriptor is used, and never closed.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.failures import describe_error

OPEN_FILES = Path("/dev/fd")  # of this process, on Linux and macOS
MOST_DESCRIPTORS = 65536  # tried one by one where there is no such folder
LONGEST_PATH = 1024


class NameTarget(Enum):
    """What a database's name leads to now, compared with the file that is held."""

    SAME = "same"
    GONE = "gone"  # nothing
    NO_FOLDER = "no folder"  # nothing, and its folder is gone as well
    ANOTHER = "another"  # another file
    LINK = "link"  # a new symbolic link, to whatever file
    NO_FILE = "no file"  # a folder, a pipe or the like
    HIDDEN = "hidden"  # this user may not look


@dataclass(frozen=True)
class FileState:
    """A file at one moment: which one, whose, its ``size`` in bytes, and when ``written`` (ns)."""

    device: int
    inode: int
    mode: int
    user: int
    group: int
    size: int
    written: int

    @property
    def identity(self) -> tuple[int, int]:
        """What no other file has while this one exists."""
        return self.device, self.inode

    def is_as_written_as(self, other: FileState) -> bool:
        """Return whether nothing was written between the two, as far as size and time tell."""
        return (self.size, self.written) == (other.size, other.written)


def state_of_file(status: os.stat_result) -> FileState:
    """Return the state that ``status`` describes."""
    return FileState(
        device=status.st_dev,
        inode=status.st_ino,
        mode=stat.S_IMODE(status.st_mode),
        user=status.st_uid,
        group=status.st_gid,
        size=status.st_size,
        written=status.st_mtime_ns,
    )


@dataclass(frozen=True)
class HeldFile:
    """The file that ``path`` led to when it was locked; ``real`` is that with links resolved.

    ``descriptor`` is the one by which SQLite has it open, ``before`` its state at that moment.
    """

    path: Path
    real: Path
    descriptor: int
    before: FileState

    @property
    def now(self) -> FileState:
        """The state of the file now, whatever its name leads to."""
        return state_of_file(os.fstat(self.descriptor))

    @property
    def name(self) -> NameTarget:
        """What its name leads to now."""
        return look_up(self.path, self.real, self.before)

    @property
    def current_path(self) -> str:
        """The path it has now; '' when it has no name any more, or the system does not tell."""
        place = path_of(self.descriptor)
        return place if place and identity_of(Path(place)) == self.before.identity else ""

    def has_journal(self) -> bool:
        """Return whether the journal under its name is the one that this process writes."""
        return has_open(identity_of(self.real.with_name(f"{self.real.name}-journal")))

    def restore_mode(self) -> str:
        """Restore its owner and mode; return a sentence on that, '' if they had not changed."""
        return restore_mode(self.descriptor, self.before)


def hold_file(path: Path) -> HeldFile:
    """Return the file ``path``, which SQLite has open and locked in this process.

    Raises: DatabaseError when the name leads to another file than the one that was opened.
    """
    real = Path(os.path.realpath(path))
    identity = identity_of(real)
    for descriptor in descriptors():
        with suppress(OSError):
            state = state_of_file(os.fstat(descriptor))
            if state.identity == identity:
                return HeldFile(path, real, descriptor, state)
    raise DatabaseError(path, "another file took its name while it was locked; run again")


def path_of(descriptor: int) -> str:
    """Return the path of an open file; '' when it has none, or the system does not tell."""
    with suppress(OSError):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    with suppress(ImportError, OSError, AttributeError):
        import fcntl

        get_path: int = fcntl.F_GETPATH  # type: ignore[attr-defined, unused-ignore] # macOS
        return os.fsdecode(fcntl.fcntl(descriptor, get_path, bytes(LONGEST_PATH)).rstrip(b"\0"))
    return ""


def look_up(path: Path, real: Path, before: FileState) -> NameTarget:
    """Return what ``path`` leads to now; it led to the file ``before`` at the path ``real``."""
    try:
        status = os.lstat(real)
        leads_to_real = os.path.realpath(path) == str(real) and path.exists()
    except (FileNotFoundError, NotADirectoryError):
        if os.path.lexists(path):
            return NameTarget.LINK if os.path.realpath(path) != str(real) else NameTarget.GONE
        return NameTarget.GONE if real.parent.is_dir() else NameTarget.NO_FOLDER
    except OSError:
        return NameTarget.HIDDEN
    if not os.path.lexists(path):
        return NameTarget.GONE
    if not leads_to_real or stat.S_ISLNK(status.st_mode):
        return NameTarget.LINK
    if not stat.S_ISREG(status.st_mode):
        return NameTarget.NO_FILE
    is_same = (status.st_dev, status.st_ino) == before.identity
    return NameTarget.SAME if is_same else NameTarget.ANOTHER


def restore_mode(file: int | Path, before: FileState) -> str:
    """Give ``file`` back the owner and mode that it had.

    Return a sentence on what was done, or could not be; '' when they had not changed.
    """
    current = state_of_file(os.stat(file))  # noqa: PTH116 - or a descriptor
    if (current.mode, current.user, current.group) == (before.mode, before.user, before.group):
        return ""
    changed, restored = f"its mode was changed to {current.mode:o}", f"it is {before.mode:o} again"
    if (current.user, current.group) != (before.user, before.group):
        changed = f"its owner was changed to user {current.user}, group {current.group},"
        restored = "it is as it was again"
    try:
        if (current.user, current.group) != (before.user, before.group):
            os.chown(file, before.user, before.group)
        os.chmod(file, before.mode)  # noqa: PTH101 - likewise
    except OSError as error:
        why = describe_error(error)
        return f"{changed} while this run was at work, which could not be undone: {why}"
    return f"{changed} while this run was at work: {restored}"


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return the identity of the file that ``path`` leads to; None when it cannot be looked at."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def has_open(identity: tuple[int, int] | None) -> bool:
    """Return whether this process has the file of that ``identity`` open."""
    for descriptor in descriptors():
        with suppress(OSError):
            if state_of_file(os.fstat(descriptor)).identity == identity:
                return True
    return False


def descriptors() -> list[int]:
    """Return the descriptors that this process has open; some may be closed by now."""
    try:
        return sorted(int(entry.name) for entry in OPEN_FILES.iterdir())
    except OSError:
        return list(range(min(os.sysconf("SC_OPEN_MAX"), MOST_DESCRIPTORS)))


def empty_wal(db: sqlite3.Connection) -> None:
    """Write what the locked ``db`` has in its WAL into its file, if that can be done.

    Else it is written when the lock is released, and lost if somebody removes the WAL before.
    """
    with suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def forget_pages(db: sqlite3.Connection) -> None:
    """Have ``db`` read from the disk again: in exclusive mode it trusts pages it has read once."""
    db.execute("PRAGMA shrink_memory")
