"""Put a file in place of one that SQLite cannot use, in one step, and keep the old one beside it.

A kill at any moment leaves the old file under the name, or the new one.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.sqlite_files.backup import failed_path
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.failures import is_damaged
from pytest_bbmigrate.sqlite_files.ordinary_file import existing_file
from pytest_bbmigrate.sqlite_files.reading import read_database
from pytest_bbmigrate.sqlite_files.sidecars import (
    PARTS,
    beside,
    sidecar_states,
    size_of,
    stale_sidecars,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_bbmigrate.sqlite_files.sidecars import SidecarStates

PRIVATE = 0o600


@dataclass(frozen=True)
class FileInPlace:
    """What is under the name ``database``, links resolved ``real``, as it was when looked at.

    ``suffixes`` are those of the files that SQLite cannot use and that are kept: '', -wal,
    -journal.
    """

    database: Path
    real: Path
    before: SidecarStates
    suffixes: tuple[str, ...]

    @property
    def is_missing(self) -> bool:
        """Whether there was no file."""
        return self.before[0] is None

    @property
    def is_to_be_replaced(self) -> bool:
        """Whether there is no database under the name that could be locked and written."""
        return self.is_missing or bool(self.suffixes)

    def replace(
        self, work: Path, now: datetime, warn: Callable[[str], None] = lambda _: None
    ) -> tuple[Path, ...]:
        """Give the file ``work``, on the same disk, the database's name; return what was kept.

        What was kept is unchanged, and only its owner may read it. When this raises, it has its
        names again, unless they were taken meanwhile: ``warn`` gets a sentence then.

        Raises: StepFailed when it cannot be done, or something has written to the database.
        """
        kept_name = failed_path(self.real, self.real.parent, now)
        try:
            self.keep(kept_name)
            self.refuse_other()
            for suffix in filter(None, self.suffixes):
                beside(self.real, suffix).unlink()  # which SQLite would take for the new file's
            sync(self.real.parent)
            self.give_name(work)
        except BaseException as error:
            self.undo(kept_name, warn)
            if not isinstance(error, OSError):
                raise
            raise StepFailed(
                f"{self.database}: it cannot be replaced ({error.strerror})"
            ) from error
        kept = tuple(beside(kept_name, suffix) for suffix in self.suffixes)
        for path in kept:
            path.chmod(PRIVATE)
        sync(self.real.parent)
        return kept

    def keep(self, kept_name: Path) -> None:
        """Give each file to keep a second name. Raises: OSError."""
        for suffix in self.suffixes:
            old, new = beside(self.real, suffix), beside(kept_name, suffix)
            try:
                os.link(old, new)
            except FileExistsError:
                raise
            except OSError:  # no links can be made on this disk
                copy_privately(old, new)
        sync(self.real.parent)

    def refuse_other(self) -> None:
        """Raise StepFailed when something has written to what was looked at, or replaced it."""
        if sidecar_states(self.real) != self.before:
            raise StepFailed(
                f"{self.database}: another program has written to it just now; stop that program, "
                "and run again"
            )

    def give_name(self, work: Path) -> None:
        """Give ``work`` the name, without overwriting what has taken it since. Raises: OSError."""
        if self.is_missing:
            try:
                os.link(work, self.real)  # which overwrites nothing
            except FileExistsError:
                raise
            except OSError:  # likewise
                work.rename(self.real)
        else:
            work.rename(self.real)
        sync(self.real.parent)

    def undo(self, kept_name: Path, warn: Callable[[str], None]) -> None:
        """Give each kept file its first name back, where that is free, and no second one."""
        remaining, after = [], sidecar_states(self.real)
        for suffix in self.suffixes:
            old, new = beside(self.real, suffix), beside(kept_name, suffix)
            before, current = (states[PARTS.index(suffix)] for states in (self.before, after))
            with suppress(OSError):
                if current == before:
                    new.unlink(missing_ok=True)
                elif current is None and after[0] == self.before[0]:
                    new.rename(old)
            if os.path.lexists(new):
                remaining.append(str(new))
        if remaining:
            warn(f"what was under the name {self.real.name} is in {', '.join(remaining)}")


def file_in_place(database: Path) -> FileInPlace:
    """Return what is under the name ``database``.

    Raises: DatabaseError when it is no file, or cannot be read for another reason than what it
        holds.
    """
    real = Path(os.path.realpath(database))
    before = sidecar_states(real)
    suffixes = tuple(path.name.removeprefix(real.name) for path in stale_sidecars(real))
    if is_unusable(real):
        suffixes = tuple(suffix for suffix in PARTS if beside(real, suffix).exists())
    return FileInPlace(database, real, before, suffixes)


def is_unusable(real: Path) -> bool:
    """Return whether the file ``real`` is no database any more; what is empty is one.

    Raises: DatabaseError when that cannot be seen.
    """
    if not os.path.lexists(real) or not size_of(existing_file(real)):
        return False
    try:
        read_database(real, lambda _: None)
    except DatabaseError as error:
        if is_damaged(error.__cause__):
            return True
        raise
    return False


def copy_privately(source: Path, target: Path) -> None:
    """Copy ``source`` into the new file ``target``, mode 0600, on the disk. Raises: OSError."""
    number = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    try:
        with open(number, "wb") as copy, source.open("rb") as file:  # noqa: PTH123 - a descriptor
            shutil.copyfileobj(file, copy)
            copy.flush()
            flush(number)
    except OSError:
        target.unlink()
        raise
