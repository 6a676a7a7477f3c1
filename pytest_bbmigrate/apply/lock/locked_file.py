"""A locked database: whether its name still leads to it, and what it holds."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.inspection import (
    error_text,
    inspect_held,
    inspect_other,
    location_of,
)
from pytest_bbmigrate.apply.lock.orders import LockedFileState
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import MEANWHILE, Content, FileFound, as_seen
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.sqlite_files.backup import Pace, back_up, note_beside, refuse_taken
from pytest_bbmigrate.sqlite_files.durable import sync
from pytest_bbmigrate.sqlite_files.failures import describe_error
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, empty_wal, hold_file
from pytest_bbmigrate.sqlite_files.images import closed_on_failure
from pytest_bbmigrate.sqlite_files.locking import journal_mode, set_journal_mode, take_lock
from pytest_bbmigrate.sqlite_files.notes import Note, describe_fault, with_digest, write_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.apply.lock.inspection import FoundContent, KnownContents
    from pytest_bbmigrate.apply.lock.orders import BackUp, Inspect
    from pytest_bbmigrate.apply.what_is_left import DatabaseSeen
    from pytest_bbmigrate.sqlite_files.held_file import FileState, HeldFile

PRIVATE = 0o600
TORN = ".torn"  # ends the name of a copy of no one moment, which no command takes for a backup


class LockedFile:
    """The lock on a database, and what is known of its file and of its content."""

    db: sqlite3.Connection
    held: HeldFile
    last_state: FileState  # the file when its content was known last

    def __init__(self) -> None:
        self.state = ContentState.UNTOUCHED
        self.path = Path()
        self.seconds = 0.0
        self.mode = ""  # the journal mode to leave it in; '' while there is no lock
        self.backup: Path | None = None
        self.torn: Path | None = None  # a copy that was made while something else wrote
        self.note = Note("", "", 0, "")  # on the backup, as it was made

    def acquire(self, still_wanted: Callable[[], None]) -> None:
        """Take the lock.

        Raises: DatabaseError, as ``take_lock`` does, or when another file has the name since.
        """
        self.db = take_lock(self.path, self.seconds, still_wanted)
        with closed_on_failure(self.db):
            empty_wal(self.db)
            self.held = hold_file(self.path)
        self.last_state = self.held.before

    def describe(self) -> LockedFileState:
        """Return where the file is, links resolved, and what it was when it was locked."""
        return LockedFileState(self.held.real, self.held.before)

    def change_of_name(self) -> str:
        """Return in words what the name leads to instead of the held file; '' when it does."""
        name = self.held.name
        if name is NameTarget.SAME:
            return ""
        detail = location_of(name, self.path, self.held.real, self.held.current_path)
        return str(FileFound(self.path, name, Content.UNSEEN, detail))

    def refuse_changed(self) -> None:
        """Make sure that the database is the file that was locked, and holds what was backed up.

        Raises: StepFailed, also where the backup is not what it was when it was made.
        """
        if fault := self.backup_fault():
            raise StepFailed(f"{fault}; nothing was published: find out what has written to it")
        change = self.change_of_name()
        if not change:
            known = ((Content.AS_BEFORE, self.backup),) if self.backup else ()
            content, detail = self.inspect_content(known)
            if content is not Content.AS_BEFORE:
                change = str(FileFound(self.path, NameTarget.SAME, content, detail))
        if change:
            raise StepFailed(f"{self.path}: {change}; nothing was published")

    def refuse_written(self) -> None:
        """Make sure that nobody has removed the file or written to it since it was looked at last.

        Raises: StepFailed.
        """
        change = self.change_of_name()
        if not change and not self.held.now.is_as_written_as(self.last_state):
            change = self.other_writer_text
        if change:
            raise StepFailed(f"{self.path}: {change}")

    def refuse_nameless(self) -> None:
        """Make sure that the file and its journal have their names.

        Without its journal a write that is killed cannot be rolled back.

        Raises: StepFailed.
        """
        if change := self.change_of_name():
            raise StepFailed(change)
        if not self.held.has_journal():
            raise StepFailed(f"something removed its journal {MEANWHILE}")

    def make_backup(self, order: BackUp, pace: Pace) -> str:
        """Back up as ``order`` says; return what is worth saying.

        What was copied while something else wrote to the database is no backup, and is kept under
        another name, for it may be all there is of what it held.

        Raises: StepFailed, DatabaseError, sqlite3.Error or OSError, and what ``pace`` raises.
        """
        target = order.target
        staging = order.staging or target.parent

        def refuse_torn(copy: Path) -> None:
            if not self.held.now.is_as_written_as(self.last_state):
                if order.note is not None:
                    self.keep_torn(copy, target)
                raise StepFailed(f"{self.path}: {self.change_of_name() or self.other_writer_text}")

        def write_note_on(complete: Path) -> None:
            refuse_torn(complete)
            self.note = with_digest(order.note or self.note, complete)
            if order.note is not None:
                write_note(self.note, note_beside(target), staging, complete)

        like = self.held.descriptor
        return back_up(
            self.db,
            target,
            like,
            pace,
            staging=staging,
            when_complete=write_note_on,
            when_unequal=refuse_torn,
        )

    @property
    def other_writer_text(self) -> str:
        """The sentence that something else wrote to the database."""
        return str(FileFound(self.path, NameTarget.SAME, Content.OTHER))

    def keep_torn(self, copy: Path, target: Path) -> None:
        """Keep ``copy``, which may be of no one moment, beside where the backup was to be."""
        torn = target.with_name(f"{target.name}{TORN}")
        refuse_taken(torn)
        copy.chmod(PRIVATE)
        copy.rename(torn)
        sync(torn.parent)
        self.torn = torn

    def describe_torn(self) -> str:
        """Return what the copy is that is no backup, in words; '' when there is none."""
        if self.torn is None:
            return ""
        return (
            f"{self.torn} was copied while something else wrote to the database: it may be neither "
            "what that held nor what it holds, and is no backup"
        )

    def rescue(self, order: BackUp) -> None:
        """Back up what has no name any more, and would be gone with the lock: see make_backup."""
        if self.held.name is not NameTarget.SAME and not order.target.exists():
            with suppress(BBMigrateError, sqlite3.Error, OSError):
                self.make_backup(order, Pace(self.seconds))
                self.backup = order.target

    def keep_failed(self, failed: Path, staging: Path) -> str:
        """Keep the content that did not verify in the file ``failed``; return where, or why not."""
        try:
            back_up(
                self.db,
                failed,
                self.held.descriptor,
                Pace(self.seconds),
                mask=PRIVATE,
                staging=staging,
            )
        except (BBMigrateError, sqlite3.Error, OSError) as error:
            return f"what did not verify could not be kept: {error_text(error)}"
        return f"what did not verify is kept in {failed}"

    def backup_fault(self) -> str:
        """Return how the backup differs from what it was when it was made; '' when it does not."""
        return describe_fault(self.backup, self.note) if self.backup is not None else ""

    def inspect(self, order: Inspect) -> DatabaseSeen:
        """Return what is under the database's name; back up what has no name, if nobody has.

        The owner and mode of the file are made what they were.
        """
        note = self.held.restore_mode()
        content, detail = Content.UNSEEN, ""
        if self.held.name is NameTarget.SAME:
            content, detail = self.inspect_content(self.known_contents(order.work))
        if (name := self.held.name) is not NameTarget.SAME:
            self.rescue(order.backup)
            content, _ = inspect_other(self.held.real, self.known_contents(order.work))
            detail = location_of(name, self.path, self.held.real, self.held.current_path)
        return as_seen(name, content, detail, note, self.describe_torn())

    def inspect_content(self, known: KnownContents) -> FoundContent:
        """Return what the held file holds, which may be one of ``known``."""
        return inspect_held(self.db, self.held, self.last_state, known, self.seconds)

    def known_contents(self, work: Path | None) -> KnownContents:
        """Return what the content can be compared with, and what it is then."""
        is_sound = self.backup is not None and not self.backup_fault()
        contents = [(Content.AS_BEFORE, self.backup)] if self.backup and is_sound else []
        if work and self.state is not ContentState.UNTOUCHED:
            is_seen = self.state is ContentState.VERIFIED
            contents.insert(0, (Content.VERIFIED if is_seen else Content.PUBLISHED, work))
        return tuple(contents)

    def try_restore_mode(self) -> str:
        """Set the journal mode that the database is to be left in; return '' or what went wrong."""
        try:
            if self.mode == "wal" and journal_mode(self.db) != "wal":
                set_journal_mode(self.db, "wal")
        except sqlite3.Error as error:
            return (
                f"it is in journal_mode delete now and could not be set to wal again "
                f"({describe_error(error)}): mend that, and run PRAGMA journal_mode = wal on it"
            )
        return ""
