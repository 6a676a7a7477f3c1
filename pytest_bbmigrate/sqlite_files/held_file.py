"""The file that a lock is on: what it was like, and whether its name still leads to it.

Whoever does not ask SQLite for the lock may remove, replace or rewrite the file meanwhile. Nothing
here opens it: the process that has the lock would lose it (https://sqlite.org/howtocorrupt.html,
2.2). SQLite's own descriptor of it is looked at, and never closed.
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
MOST_OPEN = 65536  # to be looked through where that is not there
LONGEST_PATH = 1024


class NameTarget(Enum):
    """What a database's name leads to, seen from the file that is held."""

    SAME = "same"
    GONE = "gone"
    NO_FOLDER = "no folder"  # nor is the folder there that it was in
    ANOTHER = "another"  # another file
    LINK = "link"  # by a symbolic link that was not there to something else, or to this file
    NO_FILE = "no file"  # a folder, a pipe and so on
    HIDDEN = "hidden"  # this user may not look


@dataclass(frozen=True)
class FileState:
    """A file as it is at one moment: which one, whose, and how it was written last (ns, bytes)."""

    device: int
    inode: int
    mode: int
    user: int
    group: int
    size: int
    written: int

    @property
    def identity(self) -> tuple[int, int]:
        """What no other file has as long as this one is there."""
        return self.device, self.inode

    def is_as_written_as(self, other: FileState) -> bool:
        """Return whether nothing was written between the two, as far as the system tells."""
        return (self.size, self.written) == (other.size, other.written)


def state_of_file(status: os.stat_result) -> FileState:
    """Return what is kept of ``status``."""
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
    """The file under the name ``path`` when it was locked: ``real``, links resolved, is its own."""

    path: Path
    real: Path
    descriptor: int
    before: FileState

    @property
    def now(self) -> FileState:
        """The file as it is, whatever its name leads to."""
        return state_of_file(os.fstat(self.descriptor))

    @property
    def name(self) -> NameTarget:
        """What its name leads to now."""
        return look_up(self.path, self.real, self.before)

    @property
    def current_path(self) -> str:
        """Where it is now, '' when it has no name any more or the system does not tell."""
        place = path_of(self.descriptor)
        return place if place and identity_of(Path(place)) == self.before.identity else ""

    def has_journal(self) -> bool:
        """Return whether the name of its journal leads to the one that this process writes."""
        return has_open(identity_of(self.real.with_name(f"{self.real.name}-journal")))

    def restore_mode(self) -> str:
        """Give it the owner and mode that it had; return what was done, '' when nothing was.

        What cannot be done is told as well.
        """
        return restore_mode(self.descriptor, self.before)


def hold_file(path: Path) -> HeldFile:
    """Return the file ``path``, which SQLite has opened and locked in this process.

    Raises: DatabaseError when its name leads to another one than was opened.
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
    """Return a name of an open file as the system has it, if it has; '' when it has none."""
    with suppress(OSError):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    with suppress(ImportError, OSError, AttributeError):
        import fcntl

        get_path: int = fcntl.F_GETPATH  # type: ignore[attr-defined, unused-ignore] # macOS
        return os.fsdecode(fcntl.fcntl(descriptor, get_path, bytes(LONGEST_PATH)).rstrip(b"\0"))
    return ""


def look_up(path: Path, real: Path, before: FileState) -> NameTarget:
    """Return what the name ``path`` leads to, which led by ``real`` to the file ``before``."""
    try:
        status = os.lstat(real)
        is_there = os.path.realpath(path) == str(real) and path.exists()
    except (FileNotFoundError, NotADirectoryError):
        if os.path.lexists(path):
            return NameTarget.LINK if os.path.realpath(path) != str(real) else NameTarget.GONE
        return NameTarget.GONE if real.parent.is_dir() else NameTarget.NO_FOLDER
    except OSError:
        return NameTarget.HIDDEN
    if not os.path.lexists(path):
        return NameTarget.GONE
    if not is_there or stat.S_ISLNK(status.st_mode):
        return NameTarget.LINK
    if not stat.S_ISREG(status.st_mode):
        return NameTarget.NO_FILE
    is_same = (status.st_dev, status.st_ino) == before.identity
    return NameTarget.SAME if is_same else NameTarget.ANOTHER


def restore_mode(file: int | Path, before: FileState) -> str:
    """Give ``file`` the owner and mode that it had; return what was done, '' when nothing was."""
    now = state_of_file(os.stat(file))  # noqa: PTH116 - or a descriptor
    if (now.mode, now.user, now.group) == (before.mode, before.user, before.group):
        return ""
    changed, again = f"its mode was changed to {now.mode:o}", f"it is {before.mode:o} again"
    if (now.user, now.group) != (before.user, before.group):
        changed = f"its owner was changed to user {now.user}, group {now.group},"
        again = "it is as it was again"
    try:
        if (now.user, now.group) != (before.user, before.group):
            os.chown(file, before.user, before.group)
        os.chmod(file, before.mode)  # noqa: PTH101 - likewise
    except OSError as error:
        why = describe_error(error)
        return f"{changed} while this run was at work, which could not be undone: {why}"
    return f"{changed} while this run was at work: {again}"


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return which file ``path`` leads to, None when there is none that can be looked at."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def has_open(identity: tuple[int, int] | None) -> bool:
    """Return whether this process has that file open."""
    for descriptor in descriptors():
        with suppress(OSError):
            if state_of_file(os.fstat(descriptor)).identity == identity:
                return True
    return False


def descriptors() -> list[int]:
    """Return the descriptors of what this process has open; some may be closed already."""
    try:
        return sorted(int(entry.name) for entry in OPEN_FILES.iterdir())
    except OSError:
        return list(range(min(os.sysconf("SC_OPEN_MAX"), MOST_OPEN)))


def empty_wal(db: sqlite3.Connection) -> None:
    """Have the file of the locked ``db`` hold all that the database holds, where that can be done.

    What is in a WAL alone is lost when somebody removes the WAL. It is otherwise written into the
    file when the lock is given back.
    """
    with suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def forget_pages(db: sqlite3.Connection) -> None:
    """Have ``db`` read anew from the disk: in exclusive mode it believes what it has read once."""
    db.execute("PRAGMA shrink_memory")
