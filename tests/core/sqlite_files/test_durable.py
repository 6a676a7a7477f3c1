"""What is said to be on the disk has been flushed to the disk itself, as macOS needs it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.workspace import note_mode
from pytest_bbmigrate.sqlite_files.backup import Pace, back_up
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.locking import take_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = 51  # F_FULLFSYNC of macOS


class Flushes:
    """The names of what was flushed, and how."""

    def __init__(self, refuses: bool = False) -> None:  # noqa: FBT001, FBT002 - of a test
        self.fully: list[str] = []
        self.plainly: list[str] = []
        self.refuses = refuses

    def fcntl(self, file: int, command: int) -> int:
        assert command == FULL
        if self.refuses:
            raise OSError(45, "Operation not supported")
        self.fully.append(name_of(file))
        return 0

    def fsync(self, file: int) -> None:
        self.plainly.append(name_of(file))


def name_of(file: int) -> str:
    return os.path.basename(os.readlink(f"/proc/self/fd/{file}"))  # noqa: PTH115, PTH119


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flushes]:
    """Return what makes this system flush as macOS does."""

    def become(*, refuses: bool = False) -> Flushes:
        flushes = Flushes(refuses)
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", flushes.fcntl)
        monkeypatch.setattr(os, "fsync", flushes.fsync)
        return flushes

    return become


def test_a_mac_is_asked_to_empty_the_cache_of_its_disk(
    tmp_path: Path, mac: Callable[..., Flushes]
) -> None:
    flushes = mac()

    sync(tmp_path)

    assert (flushes.fully, flushes.plainly) == ([tmp_path.name], [])


def test_where_the_file_system_cannot_do_that_it_is_flushed_as_well_as_can_be(
    tmp_path: Path, mac: Callable[..., Flushes]
) -> None:
    flushes = mac(refuses=True)

    sync(tmp_path)

    assert (flushes.fully, flushes.plainly) == ([], [tmp_path.name])


def test_where_there_is_no_such_call_fsync_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = Flushes()
    monkeypatch.delattr(fcntl, "F_FULLFSYNC", raising=False)
    monkeypatch.setattr(os, "fsync", flushes.fsync)
    file = tmp_path / "note"

    with file.open("w") as open_file:
        flush(open_file.fileno())

    assert flushes.plainly == ["note"]


def test_a_backup_and_its_name_are_on_the_disk_itself(
    tmp_path: Path, mac: Callable[..., Flushes]
) -> None:
    database, target = tmp_path / "real.db", tmp_path / "real.db.backup"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("CREATE TABLE accounts (name TEXT)")
    flushes = mac()

    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        back_up(db, target, database, Pace(5.0))

    assert flushes.fully[-1] == tmp_path.name
    assert set(flushes.fully[:-1]) == {"real.db.backup.partial"}
    assert flushes.plainly == []


def test_the_note_of_the_journal_mode_is_on_the_disk_itself(
    tmp_path: Path, mac: Callable[..., Flushes]
) -> None:
    flushes = mac()

    note_mode(tmp_path, "wal")

    assert len(flushes.fully) == 2
    assert flushes.fully[-1] == tmp_path.name
    assert flushes.plainly == []


def test_sqlite_flushes_fully_what_the_connection_with_the_lock_writes(tmp_path: Path) -> None:
    database = tmp_path / "real.db"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("CREATE TABLE accounts (name TEXT)")

    with closing(take_lock(database, 1.0)) as db:
        asked = [
            db.execute(f"PRAGMA {pragma}").fetchone()[0]
            for pragma in ("synchronous", "fullfsync", "checkpoint_fullfsync")
        ]

    assert asked == [2, 1, 1]
