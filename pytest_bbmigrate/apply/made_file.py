"""A database file that is made anew: where none is, or where what is there cannot be used."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.database import failed_path
from pytest_bbmigrate.database.failures import is_damaged
from pytest_bbmigrate.database.reading import (
    SIDECARS,
    beside,
    existing_file,
    orphans_of,
    read_database,
    size_of,
)
from pytest_bbmigrate.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

PRIVATE = 0o600


@contextmanager
def made_if_missing(database: Path, like: Path | None = None) -> Iterator[bool]:
    """Make an empty file of ``database`` where none is, for the block; give whether it was made.

    Where ``database`` is a symbolic link to nothing, its target is made. It has the mode of
    ``like``, or one that only its owner may read. When the block raises, what was made and is
    still empty is removed again.

    Raises: StepFailed when it cannot be made, or as ``refuse_orphans`` does.
    """
    real = Path(os.path.realpath(database))
    if os.path.lexists(real):
        yield False
        return
    refuse_orphans(database)
    mode = S_IMODE(like.stat().st_mode) if like else PRIVATE
    try:
        made = os.open(real, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    except OSError as error:
        raise StepFailed(f"{database}: it cannot be made ({error.strerror})") from error
    status = os.fstat(made)
    os.close(made)
    try:
        yield True
    except BaseException:
        with suppress(OSError):  # somebody else has done it
            now = real.lstat()
            if os.path.samestat(now, status) and not now.st_size:
                real.unlink()
        raise


def refuse_orphans(database: Path) -> None:
    """Make sure that no WAL or journal is beside a file of ``database`` that is empty, or gone.

    Raises: StepFailed.
    """
    real = Path(os.path.realpath(database))
    if orphans := orphans_of(real):
        names = f"{' and '.join(path.name for path in orphans)} beside it"
        are = "are" if orphans[1:] else "is"
        fault = f"it is not there, but {names} {are}"
        if os.path.lexists(real):
            fault = f"it is empty, but {names} {are} not"
        raise StepFailed(
            f"{database}: {fault}: something else than SQLite has done that, and what was "
            "committed last may be in there alone; restore a backup with --bb-restore, which keeps "
            "that under another name"
        )


@contextmanager
def set_aside_if_unusable(
    database: Path, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[Path, ...]]:
    """Give what SQLite cannot use under the name ``database`` other names beside it; give those.

    That is a file that is no database any more, with what is beside it; or a WAL and a journal
    whose file is empty or gone, which SQLite would remove. It is kept as it is, for its owner
    alone. Nobody may have it open. When the block raises and leaves nothing under the old names, it
    gets those again; otherwise ``tell`` is called with a sentence.

    Raises: StepFailed when it cannot be moved; DatabaseError when it is no file, or cannot be read
        for another reason than what it holds.
    """
    real = Path(os.path.realpath(database))
    there = [path.name.removeprefix(real.name) for path in orphans_of(real)]
    if is_unusable(real):
        there = [suffix for suffix in SIDECARS if beside(real, suffix).exists()]
    if not there:
        yield ()
        return
    aside = failed_path(real, real.parent, now)
    try:
        move(real, aside, there)
    except OSError as error:
        raise StepFailed(f"{database}: it cannot be moved to {aside} ({error.strerror})") from error
    names = tuple(beside(aside, suffix) for suffix in there)
    try:
        yield names
    except BaseException:
        if not is_moved_back(aside, real, there):
            tell(f"what was under the name {real.name} is in {', '.join(map(str, names))}")
        raise


def is_moved_back(aside: Path, real: Path, suffixes: Sequence[str]) -> bool:
    """Give what is under the name ``aside`` the name ``real`` again where that is free."""
    if size_of(real) or any(os.path.lexists(beside(real, suffix)) for suffix in suffixes):
        return False
    with suppress(OSError):
        move(aside, real, suffixes)
        return True
    return False


def is_unusable(real: Path) -> bool:
    """Return whether the file ``real`` is no database any more; what is empty is one.

    Raises: DatabaseError when that cannot be seen.
    """
    if not os.path.lexists(real) or not existing_file(real).stat().st_size:
        return False
    try:
        read_database(real, lambda _: None)
    except DatabaseError as error:
        if is_damaged(error.__cause__):
            return True
        raise
    return False


def move(real: Path, other: Path, suffixes: Sequence[str]) -> None:
    """Give the files that are ``real`` with one of ``suffixes`` the name ``other`` instead."""
    for suffix in reversed(suffixes):
        beside(real, suffix).chmod(PRIVATE)
        beside(real, suffix).rename(beside(other, suffix))
