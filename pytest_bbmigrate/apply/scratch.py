"""Our own files beside the backups, while a run lasts, and what of them a killed run has left."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from pytest_bbmigrate.apply.keeper import Keeper
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.database.durable import flush, sync
from pytest_bbmigrate.errors import BBMigrateError

MODE_NOTE = "journal_mode"
UNFINISHED = r"\.(backup|failed)\.\d{8}_\d{6}(_\d+)?\.partial(\.compared)?"
SECONDS = 0.5  # to wait for the lock where nothing else is to be done


def make_scratch(database: Path, backup_folder: Path) -> Path:
    """Make the folder for the working copies, beside the backups: the same disk, ours alone.

    Raises: StepFailed when it cannot be made there.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=scratch_prefix(database), dir=backup_folder))
    except OSError as error:
        raise StepFailed(
            f"{backup_folder}: nothing can be written there ({error.strerror}); "
            "name another folder with --bb-backup-dir=DIR"
        ) from error


def scratch_prefix(database: Path) -> str:
    """Return what the names of our scratch folders for ``database`` begin with."""
    return f".{database.name}.bbmigrate-"


def note_mode(folder: Path, mode: str) -> None:
    """Write into our scratch folder which journal mode the database is to be left in.

    A publish changes it for a while. Where every process of a run is killed meanwhile, nobody puts
    it back but the next run.

    Raises: OSError.
    """
    with (folder / MODE_NOTE).open("w", encoding="ascii") as note:
        note.write(mode)
        note.flush()
        flush(note.fileno())
    sync(folder)


def noted_mode(database: Path, backup_folder: Path) -> str:
    """Return the journal mode that a run which was killed while it published had to keep, or ''."""
    for path in leftovers(database, backup_folder):
        note = path / MODE_NOTE
        with suppress(PermissionError):  # another user's, who alone can say
            if note.is_file() and note.read_bytes() == b"wal":
                return "wal"
    return ""


def leftovers(database: Path, backup_folder: Path) -> list[Path]:
    """Return what of ours lies in ``backup_folder``: of this run, or of one that was killed."""
    unfinished = re.compile(f"{re.escape(database.name)}{UNFINISHED}")
    prefix = scratch_prefix(database)
    return [
        path
        for path in sorted(backup_folder.iterdir())
        if (path.name.startswith(prefix) and path.is_dir()) or unfinished.fullmatch(path.name)
    ]


def remove_leftovers(database: Path, backup_folder: Path, own: Path | None = None) -> None:
    """Remove what a run that was killed has left; ``own`` is this run's scratch folder.

    No other run is at work now, for we hold the lock.
    """
    for path in leftovers(database, backup_folder):
        if path.is_dir() and path != own:
            shutil.rmtree(path, ignore_errors=True)
        elif path != own:
            path.unlink(missing_ok=True)


def tidy(database: Path, backup_folder: Path) -> str:
    """Do what a killed run has left undone, where there is nothing else to do; say what that was.

    It may have published, and so left nothing pending, but its copies of the data.
    """
    if not (backup_folder.is_dir() and leftovers(database, backup_folder)):
        return ""
    try:
        with Keeper(database, deadline=SECONDS) as keeper:
            keeper.lock(noted_mode(database, backup_folder))
            keeper.restore_mode()
            remove_leftovers(database, backup_folder)
    except (BBMigrateError, OSError) as error:
        return f"a run that was killed has left copies of the data in {backup_folder}: {error}"
    return "copies of the data that a killed run had left were removed"
