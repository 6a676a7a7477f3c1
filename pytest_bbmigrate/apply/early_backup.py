"""The backup that is made before a session's checks, where no kernel keeps them from the database.

There what a Python migration does past Python, in C say, reaches the real file, and the backups
beside it. When the checks are over this one is removed, or it is what is to be restored.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import note_on
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.file_checks import is_in_wal_mode
from pytest_bbmigrate.apply.lock.aftermath import look_afterwards
from pytest_bbmigrate.apply.lock.orders import Lock, LockedFileState, Recover
from pytest_bbmigrate.apply.run_end import (
    STOPPED,
    with_corrected_note,
    without_backup,
    without_changed_backup,
)
from pytest_bbmigrate.apply.what_is_left import (
    MEANWHILE,
    Content,
    FileFound,
    if_exists,
    is_gone,
    read_file_found,
)
from pytest_bbmigrate.catalogue import PythonPart, ScriptPart
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import give_owner_and_mode
from pytest_bbmigrate.sqlite_files.compare_files import same_pages
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, state_of_file
from pytest_bbmigrate.sqlite_files.notes import backup_fault, discard_backup
from pytest_bbmigrate.sqlite_files.ordinary_file import existing_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.sqlite_files.notes import Note

LOOK_SECONDS = 5.0  # to wait for the lock when the checks are over
PRIVATE_FOLDER = 0o700


@dataclass(frozen=True)
class EarlyBackup:
    """A backup of ``database`` that was made before the checks, with the ``note`` beside it.

    ``file`` is what the database file was then, ``journal_mode`` is 'wal' where it was in that.
    ``descriptor`` is open on the backup: what has no name any more can be written again by it.
    ``remark`` is worth telling, or ''.
    """

    database: Path
    path: Path
    note: Note
    file: LockedFileState
    journal_mode: str
    descriptor: int
    remark: str = ""


def runs_python(catalogue: Catalogue) -> bool:
    """Return whether a migration has Python to run, on the way up or down, be it a script."""
    parts = (part for migration in catalogue.migrations for part in (migration.up, migration.down))
    return any(isinstance(part, PythonPart | ScriptPart) for part in parts)


def back_up_early(
    database: Path, folder: Path, on_progress: Callable[[float], None]
) -> EarlyBackup:
    """Back ``database`` up into ``folder``, proved equal.

    Raises: StepFailed or DatabaseError when it cannot be read, or the backup not be written;
        OSError.
    """
    real = existing_file(database)
    file = LockedFileState(real, state_of_file(real.stat()))
    path, remark = back_up_now(database, folder, on_progress)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    note = note_on(path)
    if note is None:
        raise StepFailed(f"{path}: something has removed its note just now; run again")
    mode = "wal" if is_in_wal_mode(real) else ""
    return EarlyBackup(database, path, note, file, mode, descriptor, remark)


def give_way(early: EarlyBackup, backup: Path) -> None:
    """Make sure that ``backup``, which a run has made under its lock, holds the same.

    Raises: StepFailed when the database was written in between, or that cannot be told.
    """
    if fault := backup_fault(early.path, early.note.digest):
        raise StepFailed(
            f"{early.path}, made before the checks, is not what it was: {fault}; nothing was "
            "published: find out what has done that, and run again"
        )
    if not same_pages(early.path, backup):
        changed = FileFound(early.database, NameTarget.SAME, Content.OTHER)
        raise StepFailed(f"{early.database}: {changed}, after the checks; nothing was published")


def discard(early: EarlyBackup) -> str:
    """Remove the backup, in whose place a run has its own; return a note where it cannot be."""
    try:
        if discard_backup(early.path, early.note):
            return ""
        why = "what is there is not known to be what this run has made"
    except OSError as error:
        why = str(error.strerror)
    finally:
        close(early)
    return f"{early.path.name}, made before the checks, cannot be removed ({why})"


def unseen_after(early: EarlyBackup) -> FileFound:
    """Return what is known where nobody has looked: the backup is there."""
    backup = if_exists(early.path)
    return FileFound(early.database, NameTarget.SAME, Content.UNSEEN, STOPPED, backup)


def end(early: EarlyBackup) -> FileFound:
    """Find out what the checks have left of the database, and return it.

    The backup is removed where the database is seen to be the same file with the same content.
    """
    try:
        rescued = rescue(early)
        order = Recover(
            Lock(early.database, LOOK_SECONDS, early.journal_mode),
            early.file,
            "",
            early.note.digest,
            early.path,
            None,
        )
        _, seen = look_afterwards(order)
        file_found = read_file_found(early.database, seen, early.path)
        if file_found.is_as_it_was:
            file_found = with_corrected_note(early.note, early.path.parent, file_found)
            return without_backup(early.path, early.note, file_found)
        notes = filter(None, (rescued, *file_found.notes, *notes_on_writer(file_found)))
        file_found = replace(file_found, notes=tuple(notes))
        file_found = without_changed_backup(early.note.digest, file_found)
        return with_corrected_note(early.note, early.path.parent, file_found)
    finally:
        close(early)


def notes_on_writer(file_found: FileFound) -> tuple[str, ...]:
    """Return a note where another program may have written, which no lock has kept out."""
    if file_found.name is not NameTarget.SAME or file_found.content is not Content.OTHER:
        return ()
    return ("if a program of yours has written to it, as it may before the lock, restore nothing",)


def rescue(early: EarlyBackup) -> str:
    """Write a backup again that has no name any more; return a note on that, or ''."""
    if not is_gone(early.path):
        return ""
    name = early.path.name
    try:
        write_again(early)
    except OSError as error:
        return f"its backup {name} was removed {MEANWHILE}, and not to be had ({error.strerror})"
    return f"its backup {name} was removed {MEANWHILE}, and is written again"


def write_again(early: EarlyBackup) -> None:
    """Write the backup under its name, from the file that had it. Raises: OSError."""
    partial = early.path.with_name(f"{early.path.name}.partial")
    early.path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with (
            os.fdopen(early.descriptor, "rb", closefd=False) as kept,
            os.fdopen(descriptor, "wb") as copy,
        ):
            kept.seek(0)
            shutil.copyfileobj(kept, copy)
            copy.flush()
            give_owner_and_mode(descriptor, os.fstat(early.descriptor), early.path)
            flush(descriptor)
        if backup_fault(partial, early.note.digest):
            raise OSError(0, "it is not what it was when it was made")
        partial.rename(early.path)
    finally:
        partial.unlink(missing_ok=True)
    sync(early.path.parent)


def close(early: EarlyBackup) -> None:
    """Close the descriptor; after that the backup cannot be written again."""
    with suppress(OSError):
        os.close(early.descriptor)
