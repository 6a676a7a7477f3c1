"""The end of a run that was stopped, or publishes nothing: what is left on the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import MEANWHILE, Content, FileFound, if_exists, is_gone
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.processes.signals import defer_first_interrupt
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from pytest_bbmigrate.sqlite_files.notes import (
    FOLDER_NOTE,
    backup_fault,
    correct_note,
    discard_backup,
    same_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.change import ChangeRun
    from pytest_bbmigrate.apply.replace_file import FileInPlace
    from pytest_bbmigrate.sqlite_files.notes import Note


STOPPED = "the run was stopped before it was"


def end_run(run: ChangeRun, work: Path | None) -> FileFound:
    """Find out what a run that was stopped, or publishes nothing, has left; report and return it.

    The backup is removed where the database is seen to equal it.
    """
    backup = if_exists(run.backup) if run.change.keeps_backup else None
    run.conclude(FileFound(run.change.database, NameTarget.SAME, Content.UNSEEN, STOPPED, backup))
    with defer_first_interrupt():
        file_found = run.client.inspect(run.backup, work, note=run.note, staging=run.folder)
        run.conclude(file_found)
        is_untouched = file_found.is_as_it_was and run.client.state is ContentState.UNTOUCHED
        if is_untouched and run.change.keeps_backup:  # any other lies in our own folder
            file_found = without_backup(run.backup, run.note, file_found)
        if not run.change.keeps_backup:
            file_found = replace(file_found, backup=None)
        file_found = without_changed_backup(run.client.digest, file_found)
        if is_gone(run.folder / FOLDER_NOTE):
            folder = run.change.backup_folder
            note = (
                f"{folder} was moved or removed {MEANWHILE}: copies of the data are where it is now"
            )
            file_found = replace(file_found, notes=(*file_found.notes, note))
        note_made = replace(run.note, digest=run.client.digest)
        file_found = with_corrected_note(note_made, run.folder, file_found)
        if run.change.new_file is not None:
            file_found = found_under_name(run.change.new_file, run.client.database, file_found)
        run.conclude(file_found)
    return file_found


def found_under_name(new_file: FileInPlace, file: Path, file_found: FileFound) -> FileFound:
    """Return what is under the name of ``new_file``, for which ``file`` was made."""
    if is_gone(new_file.real):
        name, content = NameTarget.SAME, Content.AS_BEFORE
    elif same_file(str(new_file.real), str(file)):
        name, content = NameTarget.SAME, file_found.content
    else:
        name, content = NameTarget.ANOTHER, Content.OTHER
    return FileFound(new_file.database, name, content, "", None, file_found.notes)


def without_backup(backup: Path, note: Note, file_found: FileFound) -> FileFound:
    """Remove ``backup``, made with ``note``, which nobody needs; return what is left then."""
    text = f"its backup {backup.name} is not needed, and cannot be removed"
    try:
        if discard_backup(backup, note):
            return replace(file_found, backup=None)
        why = "what is there is not known to be what this run has made"
    except OSError as error:
        why = str(error.strerror)
    remaining = if_exists(backup)
    return replace(
        file_found,
        backup=remaining,
        notes=(*file_found.notes, *([f"{text} ({why})"] if remaining else [])),
    )


def without_changed_backup(digest: str, file_found: FileFound) -> FileFound:
    """Return ``file_found`` without its backup where that is not what it was: see ``digest``.

    That is '' where it was never complete. One that cannot be read stays: it may be all there is.
    """
    if file_found.backup is None or not digest:
        return file_found
    try:
        with file_found.backup.open("rb"):
            pass
    except PermissionError as error:
        note = f"its backup {file_found.backup.name} cannot be looked at ({error.strerror})"
        return replace(file_found, notes=(*file_found.notes, note))
    except OSError:
        pass  # which is said below
    if not (fault := backup_fault(file_found.backup, digest)):
        return file_found
    note = f"its backup {file_found.backup.name} is not what it was when it was made: {fault}"
    return replace(file_found, backup=None, notes=(*file_found.notes, note))


def with_corrected_note(own: Note, staging: Path, file_found: FileFound) -> FileFound:
    """Correct the note on the backup, which a restore needs; return ``file_found`` with it.

    ``own`` is that note but for the size, with the digest '' where it was never complete.
    """
    if file_found.backup is None or not own.digest:
        return file_found
    try:
        size = file_found.backup.stat().st_size
        correct_note(replace(own, size=size), file_found.backup, staging)
    except (BBMigrateError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        name = file_found.backup.name
        fault = f"the note on {name} is gone or spoilt, and could not be mended: {why}"
        return replace(file_found, notes=(*file_found.notes, fault))
    return file_found
