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
from pytest_bbmigrate.sqlite_files.compare_files import REWRITTEN, same_pages, same_pages_apart
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.held_file import forget_pages
from pytest_bbmigrate.sqlite_files.locking import journal_mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

STEP_BYTES = 8 * 1024 * 1024  # what is copied between two looks at the clock


class Pace:
    """What ``backup()`` calls after each step: tells how far it is, and ends an endless wait.

    backup() tries again for ever while either side is locked. ``tell`` gets the part that is done,
    of 1, and may raise: the copy is then rolled back. It is not called for the last step, after
    which nothing can be.
    """

    def __init__(self, deadline: float, tell: Callable[[float], None] = lambda _: None) -> None:
        self.deadline = deadline
        self.tell = tell
        self.waits_since: float | None = None

    def __call__(self, status: int, remaining: int, total: int) -> None:
        """Look at how the step before went (an SQLite result code) and what pages are left."""
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
    """Return where in ``folder`` a backup of ``database`` made at ``now`` goes: a free name."""
    return _free_name(database, folder, "backup", now)


def failed_path(database: Path, folder: Path, now: datetime) -> Path:
    """Return where in ``folder`` content that did not verify is kept: a free name."""
    return _free_name(database, folder, "failed", now)


def note_beside(backup: Path) -> Path:
    """Return where the note on a backup is: hidden, so that ``*.backup.*`` is backups alone."""
    return backup.with_name(f".{backup.name}.json")


def back_up(
    db: sqlite3.Connection,
    target: Path,
    like: Path | int | os.stat_result,
    pace: Pace,
    *,
    mask: int = 0o7777,
    staging: Path | None = None,
    reads_anew: bool = False,
    when_complete: Callable[[Path], object] = lambda _: None,
    when_unequal: Callable[[Path], object] = lambda _: None,
) -> str:
    """Copy ``db`` into the new file ``target``, prove it equal, and return what is worth saying.

    Until it is complete and equal it is called ``target`` + '.partial', in the folder ``staging``
    on the same disk (beside ``target`` by default), readable by this user alone; then
    ``when_complete`` is called with it, or ``when_unequal`` where it is not equal: both may raise.
    It gets the owner of the file ``like`` (a path, or a descriptor or the status of one that may be
    gone), and what ``mask`` leaves of its mode. It is in rollback mode whatever ``db`` is in, so
    that it is one file that any program can read, and is on the disk with its name when this
    returns. '' when there is nothing to say.

    With ``reads_anew`` it is compared with what is on the disk, and not with what ``db`` has read
    before: where others may write, that tells a copy of two moments. Under the lock the pages that
    were read are what a garbled file is mended with.

    Raises: DatabaseError when there is a file of that name, or the copy is not equal; sqlite3.Error
        or OSError when it cannot be written. Nothing is left then.
    """
    refuse_taken(target)
    partial = (staging or target.parent) / f"{target.name}.partial"
    with ExitStack() as stack:
        copy_out(db, partial, pace, stack)
        with partial.open("r+b") as file:
            mark_rollback_mode(file.fileno())
            flush(file.fileno())
            if reads_anew:
                forget_pages(db)
            if not holds(db, partial, pace):
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


def holds(db: sqlite3.Connection, file: Path, pace: Pace) -> bool:
    """Return whether ``db`` has the content of the resting file ``file``, page for page.

    The locked database may not be read but through ``db``: it is copied once more, without waiting
    for the disk, into a file beside ``file`` that is gone afterwards, and the two are compared byte
    by byte but for what SQLite writes anew in each copy. This is exact for rows, schema, sequences
    and whatever else pages hold, in constant memory, and costs a quarter of comparing rows.

    Raises: sqlite3.Error or OSError when the copy cannot be made.
    """
    scratch = file.with_name(f"{file.name}.compared")
    with ExitStack() as stack:
        copy_out(db, scratch, Pace(pace.deadline, lambda _: pace.tell(1.0)), stack)
        return same_pages(scratch, file)


def holds_at_rest(db: sqlite3.Connection, file: Path, pace: Pace) -> bool:
    """Return what ``holds`` does, without writing anything where ``db``, locked, is one file.

    It is that in every journal mode but WAL, whose last pages may be in the WAL alone. What is
    compared is on the disk: pages that ``db`` has read before are read anew.

    Raises: DatabaseError, sqlite3.Error or OSError when they cannot be compared.
    """
    (path,) = [path for _, name, path in db.execute("PRAGMA database_list") if name == "main"]
    wal = Path(f"{path}-wal")
    if journal_mode(db) == "wal" and wal.exists() and wal.stat().st_size:
        forget_pages(db)
        return holds(db, file, pace)
    return same_pages_apart(Path(path), file)


def copy_out(db: sqlite3.Connection, target: Path, pace: Pace, stack: ExitStack) -> None:
    """Copy ``db`` into the new file ``target``, mode 0600, which is gone when ``stack`` closes.

    It is neither journalled nor on the disk for certain: a copy that was cut short is thrown away.
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
    """Mark the resting database in ``file`` as not in WAL mode: header bytes 18 and 19."""
    if os.fstat(file).st_size >= REWRITTEN[-1][1]:
        os.pwrite(file, b"\x01\x01", REWRITTEN[0][0])


def give_owner_and_mode(file: int, like: os.stat_result, name: Path, mask: int = 0o7777) -> str:
    """Give ``file`` the owner, group and mode of ``like``; return what could not be done, or ''."""
    mode = S_IMODE(like.st_mode) & mask
    own = os.fstat(file)
    note = ""
    if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.chown(file, like.st_uid, like.st_gid)
        except PermissionError:
            mode &= 0o700  # what its group may do is meant for another group
            note = (
                f"{name.name} belongs to this user, who may not give it to the owner of the "
                f"database (user {like.st_uid}, group {like.st_gid}): nobody else can read it"
            )
    os.fchmod(file, mode)
    return note


def refuse_taken(target: Path) -> None:
    """Raise DatabaseError when there is something called ``target``."""
    if os.path.lexists(target):
        raise DatabaseError(target, "is there already, and nothing is overwritten; run again")


def _free_name(database: Path, folder: Path, kind: str, now: datetime) -> Path:
    first = path = folder / f"{database.name}.{kind}.{now:%Y%m%d_%H%M%S}"
    number = 1
    while any(map(os.path.lexists, _taking(path))):
        number += 1
        path = first.with_name(f"{first.name}_{number}")
    return path


def _taking(path: Path) -> tuple[str, ...]:
    """Return the names that no file may have where a new one is called ``path``.

    SQLite would take a WAL or a journal of that name to be the new file's.
    """
    beside = (f"{path}{suffix}" for suffix in ("", ".partial", "-wal", "-journal"))
    return (*beside, str(note_beside(path)))
