"""How the content of a real database is replaced: lock, back up, prepare, publish, verify."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import owner_of
from pytest_bbmigrate.apply.change import ChangeRun, ContentChange, PublishableCopy
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.reporter import Reporter, step
from pytest_bbmigrate.apply.run_end import end_run
from pytest_bbmigrate.apply.what_is_left import Content, FileFound
from pytest_bbmigrate.apply.workspace import (
    Scratch,
    make_scratch,
    note_mode,
    noted_mode,
    remove_leftovers,
    same_disk,
)
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.processes.signals import defer_first_interrupt, terminated_like_interrupted
from pytest_bbmigrate.sqlite_files.backup import backup_path, failed_path
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from pytest_bbmigrate.sqlite_files.notes import note_for
from pytest_bbmigrate.sqlite_files.openers import openers_of
from pytest_bbmigrate.sqlite_files.reading import read_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.backup_owners import Owner

NEW = "new"  # the folder, in ours, of a file that is new
PRIVATE = 0o600


def run_change(change: ContentChange, reporter: Reporter) -> Path | None:
    """Replace the database's content and return where the backup is; None when none is kept.

    Until publish nothing is written but files of our own, which are gone afterwards. The lock is
    held from the first step to the end of the last. The backup of a run that does not publish is
    removed where the database is seen to be what it was, and nowhere else.

    Raises: StepFailed, which the reporter has been told of; nothing was published unless its
        message says so.
    """
    with terminated_like_interrupted():
        owner = owner_of(change.database, change.backup_folder)
        scratch = scratch_folder(change, owner, reporter)
        files_found: list[FileFound] = []
        try:
            with LockClient(locked_file_of(change, scratch.folder)) as client:
                return run_steps(
                    new_run(change, client, owner, scratch.folder, reporter, files_found)
                )
        finally:
            if not scratch.remove() and files_found:
                note = (
                    f"copies of the data in {scratch.folder} cannot be removed: remove that folder"
                )
                reporter.conclude(replace(files_found[-1], notes=(*files_found[-1].notes, note)))


def scratch_folder(change: ContentChange, owner: Owner, reporter: Reporter) -> Scratch:
    """Make our own folder, as a part of the step lock; what is new is made there."""
    folder = change.backup_folder
    if change.new_file is not None:
        folder = same_disk(folder, change.new_file.real.parent)
    try:
        return make_scratch(change.database, folder, owner.note)
    except StepFailed as error:
        reporter.begin()
        reporter.fail("lock", error)
        raise


def locked_file_of(change: ContentChange, folder: Path) -> Path:
    """Return the file to lock and write: the database, or an empty one in our own ``folder``."""
    if change.new_file is None:
        return change.database
    file = folder / NEW / change.database.name
    file.parent.mkdir()
    file.touch(PRIVATE)
    return file


def new_run(
    change: ContentChange,
    client: LockClient,
    owner: Owner,
    folder: Path,
    reporter: Reporter,
    files_found: list[FileFound],
) -> ChangeRun:
    """Return the run, with free names. A copy of what is no backup stays in our own folder."""
    now = change.clock()
    folder_of_backup = change.backup_folder if change.keeps_backup else folder
    backup = backup_path(change.database, folder_of_backup, now)
    failed = failed_path(change.database, change.backup_folder, now)
    note = note_for(change.database, change.identity or owner.id)
    return ChangeRun(change, client, owner, reporter, folder, backup, failed, note, files_found)


def run_steps(run: ChangeRun) -> Path | None:
    """Take the steps, the last of which releases the lock; return the backup, None for none."""
    change, client = run.change, run.client
    work: Path | None = None
    try:
        mode = lock(run)
        back_up(run)
        prepared = change.prepare(run.backup, run.folder, run.reporter)
        if change.publishes:
            work = prepared.work
            with defer_first_interrupt():
                publish(client, prepared, prepared.journal_mode or mode, run.reporter)
                verify(run, prepared)
    except BaseException:
        if client.has_locked:
            end_run(run, work)
        raise
    if change.publishes:
        kept, notes = run.backup if change.keeps_backup else None, client.file_notes
        run.conclude(FileFound(change.database, NameTarget.SAME, Content.VERIFIED, "", kept, notes))
        return kept
    file_found = end_run(run, None)
    if not file_found.is_as_it_was:
        with step(run.reporter, "verify"):
            raise StepFailed(f"{change.database}: {file_found}")
    return None


def lock(run: ChangeRun) -> str:
    """Take the lock, look at who else is there, and return the journal mode."""
    change, client = run.change, run.client
    with step(run.reporter, "lock") as detail:
        mode = client.lock(noted_mode(run.owner, change.backup_folder))
        detail.append(f"held to the end; journal mode {mode}")
        refuse_openers(change.database, client)
        change.check_history(client.read_history())
        remove_leftovers(run.owner, change.backup_folder, (run.folder, *change.spares))
    return mode


def back_up(run: ChangeRun) -> None:
    """Make the backup, which stays until the end at the least."""
    change, client = run.change, run.client
    is_kept = change.publishes and change.keeps_backup
    with step(run.reporter, "backup") as detail:
        client.back_up(
            run.backup,
            lambda part: run.reporter.progress("backup", part),
            is_kept=is_kept,
            note=run.note if change.keeps_backup else None,
            staging=run.folder,
        )
        if not change.keeps_backup:
            refuse_written(change.database, run.backup)
        detail.append(run.backup.name if is_kept else "a copy, not kept")
        detail += filter(None, (*client.notes, change.check_backup(run.backup)))


def refuse_written(database: Path, copy: Path) -> None:
    """Make sure that ``database``, of which there is a ``copy``, holds nothing to be kept.

    Raises: StepFailed.
    """
    query = "SELECT count(*) FROM sqlite_schema"
    if read_database(copy, lambda db: db.execute(query).fetchone()[0]):
        raise StepFailed(
            f"{database}: it was empty, and another program has written to it since; nothing was "
            "changed: stop that program, and run again"
        )


def refuse_openers(database: Path, client: LockClient) -> None:
    """Make sure that nobody but the lock process has ``database`` open, be it without reading.

    The lock keeps others from reading and writing; one that is idle would go on afterwards with a
    schema that is no longer there.

    Raises: StepFailed that names them.
    """
    others = [opener for opener in openers_of(database) if opener.pid != client.pid]
    if others:
        names = ", ".join(sorted(set(map(str, others))))
        raise StepFailed(f"{database}: it is open in {names}; stop that first, and run again")


def publish(client: LockClient, prepared: PublishableCopy, mode: str, reporter: Reporter) -> None:
    """Put the new content into the database, which is to be left in the journal mode ``mode``."""
    with step(reporter, "publish") as detail:
        note_mode(prepared.work.parent, mode)
        note = client.restore_file()
        client.publish(
            prepared.work,
            prepared.digest,
            lambda part: reporter.progress("publish", part),
            mode=mode,
        )
        detail += filter(None, ("in one transaction", note))


def verify(run: ChangeRun, prepared: PublishableCopy) -> None:
    """Verify what was published, and release the lock; a new file gets its name then."""
    client = run.client
    with step(run.reporter, "verify") as detail:
        if client.verify(prepared.work, run.backup, run.failed):
            with suppress(OSError):
                prepared.work.unlink()  # not needed any more: its room is enough for the mode
            after_verifying(client.restore_mode)
        after_verifying(client.check_backup)
        note = client.restore_file()
        client.release()
        client.refuse_lost()
        if run.change.new_file is not None:
            run.change.new_file.replace(client.database, run.change.clock())
        detail += filter(None, ("the database holds exactly what was verified", note))
        if prepared.journal_mode:
            detail.append(f"journal mode {prepared.journal_mode}, as its migrations want it")


def after_verifying(action: Callable[[], None]) -> None:
    """Call ``action`` once the content is verified.

    Raises: StepFailed, which says that the content is verified and kept.
    """
    try:
        action()
    except StepFailed as error:
        raise StepFailed(f"what was published is verified, and kept; but {error}") from error
