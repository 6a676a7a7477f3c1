"""A database that something else writes to while it is backed up under the lock: no backup."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.lock.locked_file import LockedFile
from pytest_bbmigrate.apply.lock.orders import (
    BackUp,
    Inspect,
)
from pytest_bbmigrate.apply.what_is_left import Content
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import Pace
from pytest_bbmigrate.sqlite_files.notes import note_for
from tests.core.real_databases import MODES, make, note_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COPIES_OVER = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"  # as cp does
ROWS = 12  # of a megabyte: two steps of a copy
BACKUP = "real.db.backup.20260203_140506"


@pytest.fixture(params=MODES)
def real(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return make(tmp_path / "real.db", "old", rows=ROWS, mode=request.param)


@pytest.fixture
def locked(real: Path) -> Iterator[LockedFile]:
    held = LockedFile()
    held.path, held.seconds = real, 5.0
    held.acquire(lambda: None)
    with closing(held.db):
        yield held


def back_up_while_copied_over(held: LockedFile, tmp_path: Path, at: float) -> BackUp:
    """Back up, and have another database copied over it when a part ``at`` is done."""
    other, real = make(tmp_path / "other.db", "another", rows=ROWS), held.path
    order = BackUp(real.with_name(BACKUP), note_for(real))
    done: list[float] = []

    def copy_over(part: float) -> None:
        if part >= at and not done:
            done.append(part)
            command = [sys.executable, "-I", "-S", "-c", COPIES_OVER, str(other), str(real)]
            subprocess.run(command, check=True)

    with pytest.raises(StepFailed, match="is not as it was: something else wrote to it while"):
        held.make_backup(order, Pace(5.0, copy_over))
    other.unlink()
    return order


def left_in(folder: Path) -> list[str]:
    """Return what lies beside the database that is locked, and its journal or WAL."""
    own = {"real.db", "real.db-journal", "real.db-wal"}
    return sorted(path.name for path in folder.iterdir() if path.name not in own)


@pytest.mark.parametrize("at", [0.1, 1.0], ids=["copied", "compared"])
def test_what_is_copied_meanwhile_is_kept_and_called_no_backup(
    locked: LockedFile, tmp_path: Path, at: float
) -> None:
    order = back_up_while_copied_over(locked, tmp_path, at)
    found = locked.inspect(Inspect(order, None))

    torn = tmp_path / f"{BACKUP}.torn"
    assert left_in(tmp_path) == [torn.name]
    assert torn.stat().st_mode & 0o777 == 0o600
    assert found.content is Content.OTHER
    (note,) = found.notes
    assert note == (
        f"{torn} was copied while something else wrote to the database: it may be neither what "
        "that held nor what it holds, and is no backup"
    )


def test_what_was_copied_before_anybody_wrote_is_there_to_be_read(
    locked: LockedFile, tmp_path: Path
) -> None:
    back_up_while_copied_over(locked, tmp_path, 1.0)

    torn = shutil.copyfile(tmp_path / f"{BACKUP}.torn", tmp_path / "copy.db")
    assert note_in(torn) == "old"


def test_a_new_database_that_is_written_to_meanwhile_leaves_no_copy(
    locked: LockedFile, tmp_path: Path
) -> None:
    order = BackUp(tmp_path / BACKUP)

    def write(_: float) -> None:
        command = "import sys; open(sys.argv[1], 'r+b').write(b'garbled')"
        subprocess.run([sys.executable, "-c", command, str(locked.path)], check=True)

    with pytest.raises((StepFailed, sqlite3.Error)):
        locked.make_backup(order, Pace(5.0, write))

    assert left_in(tmp_path) == []
