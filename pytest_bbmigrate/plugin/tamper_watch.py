"""Watch the real database, and calls that would end the process, while a session's tests run."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import pytest

FileState = tuple[int, int, int, int]  # inode, size, time of change in nanoseconds, mode
FileStates = tuple[FileState | None, ...]


def file_states(database: Path) -> FileStates:
    """Return inode, size, time and mode of ``database`` and of its WAL; None for a missing file.

    Any write changes one of them. An empty WAL counts as missing: a reader may leave one behind.
    """
    states: list[FileState | None] = []
    real = Path(os.path.realpath(database))
    for path in (real, real.with_name(f"{real.name}-wal")):
        stat = None
        with suppress(OSError):  # the preflight reports why it cannot be read
            stat = path.stat()
        is_empty_wal = path != real and stat is not None and not stat.st_size
        states.append(
            None
            if stat is None or is_empty_wal
            else (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode)
        )
    return tuple(states)


class DatabaseWatch:
    """The real database as the session found it, and whether it has changed before the lock."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._before = file_states(database)
        self._noticed = ""
        self._suspects = "one of this session's tests has done that, or another program"

    def suspect_migrations(self) -> None:
        """Have ``fault`` say that a migration may have done it, which no kernel has held."""
        self._suspects = (
            "a Python migration has done that in its checks, which no kernel keeps from it here, "
            "or one of this session's tests, or another program"
        )

    def notice(self, moment: str) -> None:
        """Keep ``moment``, in words, if it is the first at which the database is seen changed."""
        if not self._noticed and file_states(self._database) != self._before:
            self._noticed = moment

    @property
    def summary(self) -> str:
        """Whether the database is as it was, in words."""
        if file_states(self._database) == self._before:
            return f"{self._database.name} is as it was"
        return f"{self._database.name} was changed while this session went on, and not by its apply"

    def fault(self) -> str:
        """Return how the database was changed since, and what to do about it; '' if it was not."""
        after = file_states(self._database)
        if after == self._before:
            return ""
        names = (self._database.name, f"{self._database.name}-wal")
        changes = [
            f"{name} {_difference(state_before, state_after)}"
            for name, state_before, state_after in zip(names, self._before, after, strict=True)
            if state_before != state_after
        ]
        seen = f"; seen first when {self._noticed}" if self._noticed else ""
        return (
            f"{' and '.join(changes)}, after the preflight had looked at it{seen}: "
            f"{self._suspects}. Nothing was applied. A test that writes is to open bb_head_path, "
            "which is a copy; see with --bb-status that the database is what it should be, and run "
            "again"
        )

    def restore_mode(self) -> str:
        """Restore the file's mode if nothing else was changed; return a note on that, or ''."""
        (before, _), (after, _) = self._before, file_states(self._database)
        if before is None or after is None or before[:3] != after[:3] or before == after:
            return ""
        try:
            self._database.chmod(before[3] & 0o7777)
        except OSError as error:
            return f"its mode could not be restored: {error.strerror}"
        return f"{self._database.name} has the mode {before[3] & 0o7777:o} again"


def _difference(before: FileState | None, after: FileState | None) -> str:
    if after is None:
        return "was removed"
    inode, size, modified, mode = after
    when = time.strftime("%H:%M:%S", time.localtime(modified / 1e9))
    if before is None:
        return f"was made ({size:,} bytes, written at {when})"
    inode_before, size_before, modified_before, mode_before = before
    if inode_before != inode:
        return f"was replaced by another file ({size:,} bytes, written at {when})"
    if modified_before == modified:
        return f"has another mode ({mode_before & 0o7777:o} before, {mode & 0o7777:o} now)"
    return f"was written at {when} ({size_before:,} bytes before, {size:,} now)"


def refuse_exits(config: pytest.Config) -> None:
    """Make ``os._exit`` raise SystemExit until pytest ends: an exit with 0 would look like success.

    A process that a test forks may still end by it.
    """
    exit_at_once, this_process = os._exit, os.getpid()

    def refuse_exit(status: int) -> NoReturn:
        if os.getpid() != this_process:
            exit_at_once(status)
        raise SystemExit(f"os._exit({status}) was called, which would end the apply unseen")

    def allow_exits() -> None:
        os._exit = exit_at_once

    os._exit = refuse_exit
    config.add_cleanup(allow_exits)
