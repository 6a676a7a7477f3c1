"""Back up a database through the connection that holds its lock, and prove the copy equal."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.compare_files import same_pages, same_pages_in_fork
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.held_file import forget_pages
from pytest_bbmigrate.sqlite_files.images import HEADER_SIZE
from pytest_bbmigrate.sqlite_files.locking import journal_mode
from pytest_bbmigrate.sqlite_files.sidecars import JOURNAL, WAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

STEP_BYTES = 8 * 1024 * 1024  # copied in one step; after each, ``Pace`` looks at the clock


class Pace:
    """What ``backup()`` calls after each step: reports progress, and ends an endless wait.

    backup() by itself retries for ever while either side is locked; here that ends after
    ``deadline`` seconds. ``tell`` gets the fraction that is done (0 to 1) and may raise: the copy
    is then rolled back. It is not called after the last step, when nothing can be rolled back.
    """

    def __init__(self, deadline: float, tell: Callable[[float], None] = lambda _: None) -> None:
        self.deadline = deadline
        self.tell = tell
        self.waits_since: float | None = None

    def __call__(self, status: int, remaining: int, total: int) -> None:
        """Take the result code of the last step, and how many pages are left of how many.

        Raises: sqlite3.OperationalError after ``deadline`` seconds of waiting for a lock.
        """
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            now = time.monotonic()
            self.waits_since = now if self.waits_since is None else self.waits_since
            if now - self.waits_since > self.deadline:
                raise sqlite3.OperationalError("the copy is locked by another program")
            return
        self.waits_since = None
        if status == sqlite3.SQLITE_OK:
            self.tell(1 - remaining / total if total else 0.0)


def backup_path(database: Path, folder: Path, now: datetime) -> Path:
    """Return a free name in ``folder`` for a backup of ``database`` made at ``now``."""
    return _free_name(database, folder, "backup", now)


def failed_path(database: Path, folder: Path, now: datetime) -> Path:
    """Return a free name in ``folder`` for content that did not verify, which is kept."""
    return _free_name(database, folder, "failed", now)


def note_beside(backup: Path) -> Path:
    """Return the path of the note on a backup: a hidden file, so that ``*.backup.*`` omits it."""
    return backup.with_name(f".{backup.name}.json")


def back_up(
    db: sqlite3.Connection,
    target: Path,
    like: Path | int | os.stat_result,
    pace: Pace,
    *,
    mask: int = 0o7777,
    staging: Path | None = None,
    rereads: bool = False,
    when_complete: Callable[[Path], object] = lambda _: None,
    when_unequal: Callable[[Path], object] = lambda _: None,
) -> str:
    """Copy ``db`` into the new file ``target``, and prove the copy equal.

    Return a sentence about an owner or mode that could not be given to it, else ''.

    Until the copy is complete and proved, it is called ``target`` + '.partial', is in the folder
    ``staging`` on the same disk (beside ``target`` by default) and readable by this user only. Then
    ``when_complete`` is called with it, or ``when_unequal`` if it is not equal; both may raise.

    The copy gets the owner of the file ``like`` (a path, or a descriptor or the status of a file
    that may be gone), and of its mode what ``mask`` leaves. It is in rollback mode whatever ``db``
    is in, so that it is one file that any program can read. It is on the disk, with its name, when
    this returns.

    With ``rereads`` the copy is compared with what is on the disk, not with pages that ``db`` has
    read before: where others may write, that finds a copy that mixes two moments. Without, ``db``
    holds the lock. A copy that is what is on the disk is then what ``db`` reads. One that is not is
    compared with what ``db`` reads: if somebody has garbled the file, the pages that it has read
    already are what repairs it.

    Raises: DatabaseError when there is a file of that name, or the copy is not equal; sqlite3.Error
        or OSError when it cannot be written. Nothing is left then.
    """
    refuse_taken(target)
    partial = (staging or target.parent) / f"{target.name}.partial"
    second_copy(partial).unlink(missing_ok=True)  # left by a process that was killed
    with ExitStack() as stack:
        copy_out(db, partial, pace, stack)
        with partial.open("r+b") as file:
            mark_rollback_mode(file.fileno())
            flush(file.fileno())
            if rereads:
                forget_pages(db)
            is_equal = not rereads and is_on_disk(db, partial, pace)
            if not is_equal and not matches_file(db, partial, pace):
                when_unequal(partial)
                raise DatabaseError(target, "the copy is not what was copied; is the disk damaged?")
            if not isinstance(like, os.stat_result):
                like = os.stat(like)  # noqa: PTH116 - or a descriptor
            note = give_owner_and_mode(file.fileno(), like, target, mask)
            flush(file.fileno())
        refuse_taken(target)
        when_complete(partial)
        partial.rename(target)
    sync(target.parent)
    return note


def matches_file(db: sqlite3.Connection, file: Path, pace: Pace) -> bool:
    """Return whether ``db`` has the content of the closed database ``file``, page for page.

    The locked database may be read through ``db`` only: it is copied once more, without waiting
    for the disk, into a file beside ``file`` that is removed afterwards. The two files are compared
    byte by byte, except for the bytes that SQLite writes differently in each copy. This is exact
    for rows, schema, sequences and whatever else pages hold, in constant memory, and costs a
    quarter of comparing rows.

    Raises: sqlite3.Error or OSError when the copy cannot be made.
    """
    scratch = second_copy(file)
    with ExitStack() as stack:
        copy_out(db, scratch, Pace(pace.deadline, lambda _: pace.tell(1.0)), stack)
        return same_pages(scratch, file)


def second_copy(file: Path) -> Path:
    """Return the path of the copy that ``file`` is compared with; the name is ours alone."""
    return file.with_name(f"{file.name}.compared")


def is_on_disk(db: sqlite3.Connection, file: Path, pace: Pace) -> bool:
    """Return whether the file of ``db``, which holds the lock, is the closed ``file``, by pages.

    False where that cannot be told: where ``db`` has content in a WAL, too. Before, ``pace`` is
    told, which may raise.
    """
    pace.tell(1.0)
    path = path_of_main(db)
    if has_wal(db, path):
        return False
    try:
        return same_pages_in_fork(path, file)
    except (DatabaseError, OSError):
        return False


def matches_file_in_place(db: sqlite3.Connection, file: Path, pace: Pace) -> bool:
    """Return what ``matches_file`` does, but compare the files directly, without a copy.

    Only where ``db``, which holds the lock, has content in a WAL is there a copy, as in
    ``matches_file``. What is compared is on the disk: pages that ``db`` has read before are read
    again.

    Raises: DatabaseError, sqlite3.Error or OSError when they cannot be compared.
    """
    path = path_of_main(db)
    if has_wal(db, path):
        forget_pages(db)
        return matches_file(db, file, pace)
    return same_pages_in_fork(path, file)


def path_of_main(db: sqlite3.Connection) -> Path:
    """Return the path of the file that ``db`` is a connection to."""
    (path,) = [path for _, name, path in db.execute("PRAGMA database_list") if name == "main"]
    return Path(path)


def has_wal(db: sqlite3.Connection, path: Path) -> bool:
    """Return whether ``db``, whose file is ``path``, has content that is in its WAL alone."""
    wal = Path(f"{path}-wal")
    return journal_mode(db) == "wal" and wal.exists() and wal.stat().st_size > 0


def copy_out(db: sqlite3.Connection, target: Path, pace: Pace, stack: ExitStack) -> None:
    """Copy ``db`` into the new file ``target``, mode 0600, which is removed when ``stack`` closes.

    It is written without journal or sync: a copy that was cut short is thrown away anyway.
    """
    target.unlink(missing_ok=True)  # left by a process that was killed: the name is ours alone
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    stack.callback(target.unlink, missing_ok=True)
    with closing(sqlite3.connect(target, isolation_level=None, timeout=pace.deadline)) as copy:
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        copy_pages(db, copy, pace)


def copy_pages(source: sqlite3.Connection, target: sqlite3.Connection, pace: Pace) -> None:
    """Make the content of ``target`` that of ``source``, in one transaction of ``target``.

    Raises: sqlite3.Error, or what ``pace`` raises; ``target`` is rolled back then.
    """
    size = int(source.execute("PRAGMA page_size").fetchone()[0])
    source.backup(target, pages=max(1, STEP_BYTES // size), progress=pace, sleep=0.05)


def mark_rollback_mode(file: int) -> None:
    """Mark the closed database in ``file`` as not in WAL mode: header bytes 18 and 19."""
    if os.fstat(file).st_size >= HEADER_SIZE:
        os.pwrite(file, b"\x01\x01", 18)


def give_owner_and_mode(file: int, like: os.stat_result, name: Path, mask: int = 0o7777) -> str:
    """Give ``file`` the owner, group and mode of ``like``.

    Return a sentence about what could not be done, with the ``name`` of the file, else ''.
    """
    mode = S_IMODE(like.st_mode) & mask
    own = os.fstat(file)
    note = ""
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.chown(file, like.st_uid, like.st_gid)
        except PermissionError:
            mode &= 0o700  # its rights for the group were meant for another group
            note = (
                f"{name.name} belongs to this user, who may not give it to the owner of the "
                f"database (user {like.st_uid}, group {like.st_gid}): nobody else can read it"
            )
    os.fchmod(file, mode)
    return note


def refuse_taken(target: Path) -> None:
    """Raise DatabaseError when the name ``target`` is taken."""
    if os.path.lexists(target):
        raise DatabaseError(target, "is there already, and nothing is overwritten; run again")


def _free_name(database: Path, folder: Path, kind: str, now: datetime) -> Path:
    first = path = folder / f"{database.name}.{kind}.{now:%Y%m%d_%H%M%S}"
    number = 1
    while any(map(os.path.lexists, _reserved_names(path))):
        number += 1
        path = first.with_name(f"{first.name}_{number}")
    return path


def _reserved_names(path: Path) -> tuple[str, ...]:
    """Return the names that must all be free if a new backup is to be called ``path``.

    SQLite would take a WAL or a journal of that name to be the new file's.
    """
    suffixes = ("", ".partial", WAL, JOURNAL)
    return (*(f"{path}{suffix}" for suffix in suffixes), str(note_beside(path)))
