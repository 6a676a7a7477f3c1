"""The working folder of a run, beside the backups, and folders that killed runs have left."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import belongs_to, notes_in, owner_of
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.what_is_left import is_gone
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.notes import FOLDER_NOTE, note_folder, read_note, same_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.apply.backup_owners import Owner
    from pytest_bbmigrate.sqlite_files.notes import Note

FOLDER_MARK = "bbmigrate-"
MODE_NOTE = "journal_mode"
SECONDS = 0.5  # to wait for the lock where nothing else is to be done


@dataclass(frozen=True)
class Scratch:
    """A folder for working copies, and the descriptor whose lock tells that its run is alive."""

    folder: Path
    descriptor: int

    def remove(self) -> bool:
        """Remove the folder with all that is in it; return whether it is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()
        return is_gone(self.folder)

    def release(self) -> None:
        """Leave the folder to the next run, as a killed run does."""
        os.close(self.descriptor)


def make_scratch(database: Path, backup_folder: Path, note: Note) -> Scratch:
    """Make the folder for the working copies, beside the backups: the same disk, ours alone.

    ``note`` says whose it is. It is held before the note is in it, without which nobody else
    touches it.

    Raises: StepFailed when it cannot be made there.
    """
    prefix = f".{database.name}.{FOLDER_MARK}"
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=backup_folder))
        scratch = Scratch(folder, os.open(folder, os.O_RDONLY))
        try:
            hold(scratch.descriptor)
            note_folder(folder, note)
        except OSError:
            scratch.remove()
            raise
    except OSError as error:
        raise StepFailed(
            f"{backup_folder}: nothing can be written there ({error.strerror}); "
            "name another folder with --bb-backup-dir=DIR"
        ) from error
    return scratch


def same_disk(folder: Path, beside: Path) -> Path:
    """Return ``folder``, or ``beside`` where only that is on its own disk: for what is renamed."""
    return folder if folder.stat().st_dev == beside.stat().st_dev else beside


@contextmanager
def scratch_for(database: Path, backup_folder: Path, note: Note) -> Iterator[Path]:
    """Give that folder for the block. Raises: StepFailed when it cannot be made."""
    scratch = make_scratch(database, backup_folder, note)
    try:
        yield scratch.folder
    finally:
        scratch.remove()


def hold(descriptor: int) -> None:
    """Lock a folder of ours until its descriptor is closed, by the end of this process at last.

    Where the file system has no such lock, nothing tells that a run is alive.
    """
    import fcntl

    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(folder: Path) -> bool:
    """Return whether the run that has made ``folder`` is alive."""
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # gone, or another user's
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # so that two may ask at once
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def note_mode(folder: Path, mode: str) -> None:
    """Write into our scratch folder which journal mode the database is to be left in.

    A publish changes it for a while. Where every process of a run is killed meanwhile, only the
    next run restores it.

    Raises: OSError.
    """
    with (folder / MODE_NOTE).open("w", encoding="ascii") as note:
        note.write(mode)
        note.flush()
        flush(note.fileno())
    sync(folder)


def noted_mode(owner: Owner, backup_folder: Path) -> str:
    """Return the journal mode that a run, killed while it published, was to restore; or ''."""
    for path in folders_of(owner, backup_folder):
        note = path / MODE_NOTE
        with suppress(PermissionError):  # another user's, who alone can say
            if note.is_file() and note.read_bytes() == b"wal":
                return "wal"
    return ""


def folders_of(owner: Owner, backup_folder: Path) -> list[Path]:
    """Return the working folders of this database: of runs that are alive, or were killed.

    Whatever their names are: the database may have been named by a link, or have been renamed.
    They are beside the backups, and beside the database after a restore that made the file.
    """
    beside = Path(owner.path).parent
    entries = sorted(backup_folder.iterdir())
    if not same_file(str(beside), str(backup_folder)):
        with suppress(OSError):  # who may not list it has made none there
            entries += sorted(beside.iterdir())
    folders = []
    for path in entries:
        if FOLDER_MARK in path.name and path.is_dir() and not path.is_symlink():
            with suppress(BBMigrateError):  # whose it is, it does not say
                note = read_note(path / FOLDER_NOTE)
                if note is not None and belongs_to(note, owner):
                    folders.append(path)
    return folders


def folders_left(owner: Owner, backup_folder: Path) -> list[Path]:
    """Return the working folders of this database that a run which was killed has left."""
    return [path for path in folders_of(owner, backup_folder) if not is_held(path)]


def notes_left(owner: Owner, backup_folder: Path) -> list[Path]:
    """Return the notes on backups of this database that were never completed.

    A backup in the history was: where that is gone, something else has removed it.
    """
    return [
        note_beside(backup)
        for backup, note in notes_in(backup_folder)
        if not os.path.lexists(backup)
        and backup.name not in owner.recorded
        and belongs_to(note, owner)
    ]


def remove_leftovers(owner: Owner, backup_folder: Path, spares: tuple[Path, ...] = ()) -> None:
    """Remove what a run that was killed has left, but for ``spares`` and the folders they are in.

    No other run is at work on this database now, for we hold the lock; one may wait for it.
    """
    for folder in folders_left(owner, backup_folder):
        if not any(spare.is_relative_to(folder) for spare in spares):
            shutil.rmtree(folder, ignore_errors=True)
    for note in notes_left(owner, backup_folder):
        note.unlink(missing_ok=True)


def clean_up(database: Path, backup_folder: Path) -> str:
    """Clean up after a killed run where nothing is pending; return what was done, in words, or ''.

    Such a run may have published, and still have left its copies of the data.
    """
    if not backup_folder.is_dir():
        return ""
    owner = owner_of(database, backup_folder)
    if not folders_left(owner, backup_folder):
        return ""
    try:
        with LockClient(database, deadline=SECONDS) as client:
            client.lock(noted_mode(owner, backup_folder))
            client.restore_mode()
            remove_leftovers(owner, backup_folder)
    except (BBMigrateError, OSError) as error:
        return f"a run that was killed has left copies of the data in {backup_folder}: {error}"
    return "copies of the data that a killed run had left were removed"
