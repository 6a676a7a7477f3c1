"""Make a database file where there is none."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.sidecars import stale_sidecars

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        descriptor = os.open(real, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    except OSError as error:
        raise StepFailed(f"{database}: it cannot be made ({error.strerror})") from error
    status = os.fstat(descriptor)
    os.close(descriptor)
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
    if orphans := stale_sidecars(real):
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
