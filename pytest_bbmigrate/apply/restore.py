"""Restore a backup: replace the content of a real database by it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import id_in
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.file_checks import check_location, describe_openers
from pytest_bbmigrate.apply.replace_file import file_in_place
from pytest_bbmigrate.apply.reporter import step
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.apply.workspace import same_disk, scratch_for
from pytest_bbmigrate.apply.written_since import written_since
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.processes.signals import defer_first_interrupt, terminated_like_interrupted
from pytest_bbmigrate.sqlite_files import digest_of, open_private
from pytest_bbmigrate.sqlite_files.backup import give_owner_and_mode
from pytest_bbmigrate.sqlite_files.durable import flush
from pytest_bbmigrate.sqlite_files.notes import (
    backup_fault,
    note_for,
)
from pytest_bbmigrate.sqlite_files.sidecars import size_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.choose_backup import ChosenBackup
    from pytest_bbmigrate.apply.replace_file import FileInPlace
    from pytest_bbmigrate.apply.reporter import Reporter
    from pytest_bbmigrate.apply.written_since import WrittenSince
    from pytest_bbmigrate.sqlite_files import Hook


class WouldBeLost(StepFailed):
    """Raised when a restore would lose what was written since; ``losses`` says what."""

    def __init__(self, backup: Path, losses: tuple[WrittenSince, ...]) -> None:
        self.losses = losses
        tables = "\n".join(f"  {table.table}: {table.how}" for table in losses)
        super().__init__(
            f"restoring {backup.name} would lose what was written or defined since:\n{tables}\n"
            "nothing was changed; --bb-discard-changes restores it all the same"
        )


def restore_backup(
    database: Path,
    folder: Path,
    choice: ChosenBackup,
    reporter: Reporter,
    *,
    discard: bool = False,
    hook: Hook | None = None,
) -> tuple[Path, ...]:
    """Make the content of ``database`` that of a backup; return where the old content is kept.

    Of an empty database no backup is made. Where there is no database, or a damaged file, or a
    WAL without its database, the restored file is made first and gets the name in one step; the
    old files are kept under other names.

    Raises: WouldBeLost when something was written or defined since and ``discard`` is not given;
        StepFailed as run_change does, and when the backup is not what it was when it was made.
    """
    backup = choice.backup

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> PublishableCopy:
        with step(reporter, "compare") as detail:
            work = copy_of(choice, scratch / database.name)
            detail.append(compare(current, work, backup, hook, discard=discard))
        return closed_copy(work)

    check_location(database, folder)
    in_place = file_in_place(database)
    if in_place.is_to_be_replaced:
        return restore_missing(in_place, folder, choice, reporter)
    is_empty = not size_of(in_place.real)
    change = ContentChange(
        database, folder, lambda _: None, prepare, keeps_backup=not is_empty, spares=(backup,)
    )
    backup_made = run_change(change, reporter)
    return (backup_made,) if backup_made else ()


def copy_of(choice: ChosenBackup, work: Path) -> Path:
    """Copy a backup into the file ``work``, for this user alone, and return that.

    Raises: StepFailed when it is not what the backup was when it was made; OSError.
    """
    shutil.copyfile(choice.backup, work)
    work.chmod(0o600)
    if choice.note is not None and (fault := backup_fault(work, choice.note.digest)):
        raise StepFailed(f"{choice.backup}: something has written to it just now: {fault}")
    return work


def restore_missing(
    in_place: FileInPlace, folder: Path, choice: ChosenBackup, reporter: Reporter
) -> tuple[Path, ...]:
    """Make the database from a backup, where none can be locked; return where the old files are.

    Raises: StepFailed, which the reporter has been told of; everything is as it was then.
    """
    real, backup = in_place.real, choice.backup

    def warn(text: str) -> None:
        reporter.begin()
        reporter.end("kept", text)

    staging_folder = same_disk(folder, real.parent)
    with (
        terminated_like_interrupted(),
        step(reporter, "restore") as detail,
        scratch_for(in_place.database, staging_folder, note_for(real, id_in(backup))) as scratch,
    ):
        prepared = closed_copy(copy_of(choice, scratch / real.name))
        with prepared.work.open("r+b") as file:
            detail.append(give_owner_and_mode(file.fileno(), backup.stat(), real))
            flush(file.fileno())
        if digest_of(prepared.work) != prepared.digest:
            raise StepFailed(f"{prepared.work}: something has written to it just now; run again")
        if openers := describe_openers(in_place.database):
            raise StepFailed(f"{in_place.database}: it is open in {openers}; stop that first")
        with defer_first_interrupt():
            kept = in_place.replace(prepared.work, datetime.now(UTC), warn)
        detail[:] = filter(None, ("the database is made from the backup, in one step", *detail))
    return kept


def compare(current: Path, copy: Path, backup: Path, hook: Hook | None, *, discard: bool) -> str:
    """Return what a restore of ``backup``, of which there is a ``copy``, loses of ``current``.

    Raises: WouldBeLost when it loses anything and ``discard`` is not given; StepFailed when that
        cannot be told.
    """
    try:
        losses = written_since(current, copy, hook, name=backup.name)
    except DatabaseError as error:
        if discard:
            return "what it holds does not read, and is kept"
        why = str(error).removeprefix(f"{error.path}: ").partition("; ")[0]
        raise StepFailed(
            f"what the database holds {why}, so that what a restore would lose cannot be told; "
            "nothing was changed; --bb-discard-changes restores the backup all the same"
        ) from error
    if losses and not discard:
        raise WouldBeLost(backup, losses)
    return f"{len(losses)} losses accepted" if losses else "nothing is lost"


def closed_copy(copy: Path) -> PublishableCopy:
    """Bring our own ``copy`` of a database into rollback-journal mode, ready to publish."""
    db = open_private(copy)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        db.close()
    return PublishableCopy(copy, digest_of(copy))
