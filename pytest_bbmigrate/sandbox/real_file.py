"""What the real database looks like from outside, before and after somebody's code has run.

The kernel keeps its content from being written, but not its mode, its times and its other
attributes. These are put back. SQLite's own counters tell whether another program has used the
database meanwhile, as it may: then a time that has changed is no fault of the code's.

Closing a database file drops the locks that its process has on it, so this is for a process that
has none (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files.images import HEADER_STRING
from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS, WAL, WITH_CONTENT, beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_ONLY = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
NO_TRACE = getattr(os, "O_NOATIME", 0)  # Linux has it, for one's own files
HEADER_BYTES = 32
COUNTER = slice(24, 28)  # https://sqlite.org/fileformat2.html#file_change_counter
WRITE_VERSION = 18
WAL_VERSION = 2
PAST_SQLITE = "SQLite's change counter in it is what it was"


@dataclass(frozen=True)
class Attributes:
    """What ``stat`` says of a file or folder, times in nanoseconds, and its extended attributes."""

    inode: tuple[int, int]
    mode: int
    owner: tuple[int, int]
    size: int
    accessed: int
    modified: int
    changed: int
    extended: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class RealFile:
    """A database, the files beside it and its folder, each None where it is missing.

    ``header`` and ``wal_header`` are their first bytes, b"" where they cannot be read.
    """

    database: Path
    attributes: tuple[tuple[Path, Attributes | None], ...]
    header: bytes
    wal_header: bytes

    def of(self, path: Path) -> Attributes | None:
        """Return the attributes of one of the files."""
        return dict(self.attributes)[path]

    @property
    def counter(self) -> int:
        """How often SQLite has changed the file, as it counts that itself."""
        return int.from_bytes(self.header[COUNTER], "big")

    @property
    def has_wal(self) -> bool:
        """Whether it is in WAL mode, in which the counter need not change with the content."""
        return self.header[WRITE_VERSION : WRITE_VERSION + 1] == bytes([WAL_VERSION])


@dataclass(frozen=True)
class Meanwhile:
    """What has happened to a real database while somebody's code ran.

    ``changed`` are the attributes that were changed and put back, in words. ``written`` says how
    the file was written, '' if it was not, or by a program that uses it as it may.
    """

    changed: tuple[str, ...] = ()
    written: str = ""


def look_at(database: Path) -> RealFile:
    """Return what ``database`` looks like."""
    paths = (database, *(beside(database, suffix) for suffix in SIDECARS), database.parent)
    return RealFile(
        database,
        tuple((path, attributes_of(path)) for path in paths),
        first_bytes(database),
        first_bytes(beside(database, WAL)),
    )


def attributes_of(path: Path) -> Attributes | None:
    """Return the attributes of ``path``; None where it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Attributes(
        (status.st_dev, status.st_ino),
        status.st_mode,
        (status.st_uid, status.st_gid),
        status.st_size,
        status.st_atime_ns,
        status.st_mtime_ns,
        status.st_ctime_ns,
        tuple(extended_of(path)),
    )


def extended_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the extended attributes of ``path``, where there are such and they can be read."""
    if sys.platform == "linux":
        with suppress(OSError):
            for name in sorted(os.listxattr(path)):
                with suppress(OSError):
                    yield name, os.getxattr(path, name)


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file; b"" where it cannot be read."""
    for flags in (READ_ONLY | NO_TRACE, READ_ONLY):
        with suppress(OSError):
            descriptor = os.open(path, flags)
            try:
                return os.read(descriptor, HEADER_BYTES)
            finally:
                os.close(descriptor)
    return b""


def put_back(before: RealFile, *, held: bool) -> Meanwhile:
    """Put back the attributes that somebody's code has changed; return what has happened.

    ``held`` says whether the kernel has kept that from content, names and links: what SQLite says
    was written, another program has written then, and the file was not touched but for its times.
    """
    after = look_at(before.database)
    used = is_used(before, after)
    written = how_written(before, after, used=used)
    touched = held and written == PAST_SQLITE and same_size(before, after)
    changed: list[str] = []
    for path, was in before.attributes:
        now = after.of(path)
        if was is None or now is None or was.inode != now.inode:
            continue
        kinds = [*restored(path, was, now)]
        if (path == before.database and touched) or is_set_by_hand(was, now, used=used):
            os.utime(path, ns=(was.accessed, was.modified))
            kinds.append("times")
        if kinds:
            changed.append(f"{' and '.join(kinds)} of {path}")
    if touched or (held and written != PAST_SQLITE):
        written = ""
    return Meanwhile(tuple(changed), written)


def is_used(before: RealFile, after: RealFile) -> bool:
    """Return whether SQLite's own files say that a program has used the database meanwhile."""
    is_database = after.header.startswith(HEADER_STRING)
    return (
        (is_database and before.header[COUNTER] != after.header[COUNTER])
        or before.wal_header != after.wal_header
        or any(
            is_rewritten(before.of(path), after.of(path))
            for path in (beside(before.database, suffix) for suffix in WITH_CONTENT)
        )
    )


def is_rewritten(was: Attributes | None, now: Attributes | None) -> bool:
    """Return whether a file has come, gone or got another content, as far as ``stat`` tells."""
    if was is None or now is None:
        return was is not now
    is_written_now = was.modified != now.modified and now.modified == now.changed
    return was.inode != now.inode or was.size != now.size or is_written_now


def how_written(before: RealFile, after: RealFile, *, used: bool) -> str:
    """Return how the database file was written meanwhile; '' if it was not."""
    was, now = before.of(before.database), after.of(before.database)
    if now is None:
        return "" if was is None else "it is gone"
    if was is None or was.inode != now.inode:
        return "another file is in its place"
    if used and before.counter != after.counter:
        return f"SQLite's change counter in it went from {before.counter} to {after.counter}"
    if used:
        return "its journal or WAL has changed"
    if is_rewritten(was, now) and not (before.has_wal and after.has_wal):
        return PAST_SQLITE
    return ""


def same_size(before: RealFile, after: RealFile) -> bool:
    """Return whether the database file is as long as it was."""
    was, now = before.of(before.database), after.of(before.database)
    return was is not None and now is not None and was.size == now.size


def restored(path: Path, was: Attributes, now: Attributes) -> Iterator[str]:
    """Put back the mode, the owner and the extended attributes of ``path``; yield which."""
    if was.owner != now.owner:
        with suppress(OSError):
            os.chown(path, *was.owner)
        yield "owner"
    if was.extended != now.extended:
        put_extended_back(path, dict(was.extended), dict(now.extended))
        yield "extended attributes"
    if was.mode != now.mode:
        path.chmod(was.mode & 0o7777)
        yield "mode"


def put_extended_back(path: Path, was: dict[str, bytes], now: dict[str, bytes]) -> None:
    """Give ``path`` the extended attributes that it had."""
    if sys.platform != "linux":
        return
    for name in now.keys() - was.keys():
        with suppress(OSError):
            os.removexattr(path, name)
    for name, value in was.items():
        if now.get(name) != value:
            with suppress(OSError):
                os.setxattr(path, name, value)


def is_set_by_hand(was: Attributes, now: Attributes, *, used: bool) -> bool:
    """Return whether the time of change of a file was set; writing sets both times to one value."""
    return (
        was.modified != now.modified
        and now.modified != now.changed
        and was.size == now.size
        and not used
    )
