"""Keep a migration away from the real database file, and notice if it was written all the same."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote, urlsplit

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sandbox.files import PROGRAMS
from pytest_bbmigrate.sandbox.paths import is_same, resolved
from pytest_bbmigrate.sqlite_files.sidecars import PARTS, SIDECARS, beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Part

CHANGES_A_FILE = frozenset(
    {"os.remove", "os.rename", "os.link", "os.truncate", "os.chmod", "os.chown", "os.utime"}
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """The database that the audit hook of this process guards; None while it guards nothing.

    ``programs`` says whether other programs may be started, which the kernel holds in.
    """

    real: Path | None = None
    programs = False


@contextmanager
def assert_unwritten(real: Path, part: Part) -> Iterator[None]:
    """Run the block, then check that the database file ``real`` was not written meanwhile.

    Raises: DatabaseError when it was.
    """
    before = file_states(real)
    yield
    if file_states(real) != before:
        raise DatabaseError(
            real,
            f"was written while {part.path.name} ran on a copy of it; either the migration "
            "found a way around its guard, or another program has the database open: "
            "compare it with your backup, and stop the app before the next run",
        )


@contextmanager
def guarded_files(real: Path, *, programs: bool = False) -> Iterator[None]:
    """In the block, refuse to open database files and to write to ``real``.

    Unless ``programs`` may be started, refuse that as well. The audit hook sees what Python code in
    this process does (https://peps.python.org/pep-0578/). It cannot be removed again, so there is
    one, which does nothing outside such a block.
    """
    install_audit_hook()
    earlier = Watch.real, Watch.programs
    Watch.real, Watch.programs = real, programs
    try:
        yield
    finally:
        Watch.real, Watch.programs = earlier


@contextmanager
def refused_exit() -> Iterator[None]:
    """In the block, have ``os._exit`` raise SystemExit: the session would end, and look passed."""
    original_exit, os._exit = os._exit, refuse_exit
    try:
        yield
    finally:
        os._exit = original_exit


def refuse_exit(status: int) -> NoReturn:
    """Raise SystemExit."""
    raise SystemExit(f"os._exit({status}) was called")


@cache
def install_audit_hook() -> None:
    """Add the audit hook, once in a process."""
    sys.addaudithook(audit)


def audit(event: str, args: tuple[Any, ...]) -> None:
    """Refuse an audit event that a migration must not cause.

    Raises: sqlite3.OperationalError for opening a database file; PermissionError for writing to the
        real one, and for starting a program, in which no audit hook of ours would run.
    """
    real = Watch.real
    if real is None:
        return
    if event == "sqlite3.connect":
        refuse_database(os.fsdecode(args[0]))
    elif event == "open" and is_written(args):
        refuse_write(args[0], real)
    elif event in PROGRAMS and not Watch.programs:
        raise PermissionError(
            "starting another program is refused: it could reach the real database; a migration "
            "works on the db it is given"
        )
    elif event in CHANGES_A_FILE:
        for path in args[:2]:
            refuse_write(path, real)


def refuse_database(name: str) -> None:
    """Raise sqlite3.OperationalError unless ``name`` is a database in memory."""
    path = unquote(urlsplit(name).path) if name.startswith("file:") else name
    if path in {"", ":memory:"} or "mode=memory" in urlsplit(name).query:
        return
    raise sqlite3.OperationalError(
        f"opening the database {Path(path).absolute()} is refused: a migration works on the db it "
        "is given; a program that opens the database by itself has def migrate(): and no up(db)"
    )


def is_written(args: tuple[Any, ...]) -> bool:
    """Return whether the arguments of an ``open`` event ask for writing."""
    mode, flags = args[1], args[2]
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & WRITES)


def refuse_write(path: object, real: Path) -> None:
    """Raise PermissionError when ``path`` is the database file ``real`` or a sidecar of it."""
    if not isinstance(path, str | bytes | os.PathLike):
        return
    target = resolved(os.fsdecode(path))
    if any(is_same(target, beside(real, suffix)) for suffix in ("", *SIDECARS)):
        raise PermissionError(f"writing to {target} is refused: a migration works on a copy of it")


def file_states(path: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Return the states of a database file, its journal and its WAL."""
    return tuple(file_state(f"{path}{suffix}") for suffix in PARTS)


def file_state(path: str) -> tuple[int, int, int] | None:
    """Return a file's inode, size and time of change in nanoseconds; None when it is missing."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path with a suffix added
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
