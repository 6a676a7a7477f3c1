"""Read a database file that others may be using, and leave no trace beside it or in it.

Python itself never opens a file here that this process may be using through SQLite: closing it
would drop every lock that SQLite holds on it (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.private import muted, safe_message
from pytest_bbmigrate.sqlite_files.failures import primary_code
from pytest_bbmigrate.sqlite_files.held_file import descriptors
from pytest_bbmigrate.sqlite_files.images import (
    LOCK_SECONDS,
    call_hook,
    configure_connection,
    uri_of,
)
from pytest_bbmigrate.sqlite_files.notes import note_folder, note_for
from pytest_bbmigrate.sqlite_files.sidecars import (
    JOURNAL,
    PARTS,
    WAL,
    WAL_INDEX,
    WITH_CONTENT,
    beside,
)
from pytest_bbmigrate.sqlite_files.soundness import describe_damage, describe_non_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_bbmigrate.sqlite_files.images import Hook

T = TypeVar("T")
SidecarStates = tuple[tuple[int, int, int] | None, ...]

ATTEMPTS = 5  # reads of a file that somebody writes each time, before giving up
ADVICE = {
    sqlite3.SQLITE_BUSY: "wait until the program that is writing to it is done, or stop it",
    sqlite3.SQLITE_CANTOPEN: "see that you may read it and the folder it is in",
    sqlite3.SQLITE_IOERR: "see whether its disk is sound and still there",
    sqlite3.SQLITE_READONLY: "open it once with a program that may write to it",
}


class WrittenMeanwhile(DatabaseError):
    """Raised when another program wrote to a file while it was read as one that nobody uses."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another program wrote to it while it was read; try again")


class OpenMode(Enum):
    """How a file must be opened so that reading it changes nothing."""

    SHARED = "mode=ro"  # beside the others that use it, under SQLite's locks
    CLOSED = "mode=ro&immutable=1"  # in WAL mode without a WAL: nobody uses it
    RECOVERED = "mode=rw"  # as a copy: what the last writer left is to be taken in or back first


def read_database(
    path: Path,
    read: Callable[[sqlite3.Connection], T],
    hook: Hook | None = None,
    scratch: Path | None = None,
) -> T:
    """Return what ``read`` makes of a read-only connection to the database file ``path``.

    It is called again where another program wrote meanwhile; otherwise as ``reading``.

    Raises: DatabaseError as ``reading`` does, and whatever ``read`` raises.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            with reading(path, hook, scratch) as db:
                return read(db)
        except WrittenMeanwhile:
            continue
    with reading(path, hook, scratch) as db:
        return read(db)


@contextmanager
def reading(
    path: Path, hook: Hook | None = None, scratch: Path | None = None
) -> Iterator[sqlite3.Connection]:
    """Give a read-only connection to one state of the database file ``path``.

    Content that is only in the WAL is part of it, an unfinished write is not. Nothing is created
    beside the file. What a crashed writer left is taken in, or back, on a copy in ``scratch``
    (the folder for temporary files by default), which is gone afterwards. The app's ``hook`` is
    called with the connection.

    Raises: DatabaseError when there is no such file, it is no database, damaged, locked by a writer
        for longer than LOCK_SECONDS, or cannot be read; WrittenMeanwhile, a DatabaseError, at the
        end of the block when what was read may be no one state.
    """
    with reading_one_state(path, hook, scratch) as (db, _):
        yield db


@contextmanager
def reading_one_state(
    path: Path, hook: Hook | None = None, scratch: Path | None = None
) -> Iterator[tuple[sqlite3.Connection, Callable[[], None]]]:
    """Give what ``reading`` does, and what to call to make sure that it was one state so far.

    That raises WrittenMeanwhile when it may not have been. A file that was removed, and not written
    to, is one.

    Raises: DatabaseError as ``reading`` does.
    """
    real = existing_file(path)
    try:
        way = open_mode_of(real)
        if way is OpenMode.SHARED:
            with read_transaction(real, way, hook) as db:
                yield db, lambda: None
        elif way is OpenMode.CLOSED:
            with (
                unchanged_meanwhile(path, real) as refuse_written,
                read_transaction(real, way, hook) as db,
            ):
                yield db, refuse_written
        else:
            with (
                recovered_copy(path, real, scratch) as copy,
                read_transaction(copy, way, hook) as db,
            ):
                yield db, lambda: None
    except sqlite3.Error as error:
        raise explain_error(path, error) from error


def existing_file(path: Path) -> Path:
    """Return the absolute path of the database file ``path``, symbolic links resolved.

    Raises: DatabaseError when there is none, or it is something else than a file.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatabaseError(
            path, "no such database file; give the path of one that is there"
        ) from error
    except OSError as error:
        raise DatabaseError(
            path, f"cannot be looked at ({error.strerror}); see that you may read its folder"
        ) from error
    if not stat.S_ISREG(mode):
        raise DatabaseError(
            path, f"not a database file but {file_kind(mode)}; give the path of one"
        )
    return Path(os.path.realpath(path))


def file_kind(mode: int) -> str:
    """Return what a file of this mode is, other than an ordinary one."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def open_mode_of(real: Path) -> OpenMode:
    """Return how ``real``, a path without symbolic links, must be opened to change nothing.

    An ordinary reader makes the WAL and its index where they are missing, and leaves them there
    (https://sqlite.org/wal.html#read_only_databases).

    Raises: sqlite3.Error when it cannot be opened at all.
    """
    wal = size_of(beside(real, WAL))
    if not size_of(real) and (wal is not None or size_of(beside(real, JOURNAL)) is not None):
        return OpenMode.RECOVERED  # SQLite takes a journal beside an empty file away
    if wal is not None:
        if size_of(beside(real, WAL_INDEX)) is not None:
            return OpenMode.SHARED
        return OpenMode.RECOVERED if wal else OpenMode.CLOSED
    # Without locks SQLite opens no file in WAL mode (https://sqlite.org/uri.html#urinolock), which
    # tells the mode and makes nothing. It also tells of a journal that is to be rolled back.
    with closing(sqlite3.connect(uri_of(real, "mode=ro&nolock=1"), uri=True)) as db:
        try:
            db.execute("PRAGMA schema_version").fetchone()
        except sqlite3.Error as error:
            if primary_code(error) == sqlite3.SQLITE_CANTOPEN:
                return OpenMode.CLOSED
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
                return OpenMode.RECOVERED
    return OpenMode.SHARED  # which says what is wrong with it, if anything is


@contextmanager
def read_transaction(file: Path, way: OpenMode, hook: Hook | None) -> Iterator[sqlite3.Connection]:
    """Give a connection to ``file``, in a read transaction."""
    uri = uri_of(file, way.value)
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=LOCK_SECONDS)) as db:
        call_hook(hook, db)
        configure_connection(db).execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        with muted() if hook else nullcontext():  # its functions may be called with values
            yield db


@contextmanager
def unchanged_meanwhile(path: Path, real: Path) -> Iterator[Callable[[], None]]:
    """Run the block, then make sure that nobody has begun to use the file ``real``.

    The block is given what to call to make sure of that before its end.

    Raises: WrittenMeanwhile.
    """
    before = sidecar_states(real)

    def refuse_written() -> None:
        if not is_unchanged(real, before):
            raise WrittenMeanwhile(path)

    try:
        yield refuse_written
    except WrittenMeanwhile:
        raise
    except (sqlite3.Error, DatabaseError) as error:
        if sidecar_states(real) != before:
            raise WrittenMeanwhile(path) from error
        raise
    if sidecar_states(real) != before:
        raise WrittenMeanwhile(path)


def is_unchanged(real: Path, before: SidecarStates) -> bool:
    """Return whether the file that was ``real``, which this process has open, is as it was then.

    Whatever its name leads to now: it is not looked at by that where it has none any more.
    """
    now = sidecar_states(real)
    if now[0] is not None and before[0] is not None and now[0][0] == before[0][0]:
        return now == before
    for descriptor in descriptors():
        with suppress(OSError):
            status = os.fstat(descriptor)
            if (status.st_ino, status.st_size, status.st_mtime_ns) == before[0]:
                return True
    return False


@contextmanager
def recovered_copy(path: Path, real: Path, scratch: Path | None) -> Iterator[Path]:
    """Give a copy of ``real`` with the journal or WAL beside it, for SQLite to recover.

    Nobody can be using a file that is in need of that, so closing it drops no lock.

    Raises: DatabaseError when it cannot be copied; WrittenMeanwhile.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix=f".{real.name}.bbmigrate-", dir=scratch)
            )
            note_folder(Path(folder), note_for(real))
            before = sidecar_states(real)
            copy = copy_with_sidecars(real, Path(folder))
        except OSError as error:
            raise DatabaseError(
                path,
                "the last program that wrote to it did not come to its end, and the copy to read "
                f"cannot be made ({error}); open it once with a program that may write to it",
            ) from error
        if sidecar_states(real) != before:
            raise WrittenMeanwhile(path)
        yield copy


def copy_with_sidecars(real: Path, folder: Path) -> Path:
    """Copy ``real`` and what its last writer left beside it into ``folder``; return its copy.

    Raises: OSError.
    """
    copy = folder / real.name
    for suffix in PARTS:
        if size_of(beside(real, suffix)) is not None:
            shutil.copyfile(beside(real, suffix), beside(copy, suffix))
    return copy


def size_of(path: Path) -> int | None:
    """Return a file's size in bytes, None when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def stale_sidecars(real: Path) -> tuple[Path, ...]:
    """Return the journal and WAL that hold something, beside a file that holds nothing or is gone.

    SQLite removes them as soon as the file is opened, for they belong to pages that are not there.
    What was committed last may be in them alone.
    """
    if size_of(real):
        return ()
    return tuple(beside(real, suffix) for suffix in WITH_CONTENT if size_of(beside(real, suffix)))


def sidecar_states(real: Path) -> SidecarStates:
    """Return what tells whether a database file, its journal or its WAL was written."""
    found: list[tuple[int, int, int] | None] = []
    for suffix in PARTS:
        try:
            state = beside(real, suffix).stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def explain_error(path: Path, error: sqlite3.Error) -> DatabaseError:
    """Return ``error`` as what is wrong with the file ``path``, and the way out."""
    code = primary_code(error)
    if code == sqlite3.SQLITE_NOTADB:
        advice = describe_non_database(path)
    elif code == sqlite3.SQLITE_CORRUPT:
        advice = describe_damage(path)
    else:
        advice = ADVICE.get(code, "see that it is the file you mean")
    return DatabaseError(
        path, f"cannot be read as an SQLite database ({safe_message(error)}); {advice}"
    )
