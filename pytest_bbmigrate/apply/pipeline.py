"""How the content of a real database is replaced: lock, back up, prepare, publish, verify."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from stat import S_IMODE
from typing import TYPE_CHECKING, Protocol

from pytest_bbmigrate.apply.holding import State
from pytest_bbmigrate.apply.keeper import Keeper
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.apply.owners import owner_of
from pytest_bbmigrate.apply.scratch import (
    note_mode,
    noted_mode,
    remove_leftovers,
    scratch_for,
)
from pytest_bbmigrate.database import backup_path, failed_path, openers_of
from pytest_bbmigrate.database.notes import discard_backup, note_for
from pytest_bbmigrate.errors import BBMigrateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.owners import Owner
    from pytest_bbmigrate.history import Applied


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


@dataclass(frozen=True)
class Prepared:
    """The content to publish: a file in our folder, and the digest it had when it was verified.

    ``journal_mode`` is the one to leave the database in, '' for the one it is in.
    """

    work: Path
    digest: str
    journal_mode: str = ""


@dataclass(frozen=True)
class Change:
    """What is to be done to ``database``.

    ``inspect`` is given the history under the lock; ``prepare`` is given the backup and an empty
    folder of ours on the same disk, and makes the new content, reporting steps of its own. Both
    raise StepFailed to end it. With ``publishes`` false nothing but the database's copy is changed;
    ``keeps_backup`` is false where there was nothing to back up; ``identity`` is the id that the
    database is to have from now on, '' for the one that it has.
    """

    database: Path
    backup_folder: Path
    inspect: Callable[[tuple[Applied, ...]], None]
    prepare: Callable[[Path, Path, Reporter], Prepared]
    publishes: bool = True
    keeps_backup: bool = True
    identity: str = ""
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


def carry_out(change: Change, reporter: Reporter) -> Path | None:
    """Replace the database's content and return where the backup is; None when none is kept.

    Until publish nothing is written but files of our own, which are gone afterwards. The lock is
    held from the first step to the end of the last.

    Raises: StepFailed, which the reporter has been told of; nothing was published unless its
        message says so.
    """
    with terminated_like_interrupted():
        owner = owner_of(change.database, change.backup_folder)
        with (
            scratch_for(change.database, change.backup_folder, owner.here) as folder,
            Keeper(change.database) as keeper,
        ):
            return steps_under_lock(change, keeper, owner, folder, reporter)


def steps_under_lock(
    change: Change, keeper: Keeper, owner: Owner, folder: Path, reporter: Reporter
) -> Path | None:
    """Go through the steps, the last one giving the lock back."""
    with step(reporter, "lock") as detail:
        mode = keeper.lock(noted_mode(owner, change.backup_folder))
        detail.append(f"held to the end; journal mode {mode}")
        refuse_openers(change.database, keeper)
        change.inspect(keeper.read_history())
        remove_leftovers(owner, change.backup_folder, own=folder)
    now = change.clock()
    backup = backup_path(change.database, change.backup_folder, now)
    keeps_backup = change.publishes and change.keeps_backup
    if not keeps_backup:
        backup = folder / backup.name
    note = note_for(change.database, change.identity or owner.id)
    try:
        with step(reporter, "backup") as detail:
            keeper.back_up(
                backup,
                lambda part: reporter.progress("backup", part),
                is_kept=keeps_backup,
                note=note if keeps_backup else None,
                staging=folder,
            )
            detail.append(backup.name if keeps_backup else "a copy, not kept")
            detail += keeper.notes
        prepared = change.prepare(backup, folder, reporter)
    except BaseException:
        discard_backup(backup, note)  # nothing was published: it is a copy of what is there
        raise
    if not change.publishes:
        return None
    failed = failed_path(change.database, change.backup_folder, now)
    try:
        with held_interrupts():
            publish(keeper, prepared, prepared.journal_mode or mode, reporter)
            verify(keeper, prepared, backup, failed, reporter)
    except BaseException:
        if keeper.state is State.UNTOUCHED:  # as it was, compared with the backup
            discard_backup(backup, note)
        raise
    return backup if keeps_backup else None


def refuse_openers(database: Path, keeper: Keeper) -> None:
    """Make sure that nobody but the keeper has ``database`` open, be it without reading.

    The lock keeps others from reading and writing; one that is idle would go on afterwards with a
    schema that is no longer there.

    Raises: StepFailed that names them.
    """
    others = [opener for opener in openers_of(database) if opener.pid != keeper.pid]
    if others:
        names = ", ".join(sorted(set(map(str, others))))
        raise StepFailed(f"{database}: it is open in {names}; stop that first, and run again")


def publish(keeper: Keeper, prepared: Prepared, mode: str, reporter: Reporter) -> None:
    """Put the new content into the database, which is to be left in the journal mode ``mode``."""
    with step(reporter, "publish") as detail:
        note_mode(prepared.work.parent, mode)
        keeper.publish(
            prepared.work,
            prepared.digest,
            lambda part: reporter.progress("publish", part),
            mode=mode,
        )
        detail.append("in one transaction")


def verify(
    keeper: Keeper, prepared: Prepared, backup: Path, failed: Path, reporter: Reporter
) -> None:
    """Look at what was published, and give the lock back."""
    with step(reporter, "verify") as detail:
        if keeper.verify(prepared.work, backup, failed):
            prepared.work.unlink()  # nobody needs it any more: its room is enough for the mode
            after_verifying(keeper.restore_mode)
        after_verifying(keeper.look_at_backup)
        keeper.release()
        detail.append("the database holds exactly what was verified")
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


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, so that nothing of it is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told of signals
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let the block come to its end before a first Ctrl-C or SIGTERM takes effect.

    What is published is to be verified as well; a second one is obeyed at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told of signals
        return
    caught: list[int] = []

    def note(number: int, _: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    earlier = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if caught:
        raise KeyboardInterrupt


@contextmanager
def made_if_missing(database: Path, like: Path | None = None) -> Iterator[bool]:
    """Make an empty file of ``database`` where none is, for the block; give whether it was made.

    It has the mode of ``like``, or one that only its owner may read. When the block raises, what is
    still empty is removed again.

    Raises: StepFailed when it cannot be made.
    """
    if os.path.lexists(database):
        yield False
        return
    mode = S_IMODE(like.stat().st_mode) if like else 0o600
    try:
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    except OSError as error:
        raise StepFailed(f"{database}: it cannot be made ({error.strerror})") from error
    try:
        yield True
    except BaseException:
        if not database.stat().st_size:
            database.unlink()
        raise
