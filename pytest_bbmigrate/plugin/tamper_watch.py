"""What a session that applies watches while its tests run: the real database, and its own end."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import pytest

Looks = tuple["tuple[int, ...] | None", ...]


def looks_of(database: Path) -> Looks:
    """Return what would be another if somebody wrote to ``database``, of it and of its WAL.

    An empty WAL is like none: it comes and goes with whoever reads the database.
    """
    looks = []
    real = Path(os.path.realpath(database))
    for path in (real, real.with_name(f"{real.name}-wal")):
        there = None
        with suppress(OSError):  # the preflight says what keeps us from it
            there = path.stat()
        is_empty_wal = path != real and there is not None and not there.st_size
        looks.append(
            None
            if there is None or is_empty_wal
            else (there.st_ino, there.st_size, there.st_mtime_ns, there.st_mode)
        )
    return tuple(looks)


class DatabaseWatch:
    """The real database as a session saw it first, and what has become of it before the lock."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._before = looks_of(database)
        self._noticed = ""

    def look(self, moment: str) -> None:
        """Take down the ``moment`` at which the database is seen to be another, the first one."""
        if not self._noticed and looks_of(self._database) != self._before:
            self._noticed = moment

    @property
    def standing(self) -> str:
        """In words: the database is as it was, or something else than the apply has changed it."""
        if looks_of(self._database) == self._before:
            return f"{self._database.name} is as it was"
        return f"{self._database.name} was changed while this session went on, and not by its apply"

    def fault(self) -> str:
        """Return what somebody has done to the database since, and the way out; '' for nothing."""
        after = looks_of(self._database)
        if after == self._before:
            return ""
        names = (self._database.name, f"{self._database.name}-wal")
        what = [
            f"{name} {_difference(was, now)}"
            for name, was, now in zip(names, self._before, after, strict=True)
            if was != now
        ]
        seen = f"; seen first when {self._noticed}" if self._noticed else ""
        return (
            f"{' and '.join(what)}, after the preflight had looked at it{seen}: one of this "
            "session's tests has done that, or another program. Nothing was applied. A test that "
            "writes is to open bb_head_path, which is a copy; see with --bb-status that the "
            "database is what it should be, and run again"
        )

    def undo_mode(self) -> str:
        """Give the file the mode that it had, where nothing else was changed; say so, or ''."""
        (before, _), (after, _) = self._before, looks_of(self._database)
        if before is None or after is None or before[:3] != after[:3] or before == after:
            return ""
        try:
            self._database.chmod(before[3] & 0o7777)
        except OSError as error:
            return f"its mode could not be put back: {error.strerror}"
        return f"{self._database.name} has the mode {before[3] & 0o7777:o} again"


def _difference(was: tuple[int, ...] | None, now: tuple[int, ...] | None) -> str:
    if now is None:
        return "was removed"
    *_, size, modified, _ = now
    when = time.strftime("%H:%M:%S", time.localtime(modified / 1e9))
    if was is None:
        return f"was made ({size:,} bytes, written at {when})"
    if was[0] != now[0]:
        return f"was replaced by another file ({size:,} bytes, written at {when})"
    if was[2] == modified:
        return f"has another mode ({was[3] & 0o7777:o} before, {now[3] & 0o7777:o} now)"
    return f"was written at {when} ({was[1]:,} bytes before, {size:,} now)"


def refuse_exits(config: pytest.Config) -> None:
    """Have ``os._exit`` raise SystemExit until pytest ends: it would pass for a success.

    A process that a test forks ends as it wants to.
    """
    at_once, own = os._exit, os.getpid()

    def refuse_exit(status: int) -> NoReturn:
        if os.getpid() != own:
            at_once(status)
        raise SystemExit(f"os._exit({status}) was called, which would end the apply unseen")

    def allow_exits() -> None:
        os._exit = at_once

    os._exit = refuse_exit
    config.add_cleanup(allow_exits)
