"""The lock process: it holds the lock on the real database and does what it is told.

What it is told on standard input, and answers on standard output, is in ``orders``.

It runs nothing but this project's code and the standard library, for the lock is lost when anything
in its process opens and closes the file. When stdin closes, its parent is gone or a signal tells it
to end, it releases the lock and ends: a publish is rolled back unless it is complete, a verify
that has begun is completed.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.apply.lock.inspection import error_text
from pytest_bbmigrate.apply.lock.locked_file import LockedFile
from pytest_bbmigrate.apply.lock.orders import (
    BackUp,
    CheckBackup,
    Describe,
    Digest,
    Done,
    Failed,
    FailureKind,
    Inspect,
    Lock,
    Publish,
    ReadHistory,
    Recover,
    RestoreFile,
    RestoreJournalMode,
    Verify,
)
from pytest_bbmigrate.apply.lock.protocol import Abandoned, Channel
from pytest_bbmigrate.apply.lock.recover import recover
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import MEANWHILE
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.history.table import read_history
from pytest_bbmigrate.processes.messages import Unreadable
from pytest_bbmigrate.sqlite_files.backup import Pace, matches_file_in_place
from pytest_bbmigrate.sqlite_files.contents import digest_of
from pytest_bbmigrate.sqlite_files.failures import describe_error, is_not_a_database
from pytest_bbmigrate.sqlite_files.images import closed_on_failure
from pytest_bbmigrate.sqlite_files.locking import DatabaseLocked, journal_mode, set_journal_mode
from pytest_bbmigrate.sqlite_files.publishing import (
    new_faults,
    reading_closed,
    refuse_damaged,
    replace_content,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.lock.orders import Order


class LockServer(LockedFile):
    """The lock on one database, and what has been done to it since."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel = channel
        self.mode_before = ""  # the journal mode when it was locked
        self.digest = ""

    def obey(self, order: Order) -> Done | Failed:
        """Do what ``order`` says and return the answer.

        Raises: Abandoned when nobody wants it any more.
        """
        steps: dict[type[Order], Callable[[Any], Any]] = {
            Lock: self.lock,
            ReadHistory: lambda _: read_history(self.db),
            BackUp: self.back_up,
            Digest: lambda _: self.note.digest,
            CheckBackup: lambda _: self.backup_fault(),
            Publish: self.publish,
            Verify: self.verify,
            RestoreJournalMode: lambda _: self.restore_journal_mode(),
            Recover: lambda order: recover(self, order, self.lock),
            Describe: lambda _: self.describe(),
            Inspect: self.inspect,
            RestoreFile: lambda _: self.restore_file(),
        }
        try:
            result = steps[type(order)](order)
        except DatabaseLocked as error:
            return Failed(self.state, str(error), FailureKind.LOCKED)
        except BBMigrateError as error:
            is_none = is_not_a_database(error.__cause__)
            kind = FailureKind.NO_DATABASE if is_none else FailureKind.STEP
            return Failed(self.state, str(error), kind)
        except (sqlite3.Error, OSError) as error:
            return Failed(self.state, f"{self.path}: {describe_error(error)}", FailureKind.STEP)
        return Done(self.state, result)

    def lock(self, order: Lock) -> str:
        """Take the lock; return the journal mode that the database is to be left in.

        That is the one it is in, unless the order names one, which a killed run had changed.
        """
        self.path, self.seconds = order.database, order.deadline
        self.acquire(self.channel.still_wanted)
        with closed_on_failure(self.db):
            self.mode = self.mode_before = order.mode or journal_mode(self.db)
        return self.mode

    def back_up(self, order: BackUp) -> str:
        """Back the database up; return what is worth saying."""
        target = order.target
        try:
            notes = self.make_backup(order, Pace(self.seconds, self.channel.tell))
        except (sqlite3.Error, OSError) as error:
            raise StepFailed(
                f"{target}: the backup could not be written: {describe_error(error)}; make room in "
                f"{target.parent} or have backups go elsewhere (--bb-backup-dir), and run again"
            ) from error
        except Abandoned:
            self.rescue(order)
            raise
        self.backup = target
        self.refuse_written()
        return notes

    def publish(self, order: Publish) -> None:
        """Put the working copy into the database, which holds what the backup holds."""
        work = order.work
        if digest_of(work) != order.digest:
            raise StepFailed(
                f"{work}: not what was verified: something has written the working copy since; "
                "nothing was published"
            )
        self.refuse_changed()
        with reading_closed(work, self.seconds) as source:
            refuse_damaged(source, work)
            try:
                if self.mode == "wal":
                    set_journal_mode(self.db, "delete")
                self.refuse_nameless()
                replace_content(self.db, source, Pace(self.seconds, self.on_publish_progress))
            except (sqlite3.Error, OSError, StepFailed) as error:
                raise StepFailed(self.describe_failed_publish(error)) from error
        self.state = ContentState.PUBLISHED
        self.mode = order.mode
        self.digest = order.digest
        self.last_state = self.held.now
        self.refuse_lost()

    def on_publish_progress(self, part: float) -> None:
        """Report the progress of a publish, and end it where it cannot be completed.

        Raises: StepFailed; Abandoned.
        """
        self.channel.tell(part)
        self.refuse_nameless()

    def refuse_lost(self) -> None:
        """Make sure that what was published can be found under the database's name.

        Raises: StepFailed.
        """
        if change := self.change_of_name():
            self.state = ContentState.UNKNOWN
            raise StepFailed(f"{self.path}: {change}; what was published is not to be found there")

    def describe_failed_publish(self, error: sqlite3.Error | OSError | StepFailed) -> str:
        """Return why nothing could be published, and what the database was seen to hold."""
        why = f"{self.path}: could not be written: {error_text(error)}; nothing was published: "
        if change := self.change_of_name():
            self.state = ContentState.UNKNOWN
            return f"{why}{change}"
        if self.backup is None:
            return _listed(f"{why}SQLite has rolled it back", self.try_restore_mode())
        try:
            is_same = matches_file_in_place(self.db, self.backup, Pace(self.seconds))
        except (BBMigrateError, sqlite3.Error, OSError) as reason:
            self.state = ContentState.UNKNOWN
            unseen = f"SQLite has rolled it back, which could not be seen: {error_text(reason)}"
            return _listed(f"{why}{unseen}", self.try_restore_mode())
        if not is_same and (fault := self.backup_fault()):
            self.state = ContentState.UNKNOWN
            unseen = f"SQLite has rolled it back, which cannot be seen: {fault}"
            return _listed(f"{why}{unseen}", self.try_restore_mode())
        if not is_same:
            return f"{why}it was not as it was, and {self.restore_content(self.backup)}"
        compared = f"the database is as it was, compared with {self.backup.name}"
        return _listed(f"{why}{compared}", self.try_restore_mode())

    def verify(self, order: Verify) -> str:
        """Inspect at what was published; restore the backup when it is not the working copy.

        Nothing is written for that, so that a full disk is no reason to distrust what is there.
        Return '', or why the journal mode could not be restored, which the content does not
        depend on.
        """
        work, backup, failed = order.work, order.backup, order.failed
        if self.state is not ContentState.PUBLISHED:
            raise StepFailed(f"{self.path}: nothing was published, so there is nothing to verify")
        try:
            why = self.publish_fault(work, backup)
        except BBMigrateError as error:
            why = str(error)
        except (sqlite3.Error, OSError) as error:
            why = f"it could not be looked at: {describe_error(error)}"
        self.refuse_lost()
        if not why and not self.held.now.is_as_written_as(self.last_state):
            why = f"something else wrote to it {MEANWHILE}"
        if why:
            kept = self.keep_failed(failed, work.parent)
            restored = self.restore_content(backup)
            raise StepFailed(
                f"{self.path}: what was published did not verify: {why}; {restored}; {kept}"
            )
        self.state = ContentState.VERIFIED
        mode_fault = self.try_restore_mode()
        self.last_state = self.held.now
        return mode_fault

    def restore_file(self) -> str:
        """Give the file the owner and mode it had; return what was done, '' when nothing was.

        Raises: StepFailed when it was verified, and something has written to it since.
        """
        if self.state is ContentState.VERIFIED:
            self.refuse_written()
        return self.held.restore_mode()

    def publish_fault(self, work: Path, backup: Path) -> str:
        """Return what is wrong with what was published; '' when it is the working copy."""
        if digest_of(work) != self.digest:
            return "the working copy was written while it was published"
        if not matches_file_in_place(self.db, work, Pace(self.seconds)):
            return "its content is not the working copy's"
        if faults := new_faults(self.db, backup, work, self.seconds):
            return f"integrity_check finds: {faults[0]}"
        with reading_closed(work, self.seconds) as source:
            if read_history(self.db) != read_history(source):
                return "its history is not the working copy's"
        return ""

    def restore_content(self, backup: Path) -> str:
        """Make the content that of ``backup`` again; return in words whether that was done."""
        self.state = ContentState.UNKNOWN
        if fault := self.backup_fault():
            return f"the backup was not restored, and the database is not to be relied on: {fault}"
        self.mode = self.mode_before
        try:
            with reading_closed(backup, self.seconds) as source:
                replace_content(self.db, source, Pace(self.seconds))
            is_same = matches_file_in_place(self.db, backup, Pace(self.seconds))
            why = self.backup_fault() if is_same else "it differs afterwards"
        except (BBMigrateError, sqlite3.Error, OSError) as error:
            why = error_text(error)
        mode_fault = self.try_restore_mode()
        if why:
            return _listed(
                f"the backup could not be restored: {why}; the database is not to be relied on: "
                f"stop whatever uses it, and restore the backup {backup}",
                mode_fault,
            )
        self.state = ContentState.RESTORED
        self.last_state = self.held.now
        return _listed(
            f"the backup {backup} was restored, and the database is as it was", mode_fault
        )

    def restore_journal_mode(self) -> None:
        """Try once more to set the journal mode that the database is to be left in."""
        mode_fault = self.try_restore_mode()
        if self.state is ContentState.VERIFIED:
            self.last_state = self.held.now
        if mode_fault:
            raise StepFailed(f"{self.path}: {mode_fault}")

    def release(self) -> None:
        """Release the lock, once the journal mode is what it is to be."""
        if self.mode:
            self.try_restore_mode()
            self.db.close()
            self.mode = ""


def _listed(*texts: str) -> str:
    return "; ".join(filter(None, texts))


def serve(channel: Channel) -> None:
    """Obey orders until there are no more, and release the lock."""
    server = LockServer(channel)
    try:
        while True:
            channel.say(server.obey(channel.next_order()))
    except Abandoned:
        return
    finally:
        server.release()


def main(parent: str) -> int:
    """Be the lock process of ``parent``; return the exit code."""
    channel = Channel(sys.stdin.fileno(), sys.stdout.fileno(), int(parent))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, channel.hang_up)
    try:
        serve(channel)
    except Unreadable as error:
        sys.exit(f"it was told what is no order: {error}")
    return 0
