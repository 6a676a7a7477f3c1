"""Read a database file that others may be using, without changing anything in or beside it.

Here Python itself never opens a file that this process may have open through SQLite: closing it
would drop every lock that SQLite has on it (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
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
from pytest_bbmigrate.sqlite_files.ordinary_file import existing_file
from pytest_bbmigrate.sqlite_files.sidecars import (
    JOURNAL,
    PARTS,
    WAL,
    WAL_INDEX,
    SidecarStates,
    beside,
    sidecar_states,
    size_of,
)
from pytest_bbmigrate.sqlite_files.soundness import describe_damage, describe_non_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_bbmigrate.sqlite_files.images import Hook

T = TypeVar("T")

ATTEMPTS = 5  # to read a file that somebody writes to every time
ADVICE = {
    sqlite3.SQLITE_BUSY: "wait until the program that is writing to it is done, or stop it",
    sqlite3.SQLITE_CANTOPEN: "see that you may read it and the folder it is in",
    sqlite3.SQLITE_IOERR: "see whether its disk is sound and still there",
    sqlite3.SQLITE_READONLY: "open it once with a program that may write to it",
}


class WrittenMeanwhile(DatabaseError):
    """Raised when another program wrote to a file that was read without locks."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another program wrote to it while it was read; try again")


class OpenMode(Enum):
    """How a file must be opened so that reading it changes nothing."""

    SHARED = "mode=ro"  # under SQLite's locks, while others may use it
    CLOSED = "mode=ro&immutable=1"  # in WAL mode without a WAL: nobody has it open
    RECOVERED = "mode=rw"  # as a copy: SQLite must first finish or undo what a crash has left


def read_database(
    path: Path,
    read: Callable[[sqlite3.Connection], T],
    hook: Hook | None = None,
    scratch: Path | None = None,
) -> T:
    """Return the result of ``read``, called with a read-only connection to the file ``path``.

    It is called again if another program wrote meanwhile. For the rest see ``reading``.

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
    """Yield a read-only connection to the database file ``path`` at one moment.

    Content that is only in the WAL is part of it, an unfinished write is not. Nothing is created
    beside the file. After a crash of its last writer, a copy in ``scratch`` (by default the folder
    for temporary files) is recovered and read, and deleted afterwards. The app's ``hook`` is called
    with the connection.

    Raises: DatabaseError when there is no such file, it is no database, damaged, locked by a writer
        for longer than LOCK_SECONDS, or cannot be read; WrittenMeanwhile, a DatabaseError, at the
        end of the block when what was read may mix several moments.
    """
    with reading_one_state(path, hook, scratch) as (db, _):
        yield db


@contextmanager
def reading_one_state(
    path: Path, hook: Hook | None = None, scratch: Path | None = None
) -> Iterator[tuple[sqlite3.Connection, Callable[[], None]]]:
    """Yield the connection of ``reading``, and a function that checks what was read so far.

    The function raises WrittenMeanwhile when that may mix several moments. A file that was removed,
    but not written to, is no such case.

    Raises: DatabaseError as ``reading`` does.
    """
    real = existing_file(path)
    try:
        mode = open_mode_of(real)
        if mode is OpenMode.SHARED:
            with read_transaction(real, mode, hook) as db:
                yield db, lambda: None
        elif mode is OpenMode.CLOSED:
            with (
                unchanged_meanwhile(path, real) as refuse_written,
                read_transaction(real, mode, hook) as db,
            ):
                yield db, refuse_written
        else:
            with (
                recovered_copy(path, real, scratch) as copy,
                read_transaction(copy, mode, hook) as db,
            ):
                yield db, lambda: None
    except sqlite3.Error as error:
        raise explain_error(path, error) from error


def open_mode_of(real: Path) -> OpenMode:
    """Return how ``real``, a path without symbolic links, must be opened to change nothing.

    An ordinary reader creates the WAL and its index if they are missing, and leaves them there
    (https://sqlite.org/wal.html#read_only_databases).

    Raises: sqlite3.Error when it cannot be opened at all.
    """
    wal = size_of(beside(real, WAL))
    if not size_of(real) and (wal is not None or size_of(beside(real, JOURNAL)) is not None):
        return OpenMode.RECOVERED  # SQLite would delete a journal beside an empty file
    if wal is not None:
        if size_of(beside(real, WAL_INDEX)) is not None:
            return OpenMode.SHARED
        return OpenMode.RECOVERED if wal else OpenMode.CLOSED
    # Without locks SQLite refuses a file in WAL mode (https://sqlite.org/uri.html#urinolock): this
    # shows the mode, and creates nothing. It also shows a journal that must be rolled back.
    with closing(sqlite3.connect(uri_of(real, "mode=ro&nolock=1"), uri=True)) as db:
        try:
            db.execute("PRAGMA schema_version").fetchone()
        except sqlite3.Error as error:
            if primary_code(error) == sqlite3.SQLITE_CANTOPEN:
                return OpenMode.CLOSED
            if error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
                return OpenMode.RECOVERED
    return OpenMode.SHARED  # opening it will show what is wrong, if anything is


@contextmanager
def read_transaction(file: Path, mode: OpenMode, hook: Hook | None) -> Iterator[sqlite3.Connection]:
    """Yield a connection to ``file``, in a read transaction."""
    uri = uri_of(file, mode.value)
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=LOCK_SECONDS)) as db:
        call_hook(hook, db)
        configure_connection(db).execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        with muted() if hook else nullcontext():  # its functions may be called with values
            yield db


@contextmanager
def unchanged_meanwhile(path: Path, real: Path) -> Iterator[Callable[[], None]]:
    """Run the block, then check that nobody has written to the file ``real`` meanwhile.

    Yield a function by which the block can check that before its end.

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
    """Return whether the file that was ``real``, which this process has open, is unchanged.

    If the name leads to another file now, or none, the open file is looked up by its descriptor.
    """
    after = sidecar_states(real)
    if after[0] is not None and before[0] is not None and after[0][0] == before[0][0]:
        return after == before
    for descriptor in descriptors():
        with suppress(OSError):
            status = os.fstat(descriptor)
            if (status.st_ino, status.st_size, status.st_mtime_ns) == before[0]:
                return True
    return False


@contextmanager
def recovered_copy(path: Path, real: Path, scratch: Path | None) -> Iterator[Path]:
    """Yield a copy of ``real`` with its journal or WAL, which SQLite recovers when it opens it.

    Nobody has a file open that needs recovery, so closing it here drops no lock.

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
    """Copy ``real`` with its journal and WAL into ``folder``; return the path of the copy.

    Raises: OSError.
    """
    copy = folder / real.name
    for suffix in PARTS:
        if size_of(beside(real, suffix)) is not None:
            shutil.copyfile(beside(real, suffix), beside(copy, suffix))
    return copy


def explain_error(path: Path, error: sqlite3.Error) -> DatabaseError:
    """Return an error on what is wrong with the file ``path``, and what to do."""
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
