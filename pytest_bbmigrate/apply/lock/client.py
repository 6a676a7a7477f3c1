"""The client of the process that holds the lock on the real database."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from pytest_bbmigrate.apply.lock.aftermath import look_afterwards, seen_in
from pytest_bbmigrate.apply.lock.orders import (
    BackUp,
    CheckBackup,
    Describe,
    Digest,
    Failed,
    FailureKind,
    Inspect,
    Lock,
    LockedFileState,
    Publish,
    ReadHistory,
    Recover,
    RestoreFile,
    RestoreJournalMode,
    Verify,
)
from pytest_bbmigrate.apply.lock.process import LockProcess, LockProcessEnded
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import (
    Content,
    FileFound,
    describe_state,
    if_exists,
    read_file_found,
)
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.processes.signals import defer_first_interrupt, defer_interrupts
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, look_up
from pytest_bbmigrate.sqlite_files.notes import backup_fault
from pytest_bbmigrate.sqlite_files.openers import in_use_message, is_open_here, openers_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_bbmigrate.apply.lock.orders import Order
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files.notes import Note

T = TypeVar("T")


class LockClient:
    """Holds the lock on a database in a process of its own, and backs up, publishes and verifies.

    A context manager: leaving it gives the lock back and ends the process. ``state`` is what the
    content of the database is, whatever was raised; ``notes`` are worth telling and no obstacle;
    ``digest`` is the hash of the backup.
    What cannot be done raises StepFailed, whose message says what has become of the database.
    """

    def __init__(self, database: Path, *, deadline: float = 5.0) -> None:
        self.database = database
        self.deadline = deadline
        self.state = ContentState.UNTOUCHED
        self.notes: tuple[str, ...] = ()
        self.file_notes: tuple[str, ...] = ()  # what was done to its owner and mode
        self.digest = ""
        self._mode = self._new_mode = ""
        self._backup: Path | None = None
        self._keeps_backup = True
        self._process: LockProcess | None = None
        self._locked_file: LockedFileState | None = None
        self._file_found: FileFound | None = None  # by a process that has ended by itself

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.release()
        else:
            self._end()  # what was raised is the news

    @property
    def pid(self) -> int | None:
        """The lock process, None when it does not run."""
        return self._process.child.pid if self._process is not None else None

    def lock(self, mode: str = "") -> str:
        """Take the exclusive lock, kept until ``release``; return the database's journal mode.

        With ``mode`` that is the one it is to be left in, whatever it is in.

        Raises: StepFailed, which names who has it open, after ``deadline`` seconds; DatabaseError
            when it is no database.
        """
        if self._process is not None:
            raise StepFailed(f"{self.database}: the lock is held already")
        with defer_first_interrupt():  # so that it is known, and ended
            self._process = LockProcess()
        self._mode = self._ask(Lock(_path(self.database), self.deadline, mode), str)
        self._locked_file = self._ask(Describe(), LockedFileState)
        return self._mode

    @property
    def has_locked(self) -> bool:
        """Whether the lock was taken once, whatever has become of it."""
        return self._locked_file is not None

    def read_history(self) -> tuple[Applied, ...]:
        """Return the history of the database, read through the lock."""
        return self._ask(ReadHistory(), tuple)

    def back_up(
        self,
        target: Path,
        on_progress: Callable[[float], None] | None = None,
        *,
        is_kept: bool = True,
        note: Note | None = None,
        staging: Path | None = None,
    ) -> None:
        """Copy the database into the new file ``target``, proved equal, with its owner and mode.

        ``note`` is written beside it, with its digest, which is in ``digest`` afterwards. Until it
        is complete it lies in the folder ``staging``.

        ``on_progress`` gets the part that is copied, of 1. The backup is in rollback mode and has
        nothing beside it, whatever the database is in. ``is_kept`` is whether it is to stay, so
        that a message may name it.
        """
        self._keeps_backup = is_kept
        note_text = self._ask(_back_up(target, note, staging), str, on_progress)
        self._backup = target
        self.digest = self._ask(Digest(), str)
        if note_text:
            self.notes = (*self.notes, note_text)

    def check_backup(self) -> None:
        """Make sure that the backup is what it was when it was made.

        Raises: StepFailed.
        """
        if fault := self._ask(CheckBackup(), str):
            raise StepFailed(f"the backup cannot be relied on: {fault}")

    def publish(
        self,
        work: Path,
        digest: str,
        on_progress: Callable[[float], None] | None = None,
        *,
        mode: str = "",
    ) -> None:
        """Put the file ``work``, whose hash is ``digest``, into the database in one transaction.

        Once that is complete the database is to be in the journal mode ``mode``, '' for the one it
        was in. A Ctrl-C meanwhile takes effect when it is complete.
        """
        self._new_mode = mode or self._mode
        with defer_interrupts():
            order = Publish(_path(work), digest, self._new_mode)
            self._ask(order, type(None), on_progress, work)

    def verify(self, work: Path, backup: Path, failed: Path) -> str:
        """Look at what was published: it is the content of ``work``, sound, its history too.

        Return '', or why the journal mode could not be restored: ``restore_mode`` tries again.

        Otherwise it is kept in the new file ``failed``, ``backup`` is restored, and StepFailed
        says so. A Ctrl-C meanwhile takes effect when all that is done.
        """
        with defer_interrupts():
            order = Verify(_path(work), _path(backup), _path(failed))
            return self._ask(order, str, work=work)

    def inspect(
        self,
        backup: Path,
        work: Path | None = None,
        *,
        note: Note | None = None,
        staging: Path | None = None,
    ) -> FileFound:
        """Return what is under the database's name, and whether ``backup`` is there.

        Looked at are the file itself, through the lock while it is held, or else by another process
        that takes it. ``work`` is what was to be published. The file's mode is made what it was,
        and a file that has no name any more is backed up if that has not been done (``back_up``).
        """
        order = Inspect(_back_up(backup, note, staging), _path(work) if work else None)
        if self._process is not None:
            try:
                answer = self._process.ask(order, None)
            except LockProcessEnded:
                self._end()
            except BaseException:
                self._end()
                raise
            else:
                self.state = answer.state
                file_found = read_file_found(self.database, seen_in(answer), backup)
                return replace(file_found, notes=(*self.file_notes, *file_found.notes))
        if self._file_found is not None:
            return replace(self._file_found, backup=if_exists(backup) or self._file_found.backup)
        if self.state is ContentState.VERIFIED:  # and the lock given back: others may have it again
            return FileFound(
                self.database, self._name_target(), Content.VERIFIED, backup=if_exists(backup)
            )
        return self._recover(work, backup)

    def restore_file(self) -> str:
        """Give the file the owner and mode it had; return what was done, '' when nothing was."""
        if note := self._ask(RestoreFile(), str):
            self.file_notes = (*self.file_notes, note)
        return note

    def refuse_lost(self) -> None:
        """Make sure, once the lock is given back, that the file still has its name.

        Raises: StepFailed.
        """
        file_found = FileFound(self.database, self._name_target(), Content.VERIFIED)
        if file_found.name is not NameTarget.SAME:
            raise StepFailed(f"{self.database}: it was verified, and since then {file_found}")

    def restore_mode(self) -> None:
        """Set the journal mode that the database is to be left in, if it is in another.

        Raises: StepFailed; it is tried once more when the lock is given back.
        """
        self._ask(RestoreJournalMode(), type(None))

    def release(self) -> None:
        """Give the lock back and end the process, if that has not been done.

        Raises: StepFailed when the process had ended by itself, so that the lock was lost.
        """
        ended = self._end()
        if ended and self.state is not ContentState.VERIFIED:
            self._end_and_recover(None)
            raise StepFailed(f"{self.database}: {ended}: {self._describe_content()}")

    def _ask(
        self,
        order: Order,
        kind: type[T],
        on_progress: Callable[[float], None] | None = None,
        work: Path | None = None,
    ) -> T:
        """Return the result of ``order``, which is of the type ``kind``."""
        if self._process is None:
            raise StepFailed(f"{self.database}: the lock is not held; nothing was done")
        before, is_running = self.state, work is None or self._process.child.poll() is None
        try:
            answer = self._process.ask(order, on_progress)
        except LockProcessEnded as ended:
            self._end_and_recover(work)
            if not is_running:
                self.state = before  # whatever another program has written since
            raise StepFailed(f"{self.database}: {ended}: {self._describe_content()}") from None
        except BaseException:
            self._end_and_recover(work)  # it rolls back what it is at, unless that was just done
            raise
        self.state = answer.state
        if isinstance(answer, Failed):
            if isinstance(order, Lock):
                self._end()
            raise self._failure(answer)
        if not isinstance(answer.result, kind):
            raise TypeError(f"{order} has another result")
        return answer.result

    def _describe_content(self) -> str:
        """Return what the database holds now, and where what it held before is."""
        text = describe_state(self.state, self._file_found)
        backup = self._file_found.backup if self._file_found is not None else None
        if backup is None or not self._keeps_backup or self.state is ContentState.RESTORED:
            return text
        if self._file_found is None or self._file_found.is_as_it_was:
            return text
        if fault := backup_fault(backup, self.digest):
            return f"{text}; {backup} is no backup of it any more: {fault}"
        return f"{text}; what it held before is in {backup}"

    def _failure(self, answer: Failed) -> StepFailed | DatabaseError:
        """Return the exception for an answer that says why something could not be done."""
        if answer.kind is FailureKind.NO_DATABASE:
            message = answer.why.removeprefix(f"{_path(self.database)}: ")
            return DatabaseError(self.database, message)
        if answer.kind is FailureKind.LOCKED:
            is_ours = is_open_here(self.database)
            return StepFailed(
                in_use_message(self.database, openers_of(self.database), here=is_ours)
            )
        return StepFailed(answer.why)

    def _end_and_recover(self, work: Path | None) -> None:
        """End the process, whose answer is lost, and find out what it has left."""
        self._end()
        if self._locked_file is not None:
            self._file_found = self._recover(work, self._backup)

    def _recover(self, work: Path | None, backup: Path | None) -> FileFound:
        """Have another process roll back what the one that ended has left, and see which it is.

        Before there was a publish (``work``) its state is what it was.
        """
        before, self.state = self.state, ContentState.UNKNOWN
        order = Recover(
            Lock(_path(self.database), self.deadline, self._mode),
            self._file,
            self._new_mode,
            self.digest,
            _path(self._backup) if self._backup else None,
            _path(work) if work else None,
        )
        self.state, seen = look_afterwards(order)
        if work is None:
            self.state = before
        return read_file_found(self.database, seen, backup)

    def _name_target(self) -> NameTarget:
        """Return what the database's name leads to, by a look from outside."""
        return look_up(self.database, self._file.real, self._file.file)

    @property
    def _file(self) -> LockedFileState:
        """The file that was locked."""
        if self._locked_file is None:
            raise StepFailed(f"{self.database}: the lock was never held; nothing was done")
        return self._locked_file

    def _end(self) -> str:
        process, self._process = self._process, None
        return process.end() if process else ""


def _path(path: Path) -> Path:
    """Return ``path`` for a process whose working directory is another."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links: the names are the user's


def _back_up(target: Path, note: Note | None, staging: Path | None) -> BackUp:
    """Return the order to make a backup."""
    return BackUp(_path(target), note, _path(staging) if staging else None)
