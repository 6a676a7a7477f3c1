"""Make a verified backup of a real database, while others may have it open."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import owner_of
from pytest_bbmigrate.apply.file_checks import refuse_long_name, refuse_orphans
from pytest_bbmigrate.apply.workspace import scratch_for
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import read_identity
from pytest_bbmigrate.sqlite_files import LOCK_SECONDS
from pytest_bbmigrate.sqlite_files.backup import Pace, back_up, backup_path, note_beside
from pytest_bbmigrate.sqlite_files.notes import (
    discard_backup,
    note_for,
    with_digest,
    write_note,
)
from pytest_bbmigrate.sqlite_files.reading import (
    WrittenMeanwhile,
    reading_one_state,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.sqlite_files.notes import Note


def back_up_now(
    database: Path, folder: Path, on_progress: Callable[[float], None]
) -> tuple[Path, str]:
    """Back ``database`` up into ``folder``; return where, and what is worth saying of it.

    Others may have it open, and read and (in WAL mode) write it meanwhile: the backup is of one
    moment.

    Raises: StepFailed when it cannot be read or the backup cannot be written.
    """
    refuse_orphans(database)
    if folder.is_dir():
        refuse_long_name(database, folder)
    owner = owner_of(database, folder)
    real = Path(owner.path)
    made: list[tuple[Path, Note]] = []
    is_done = False
    try:
        with (
            reading_one_state(database, scratch=folder) as (db, refuse_written),
            scratch_for(database, folder, owner.note) as staging,
        ):
            before = real.stat()
            target = backup_path(database, folder, datetime.now(UTC))
            own_note = note_for(real, read_identity(db).id)

            def write_note_on(complete: Path) -> None:
                refuse_written()  # while it has no name: it may be of no one moment
                made.append((target, with_digest(own_note, complete)))
                write_note(made[-1][1], note_beside(target), staging, complete)

            pace = Pace(LOCK_SECONDS, on_progress)
            owner_note = back_up(
                db,
                target,
                before,
                pace,
                staging=staging,
                rereads=True,
                when_complete=write_note_on,
            )
            is_done = True
    except WrittenMeanwhile:
        if not is_done:
            raise
    except BaseException as error:
        for backup, note in made:
            with suppress(OSError):  # what else went wrong is what is to be told
                discard_backup(backup, note)
        if not isinstance(error, OSError):
            raise
        raise StepFailed(
            f"{folder}: the backup cannot be written there ({error.strerror}); make room, or name "
            "another folder with --bb-backup-dir=DIR"
        ) from error
    replaced = (
        f"{database.name} is not there any more, or another file is: this backup is of what was"
    )
    return target, "; ".join(
        filter(None, (owner_note, "" if is_same_file(real, before) else replaced))
    )


def is_same_file(real: Path, before: os.stat_result) -> bool:
    """Return whether ``real`` is the file that it was."""
    try:
        return os.path.samestat(real.stat(), before)
    except OSError:
        return False
