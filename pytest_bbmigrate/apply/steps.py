"""How the content of a real database is replaced: lock, back up, prepare, publish, verify."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.apply.backup_owners import owner_of
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import MEANWHILE, Content, FileFound, existing, is_gone
from pytest_bbmigrate.apply.workspace import (
    Scratch,
    make_scratch,
    note_mode,
    noted_mode,
    remove_leftovers,
)
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.processes.signals import defer_first_interrupt, terminated_like_interrupted
from pytest_bbmigrate.sqlite_files import backup_path, failed_path, openers_of
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from pytest_bbmigrate.sqlite_files.notes import (
    FOLDER_NOTE,
    backup_fault,
    correct_note,
    discard_backup,
    note_for,
)
from pytest_bbmigrate.sqlite_files.reading import read_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.backup_owners import Owner
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files.notes import Note

STOPPED = "the run was stopped before it was"


class Reporter(Protocol):
    """Whoever tells the user of the steps."""

    def begin(self) -> None:
        """Begin a step: start the clock."""

    def progress(self, step: str, done: float | str, /) -> None:
        """Say how far a step is: a part of 1, or what it is at."""

    def end(self, step: str, detail: str, /) -> None:
        """Say that a step is done, and what it came to."""

    def fail(self, step: str, error: StepFailed, /) -> None:
        """Say why a step has failed; no step comes after it."""

    def conclude(self, left: FileFound, /) -> None:
        """Say what is on the disk at the end of a run that had the lock."""


@dataclass(frozen=True)
class PublishableCopy:
    """The content to publish: a file in our folder, and the digest it had when it was verified.

    ``journal_mode`` is the one to leave the database in, '' for the one it is in.
    """

    work: Path
    digest: str
    journal_mode: str = ""


@dataclass(frozen=True)
class ContentChange:
    """What is to be done to ``database``.

    ``inspect`` is given the history under the lock; ``prepare`` is given the backup and an empty
    folder of ours on the same disk, and makes the new content, reporting steps of its own. Both
    raise StepFailed to end it. With ``publishes`` false nothing but the database's copy is changed;
    ``keeps_backup`` is false where there was nothing to back up; ``identity`` is the id that the
    database is to have from now on, '' for the one that it has. ``spares`` are files that are not
    removed though they lie among what a killed run has left.
    """

    database: Path
    backup_folder: Path
    inspect: Callable[[tuple[Applied, ...]], None]
    prepare: Callable[[Path, Path, Reporter], PublishableCopy]
    publishes: bool = True
    keeps_backup: bool = True
    identity: str = ""
    spares: tuple[Path, ...] = ()
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@contextmanager
def step(reporter: Reporter, name: str) -> Iterator[list[str]]:
    """Report the block as the step ``name``; it says what it came to by the list it is given.

    Raises: StepFailed, reported first, for any error of ours that the block raises, and for what
        the system refuses (OSError), such as room on the disk.
    """
    detail: list[str] = []
    reporter.begin()
    try:
        yield detail
    except StepFailed as error:
        reporter.fail(name, error)
        raise
    except BBMigrateError as error:
        failure = StepFailed(str(error))
        reporter.fail(name, failure)
        raise failure from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        failure = StepFailed(f"{where}{error.strerror or error}; mend that, and run again")
        reporter.fail(name, failure)
        raise failure from error
    reporter.end(name, "; ".join(detail))


def carry_out(change: ContentChange, reporter: Reporter) -> Path | None:
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
        found: list[FileFound] = []
        try:
            with LockClient(change.database) as client:
                return go_through(begin(change, client, owner, scratch.folder, reporter, found))
        finally:
            if not scratch.remove() and found:
                said = (
                    f"copies of the data in {scratch.folder} cannot be removed: remove that folder"
                )
                reporter.conclude(replace(found[-1], notes=(*found[-1].notes, said)))


def scratch_folder(change: ContentChange, owner: Owner, reporter: Reporter) -> Scratch:
    """Make our own folder, as a part of the first step."""
    try:
        return make_scratch(change.database, change.backup_folder, owner.here)
    except StepFailed as error:
        reporter.begin()
        reporter.fail("lock", error)
        raise


@dataclass(frozen=True)
class ChangeRun:
    """A change that is being carried out: with what, in which folder of ours, and where to.

    ``note`` is the one on the backup, ``failed`` where content goes that does not verify. ``found``
    is what was found on the disk at the end, the last one being what counts.
    """

    change: ContentChange
    client: LockClient
    owner: Owner
    reporter: Reporter
    folder: Path
    backup: Path
    failed: Path
    note: Note
    found: list[FileFound]

    def conclude(self, left: FileFound) -> None:
        """Say what is on the disk at the end."""
        self.found.append(left)
        self.reporter.conclude(left)


def begin(
    change: ContentChange,
    client: LockClient,
    owner: Owner,
    folder: Path,
    reporter: Reporter,
    found: list[FileFound],
) -> ChangeRun:
    """Return the run, with names that are free. Nothing to back up stays in our own folder."""
    now = change.clock()
    place = change.backup_folder if change.keeps_backup else folder
    backup = backup_path(change.database, place, now)
    failed = failed_path(change.database, change.backup_folder, now)
    note = note_for(change.database, change.identity or owner.id)
    return ChangeRun(change, client, owner, reporter, folder, backup, failed, note, found)


def go_through(run: ChangeRun) -> Path | None:
    """Go through the steps, the last one giving the lock back."""
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
                verify(client, prepared, run.backup, run.failed, run.reporter)
    except BaseException:
        if client.has_locked:
            conclude(run, work)
        raise
    if change.publishes:
        kept, notes = run.backup if change.keeps_backup else None, client.file_notes
        run.conclude(FileFound(change.database, NameTarget.SAME, Content.VERIFIED, "", kept, notes))
        return kept
    left = conclude(run, None)
    if not left.is_as_it_was:
        with step(run.reporter, "verify"):
            raise StepFailed(f"{change.database}: {left}")
    return None


def conclude(run: ChangeRun, work: Path | None) -> FileFound:
    """Look at what is on the disk at the end, tell it, and return it.

    The backup is removed where it is seen to be a copy of what is there.
    """
    backup = existing(run.backup) if run.change.keeps_backup else None
    run.conclude(FileFound(run.change.database, NameTarget.SAME, Content.UNSEEN, STOPPED, backup))
    with defer_first_interrupt():
        left = run.client.look(run.backup, work, note=run.note, staging=run.folder)
        run.conclude(left)
        if left.is_as_it_was and run.client.state is ContentState.UNTOUCHED:
            left = without_backup(run, left)
        if not run.change.keeps_backup:
            left = replace(left, backup=None)
        left = without_rotten(run, left)
        if is_gone(run.folder / FOLDER_NOTE):
            place = run.change.backup_folder
            said = (
                f"{place} was moved or removed {MEANWHILE}: copies of the data are where it is now"
            )
            left = replace(left, notes=(*left.notes, said))
        left = noted(run, left)
        run.conclude(left)
    return left


def without_backup(run: ChangeRun, left: FileFound) -> FileFound:
    """Remove the backup, which nobody needs, and return what is left with or without it."""
    if not run.change.keeps_backup:
        return left  # it lies in our own folder
    said = f"its backup {run.backup.name} is not needed, and cannot be removed"
    try:
        if discard_backup(run.backup, run.note):
            return replace(left, backup=None)
        why = "what is there is not known to be what this run has made"
    except OSError as error:
        why = str(error.strerror)
    there = existing(run.backup)
    return replace(left, backup=there, notes=(*left.notes, *([f"{said} ({why})"] if there else [])))


def without_rotten(run: ChangeRun, left: FileFound) -> FileFound:
    """Return ``left`` without its backup where that is not what it was when it was made.

    One that cannot be read stays: it may be all there is.
    """
    if left.backup is None or not run.client.digest:
        return left
    try:
        with left.backup.open("rb"):
            pass
    except PermissionError as error:
        said = f"its backup {left.backup.name} cannot be looked at ({error.strerror})"
        return replace(left, notes=(*left.notes, said))
    except OSError:
        pass  # which is said below
    if not (rot := backup_fault(left.backup, run.client.digest)):
        return left
    said = f"its backup {left.backup.name} is not what it was when it was made: {rot}"
    return replace(left, backup=None, notes=(*left.notes, said))


def noted(run: ChangeRun, left: FileFound) -> FileFound:
    """Return ``left`` with the note on its backup mended, without which it is not restored."""
    if left.backup is None or not run.client.digest:
        return left
    try:
        size = left.backup.stat().st_size
        own = replace(run.note, size=size, digest=run.client.digest)
        correct_note(own, left.backup, run.folder)
    except (BBMigrateError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        said = f"the note on {left.backup.name} is gone or spoilt, and could not be mended: {why}"
        return replace(left, notes=(*left.notes, said))
    return left


def lock(run: ChangeRun) -> str:
    """Take the lock, look at who else is there, and return the journal mode."""
    change, client = run.change, run.client
    with step(run.reporter, "lock") as detail:
        mode = client.lock(noted_mode(run.owner, change.backup_folder))
        detail.append(f"held to the end; journal mode {mode}")
        refuse_openers(change.database, client)
        change.inspect(client.read_history())
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
        detail += client.notes


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


def verify(
    client: LockClient, prepared: PublishableCopy, backup: Path, failed: Path, reporter: Reporter
) -> None:
    """Look at what was published, and give the lock back."""
    with step(reporter, "verify") as detail:
        if client.verify(prepared.work, backup, failed):
            with suppress(OSError):
                prepared.work.unlink()  # not needed any more: its room is enough for the mode
            after_verifying(client.restore_mode)
        after_verifying(client.look_at_backup)
        note = client.restore_file()
        client.release()
        client.refuse_lost()
        detail += filter(None, ("the database holds exactly what was verified", note))
        if prepared.journal_mode:
            detail.append(f"journal mode {prepared.journal_mode}, as its migrations want it")


def after_verifying(look: Callable[[], None]) -> None:
    """Do what is left to do once the content is verified.

    Raises: StepFailed, which does not call the content in question.
    """
    try:
        look()
    except StepFailed as error:
        raise StepFailed(f"what was published is verified, and kept; but {error}") from error
