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
from pytest_bbmigrate.database.reading import SIDECARS, beside, existing_file, read_database
from pytest_bbmigrate.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PRIVATE = 0o600


@contextmanager
def made_if_missing(database: Path, like: Path | None = None) -> Iterator[bool]:
    """Make an empty file of ``database`` where none is, for the block; give whether it was made.

    Where ``database`` is a symbolic link to nothing, its target is made. It has the mode of
    ``like``, or one that only its owner may read. When the block raises, what was made and is
    still empty is removed again.

    Raises: StepFailed when it cannot be made.
    """
    real = Path(os.path.realpath(database))
    if os.path.lexists(real):
        yield False
        return
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


@contextmanager
def set_aside_if_unusable(database: Path, now: datetime) -> Iterator[Path | None]:
    """Give a file that is no database any more another name beside it; give that, or None.

    It is kept as it is, with what is beside it, for its owner alone. Nobody may have it open. When
    the block raises and leaves nothing under the old name, it gets that again.

    Raises: StepFailed when it cannot be moved; DatabaseError when it is no file, or cannot be read
        for another reason than what it holds.
    """
    real = Path(os.path.realpath(database))
    if not is_unusable(real):
        yield None
        return
    aside = failed_path(real, real.parent, now)
    try:
        real.chmod(PRIVATE)
        move(real, aside)
    except OSError as error:
        raise StepFailed(f"{database}: it cannot be moved to {aside} ({error.strerror})") from error
    try:
        yield aside
    except BaseException:
        with suppress(OSError):
            if not os.path.lexists(real):
                move(aside, real)
        raise


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


def move(real: Path, other: Path) -> None:
    """Give the database file ``real``, and what is beside it, the name ``other``."""
    for suffix in reversed(SIDECARS):
        if beside(real, suffix).exists():
            beside(real, suffix).rename(beside(other, suffix))
