"""A backup of a resting database that another program writes to meanwhile: of two moments, none."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply import backups
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.sqlite_files.backup import Pace, back_up
from pytest_bbmigrate.sqlite_files.reading import WrittenMeanwhile, reading
from tests.core.real_databases import make, names_in, note_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a database in WAL mode without a WAL, of which a copy takes two steps."""
    return make(tmp_path / "real.db", "old", rows=10, mode="wal")


def write_all(real: Path, what: str = "note = 'new ' || id, filling = randomblob(1000000)") -> None:
    """Be the app: write every row, and have that in the file itself."""
    with closing(sqlite3.connect(real, isolation_level=None)) as app:
        app.execute(f"UPDATE money SET {what}")


def test_it_gets_no_name_at_any_moment(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "discard_backup", lambda *_: None)  # as if killed before that

    with pytest.raises(WrittenMeanwhile):
        back_up_now(real, real.parent, lambda _: write_all(real))

    assert names_in(real.parent) == ["real.db"]


def test_what_is_written_once_the_copy_is_proved_is_no_reason_to_lose_it(
    real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def back_up_and_write(*args: object, **kwargs: object) -> str:
        said = back_up(*args, **kwargs)  # type: ignore[arg-type]
        write_all(real)
        return said

    monkeypatch.setattr(backups, "back_up", back_up_and_write)

    backup, _ = back_up_now(real, real.parent, lambda _: None)

    assert note_in(backup) == "old"
    assert note_in(real) == "new"


def test_it_is_given_up_where_it_was_written_to_and_then_removed(real: Path) -> None:
    def write_and_remove(_: float) -> None:
        if real.exists():
            write_all(real)
            real.unlink()

    with pytest.raises(WrittenMeanwhile):
        back_up_now(real, real.parent, write_and_remove)

    assert names_in(real.parent) == []


def test_what_is_removed_without_being_written_to_is_kept(real: Path) -> None:
    backup, note = back_up_now(real, real.parent, lambda _: real.unlink(missing_ok=True))

    assert note.startswith("real.db is not there any more")
    assert note_in(backup) == "old"


def test_pages_that_were_read_before_are_compared_with_the_disk(real: Path) -> None:
    times = real.stat()
    target = real.parent / "backup"

    def back_up_what_is_written() -> None:
        with reading(real) as db:
            assert db.execute("SELECT note FROM money").fetchone() == ("old 0",)
            write_all(real, "note = replace(note, 'old', 'new')")  # in as many pages
            os.utime(real, ns=(times.st_atime_ns, times.st_mtime_ns))  # a clock that stands still
            back_up(db, target, times, Pace(1.0), rereads=True)

    with pytest.raises(DatabaseError, match="the copy is not what was copied"):
        back_up_what_is_written()

    assert names_in(real.parent) == ["real.db"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_where_its_name_cannot_be_had(
    real: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def back_up_and_fail(*args: object, **kwargs: object) -> str:
        back_up(*args, **kwargs)  # type: ignore[arg-type]
        raise error

    monkeypatch.setattr(backups, "back_up", back_up_and_fail)

    with pytest.raises((DatabaseError, KeyboardInterrupt, StepFailed)):
        back_up_now(real, real.parent, lambda _: None)

    assert names_in(real.parent) == ["real.db"]
    assert list(real.parent.glob(".*")) == []
