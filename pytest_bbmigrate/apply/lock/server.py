"""The lock process: it holds the lock on the real database and does what it is told.

What it is told on standard input, and answers on standard output, is in ``orders``.

It runs nothing but this project's code and the standard library, for the lock is lost when anything
in its process opens and closes the file. When stdin closes, its parent is gone or a signal tells it
to end, it gives the lock back and ends: a publish is rolled back unless it is complete, a verify
that has begun comes to its end.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.apply.lock.locked_file import LockedFile
from pytest_bbmigrate.apply.lock.look import said
from pytest_bbmigrate.apply.lock.orders import (
    BackUp,
    Describe,
    Digest,
    Done,
    Failed,
    FailureKind,
    Lock,
    Look,
    LookAtBackup,
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
        self.found = ""  # the one it was in
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
            LookAtBackup: lambda _: self.rot(),
            Publish: self.publish,
            Verify: self.verify,
            RestoreJournalMode: lambda _: self.restore_journal_mode(),
            Recover: lambda order: recover(self, order, self.lock),
            Describe: lambda _: self.describe(),
            Look: self.look,
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
        self.take(self.channel.still_wanted)
        with closed_on_failure(self.db):
            self.mode = self.found = order.mode or journal_mode(self.db)
        return self.mode

    def back_up(self, order: BackUp) -> str:
        """Back the database up; return what is worth saying."""
        target = order.target
        try:
            said = self.make_backup(order, Pace(self.seconds, self.channel.tell))
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
        return said

    def publish(self, order: Publish) -> None:
        """Put the working copy into the database, which holds what the backup holds."""
        work = order.work
        if digest_of(work) != order.digest:
            raise StepFailed(
                f"{work}: not what was verified: something has written the working copy since; "
                "nothing was published"
            )
        if rot := self.rot():
            raise StepFailed(f"{rot}; nothing was published: find out what has written to it")
        self.refuse_changed()
        with reading_closed(work, self.seconds) as source:
            refuse_damaged(source, work)
            try:
                if self.mode == "wal":
                    set_journal_mode(self.db, "delete")
                self.refuse_nameless()
                replace_content(self.db, source, Pace(self.seconds, self.tell_published))
            except (sqlite3.Error, OSError, StepFailed) as error:
                raise StepFailed(self.after_rollback(error)) from error
        self.state = ContentState.PUBLISHED
        self.mode = order.mode
        self.digest = order.digest
        self.seen = self.held.now
        self.refuse_lost()

    def tell_published(self, part: float) -> None:
        """Report progress of a publish, as long as it can be gone on with.

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

    def after_rollback(self, error: sqlite3.Error | OSError | StepFailed) -> str:
        """Return why nothing could be published, and what the database is like, looked at."""
        why = f"{self.path}: could not be written: {said(error)}; nothing was published: "
        if change := self.change_of_name():
            self.state = ContentState.UNKNOWN
            return f"{why}{change}"
        if self.backup is None:
            return _listed(f"{why}SQLite has rolled it back", self.mode_trouble())
        try:
            same = matches_file_in_place(self.db, self.backup, Pace(self.seconds))
        except (BBMigrateError, sqlite3.Error, OSError) as reason:
            self.state = ContentState.UNKNOWN
            unseen = f"SQLite has rolled it back, which could not be seen: {said(reason)}"
            return _listed(f"{why}{unseen}", self.mode_trouble())
        if not same and (rot := self.rot()):
            self.state = ContentState.UNKNOWN
            unseen = f"SQLite has rolled it back, which cannot be seen: {rot}"
            return _listed(f"{why}{unseen}", self.mode_trouble())
        if not same:
            return f"{why}it was not as it was, and {self.put_back(self.backup)}"
        compared = f"the database is as it was, compared with {self.backup.name}"
        return _listed(f"{why}{compared}", self.mode_trouble())

    def verify(self, order: Verify) -> str:
        """Look at what was published; put the backup back when it is not the working copy.

        Nothing is written for that, so that a full disk is no reason to distrust what is there.
        Return '', or why the journal mode could not be put back, which the content does not
        depend on.
        """
        work, backup, failed = order.work, order.backup, order.failed
        if self.state is not ContentState.PUBLISHED:
            raise StepFailed(f"{self.path}: nothing was published, so there is nothing to verify")
        try:
            why = self.shortfall(work, backup)
        except BBMigrateError as error:
            why = str(error)
        except (sqlite3.Error, OSError) as error:
            why = f"it could not be looked at: {describe_error(error)}"
        self.refuse_lost()
        if not why and not self.held.now.is_as_written_as(self.seen):
            why = f"something else wrote to it {MEANWHILE}"
        if why:
            kept = self.keep(failed, work.parent)
            put_back = self.put_back(backup)
            raise StepFailed(
                f"{self.path}: what was published did not verify: {why}; {put_back}; {kept}"
            )
        self.state = ContentState.VERIFIED
        trouble = self.mode_trouble()
        self.seen = self.held.now
        return trouble

    def restore_file(self) -> str:
        """Give the file the owner and mode it had; return what was done, '' when nothing was.

        Raises: StepFailed when it was verified, and something has written to it since.
        """
        if self.state is ContentState.VERIFIED:
            self.refuse_written()
        return self.held.restore_mode()

    def shortfall(self, work: Path, backup: Path) -> str:
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

    def put_back(self, backup: Path) -> str:
        """Make the content that of ``backup`` again; return what came of it."""
        self.state = ContentState.UNKNOWN
        if rot := self.rot():
            return f"the backup was not put back, and the database is not to be relied on: {rot}"
        self.mode = self.found
        try:
            with reading_closed(backup, self.seconds) as source:
                replace_content(self.db, source, Pace(self.seconds))
            same = matches_file_in_place(self.db, backup, Pace(self.seconds))
            why = self.rot() if same else "it differs afterwards"
        except (BBMigrateError, sqlite3.Error, OSError) as error:
            why = said(error)
        trouble = self.mode_trouble()
        if why:
            return _listed(
                f"the backup could not be put back: {why}; the database is not to be relied on: "
                f"stop whatever uses it, and restore the backup {backup}",
                trouble,
            )
        self.state = ContentState.PUT_BACK
        self.seen = self.held.now
        return _listed(f"the backup {backup} was put back, and the database is as it was", trouble)

    def restore_journal_mode(self) -> None:
        """Try once more to put the database into the journal mode it had."""
        trouble = self.mode_trouble()
        if self.state is ContentState.VERIFIED:
            self.seen = self.held.now
        if trouble:
            raise StepFailed(f"{self.path}: {trouble}")

    def give_back(self) -> None:
        """Release the lock, the journal mode being what it was."""
        if self.mode:
            self.mode_trouble()
            self.db.close()
            self.mode = ""


def _listed(*said: str) -> str:
    return "; ".join(filter(None, said))


def hold(channel: Channel) -> None:
    """Obey what comes in, to the end of it, and give the lock back."""
    holder = LockServer(channel)
    try:
        while True:
            channel.say(holder.obey(channel.next_order()))
    except Abandoned:
        return
    finally:
        holder.give_back()


def main(parent: str) -> int:
    """Be the lock process of ``parent``; return the exit code."""
    channel = Channel(sys.stdin.fileno(), sys.stdout.fileno(), int(parent))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, channel.hang_up)
    try:
        hold(channel)
    except Unreadable as error:
        sys.exit(f"it was told what is no order: {error}")
    return 0
