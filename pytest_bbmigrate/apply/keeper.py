"""The parent's handle on the keeper, which holds the lock on the real database."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from pytest_bbmigrate.apply.holding import State
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.apply.process import KeeperEnded, KeeperProcess
from pytest_bbmigrate.database.notes import fault_of
from pytest_bbmigrate.database.openers import is_open_here, openers_of
from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.history import Applied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from pytest_bbmigrate.database.notes import Note
    from pytest_bbmigrate.database.openers import Opener

CONTENT = {
    State.UNTOUCHED: "nothing was published, and the database is as it was; run again",
    State.PUBLISHED: (
        "the working copy was published, and not yet verified; see with pytest --bb-status and in "
        "the app that it is what it should be"
    ),
    State.VERIFIED: "the working copy was published and verified",
    State.PUT_BACK: "the backup was put back, and the database is as it was",
    State.UNKNOWN: (
        "the database is either as it was or what was to be published, for SQLite writes it in one "
        "transaction; see which with pytest --bb-status, and run again"
    ),
}
UNTOUCHED = frozenset({State.UNTOUCHED, State.PUT_BACK})


class Keeper:
    """Holds the lock on a database in a process of its own, and backs up, publishes and verifies.

    A context manager: leaving it gives the lock back and ends the process. ``state`` is what the
    content of the database is, whatever was raised; ``notes`` are worth telling and no obstacle;
    ``digest`` is the hash of the backup.
    What cannot be done raises StepFailed, whose message says what has become of the database.
    """

    def __init__(self, database: Path, *, deadline: float = 5.0) -> None:
        self.database = database
        self.deadline = deadline
        self.state = State.UNTOUCHED
        self.notes: tuple[str, ...] = ()
        self.digest = ""
        self._mode = self._new_mode = ""
        self._backup: Path | None = None
        self._keeps_backup = True
        self._process: KeeperProcess | None = None

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
        """The keeper's process, None when it does not run."""
        return self._process.child.pid if self._process is not None else None

    def lock(self, mode: str = "") -> str:
        """Take the exclusive lock, kept until ``release``; return the database's journal mode.

        With ``mode`` that is the one it is to be left in, whatever it is in.

        Raises: StepFailed, which names who has it open, after ``deadline`` seconds; DatabaseError
            when it is no database.
        """
        if self._process is not None:
            raise StepFailed(f"{self.database}: the lock is held already")
        self._process = KeeperProcess()
        order = {"do": "lock", "database": _path(self.database), "deadline": self.deadline}
        self._mode = str(self._ask({**order, "mode": mode}))
        return self._mode

    def read_history(self) -> tuple[Applied, ...]:
        """Return the history of the database, read through the lock."""
        return tuple(Applied(*row) for row in self._ask({"do": "read_history"}))

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
        order = {"do": "back_up", "target": _path(target), "note": note and asdict(note)}
        said = self._ask({**order, "staging": _path(staging) if staging else ""}, on_progress)
        self._backup = target
        self.digest = str(self._ask({"do": "digest"}))
        if said:
            self.notes = (*self.notes, str(said))

    def look_at_backup(self) -> None:
        """Make sure that the backup is what it was when it was made.

        Raises: StepFailed.
        """
        if rot := self._ask({"do": "look_at_backup"}):
            raise StepFailed(f"the backup cannot be relied on: {rot}")

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
        order = {"do": "publish", "work": _path(work), "digest": digest, "mode": self._new_mode}
        with interrupts_held():
            self._ask(order, on_progress, work)

    def verify(self, work: Path, backup: Path, failed: Path) -> str:
        """Look at what was published: it is the content of ``work``, sound, its history too.

        Return '', or why the journal mode could not be put back: ``restore_mode`` tries again.

        When it is not, it is kept in the new file ``failed``, ``backup`` is put back, and
        StepFailed says so. A Ctrl-C meanwhile takes effect when all that is done.
        """
        paths = {"work": _path(work), "backup": _path(backup), "failed": _path(failed)}
        with interrupts_held():
            return str(self._ask({"do": "verify", **paths}, work=work))

    def restore_mode(self) -> None:
        """Put the database into the journal mode that it is to be left in, if it is in another.

        Raises: StepFailed; it is tried once more when the lock is given back.
        """
        self._ask({"do": "restore_mode"})

    def release(self) -> None:
        """Give the lock back and end the process, if that has not been done.

        Raises: StepFailed when the process had ended by itself, so that the lock was lost.
        """
        ended = self._end()
        if ended and self.state is not State.VERIFIED:
            raise StepFailed(f"{self.database}: {ended}: {self._content()}")

    def _ask(
        self,
        order: Mapping[str, object],
        on_progress: Callable[[float], None] | None = None,
        work: Path | None = None,
    ) -> Any:
        if self._process is None:
            raise StepFailed(f"{self.database}: the lock is not held; nothing was done")
        before, gets_order = self.state, work is None or self._process.child.poll() is None
        try:
            answer = self._process.ask(order, on_progress)
        except KeeperEnded as ended:
            self._end_unheard(work)
            if not gets_order:
                self.state = before  # whatever another program has written since
            raise StepFailed(f"{self.database}: {ended}: {self._content()}") from None
        except BaseException:
            self._end_unheard(work)  # it rolls back what it is at, unless that was just done
            raise
        self.state = State(answer["state"])
        if "failed" not in answer:
            return answer["done"]
        if order["do"] == "lock":
            self._end()
        raise self._failure(answer)

    def _content(self) -> str:
        """Return what the content of the database is, and where to find what it was before."""
        content = CONTENT[self.state]
        if self._backup is None or not self._keeps_backup or self.state in UNTOUCHED:
            return content
        if rot := fault_of(self._backup, self.digest):
            return f"{content}; {self._backup} is no backup of it any more: {rot}"
        return f"{content}; pytest --bb-restore={self._backup} puts back what it held before"

    def _failure(self, answer: dict[str, Any]) -> StepFailed | DatabaseError:
        """Return the exception for an answer that says why something could not be done."""
        said = str(answer["failed"])
        if answer["kind"] == "database":
            return DatabaseError(self.database, said.removeprefix(f"{_path(self.database)}: "))
        if answer["kind"] == "locked":
            here = is_open_here(self.database)
            return StepFailed(in_use(self.database, openers_of(self.database), here=here))
        return StepFailed(said)

    def _end_unheard(self, work: Path | None) -> None:
        """End the process, whose answer nobody reads; see what it has left when it had ``work``."""
        self._end()
        if work is not None:
            self._settle(work)

    def _settle(self, work: Path) -> None:
        """Have another keeper roll back what the one that ended has left, and see which it is."""
        self.state = State.UNKNOWN
        order = {
            "do": "settle",
            "database": _path(self.database),
            "deadline": self.deadline,
            "work": _path(work),
            "backup": _path(self._backup) if self._backup else "",
            "mode": self._mode,
            "new_mode": self._new_mode,
        }
        process = KeeperProcess()
        try:
            self.state = State(process.ask(order, None)["state"])
        except KeeperEnded:
            return  # unknown it stays, and is said to be
        finally:
            process.end()

    def _end(self) -> str:
        process, self._process = self._process, None
        return process.end() if process else ""


def in_use(database: Path, openers: tuple[Opener, ...], *, here: bool = False) -> str:
    """Return the words for a database that others have open, and the way out.

    ``here`` is whether this process has it open itself.
    """
    if here and not openers:
        return (
            f"{database.name} is open in this very pytest, and locked by that: a conftest.py, a "
            "test, or a module that one of them imports, has opened it and left it open; have it "
            "opened on first use, and closed, or leave conftest.py out (--noconftest)"
        )
    if not openers:
        return (
            f"{database.name} is locked by a program that cannot be seen from here: another "
            "user's, or one on another machine; stop it and run again"
        )
    names = [str(opener) for opener in openers]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return (
        f"{database.name} is open in {listed}: stop {'them' if names[1:] else 'it'} and run again"
    )


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Have a Ctrl-C that comes while the block runs take effect at its end."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # no interrupt is raised here
        return
    caught: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if caught:
            handler(signal.SIGINT, None)


def _path(path: Path) -> str:
    """Return ``path`` for a process whose working directory is another."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links: the names are the user's
