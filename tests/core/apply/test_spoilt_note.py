"""The note on a backup that something has spoilt, where the backup is what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.choose_backup import choose_backup
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import (
    correct_note,
    note_for,
    read_note,
    with_digest,
    write_note,
)
from tests.core.real_databases import make

if TYPE_CHECKING:
    from pathlib import Path

NAME = "real.db.backup.20260203_140506"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Return a backup whose note is empty, of a database that does not read any more."""
    backup = make(tmp_path / NAME, "old")
    note_beside(backup).touch()
    (tmp_path / "real.db").write_bytes(b"garbled" * 1000)
    return backup


@pytest.mark.parametrize(
    "spoilt", [b"", b'{"database": "4f1c"', None], ids=["empty", "cut", "gone"]
)
def test_a_note_is_written_anew_where_it_does_not_say_what_it_said(
    backup: Path, spoilt: bytes | None
) -> None:
    own = with_digest(note_for(backup.with_name("real.db"), "4f1c"), backup)
    if spoilt is None:
        note_beside(backup).unlink()
    else:
        note_beside(backup).write_bytes(spoilt)

    correct_note(own, backup, backup.parent)

    assert read_note(note_beside(backup)) == own


def test_a_note_that_says_what_it_said_is_left_as_it_is(backup: Path) -> None:
    own = with_digest(note_for(backup.with_name("real.db"), "4f1c"), backup)
    note_beside(backup).unlink()
    write_note(own, note_beside(backup), backup.parent)
    before = note_beside(backup).stat()

    correct_note(own, backup, backup.parent)

    after = note_beside(backup).stat()  # its time of access changes when it is read
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


def test_a_sound_backup_that_is_named_can_be_put_back_in_spite_of_its_note(backup: Path) -> None:
    real, folder = backup.with_name("real.db"), backup.parent

    choice = choose_backup(real, folder, NAME, folder, discard=True)

    assert choice.backup == backup
    assert choice.note is None
    assert choice.notes == (
        f"{note_beside(backup)}: the note does not say what a note says",
        f"{NAME}: nothing tells of which database it is, nor what it was when it was made",
    )


@pytest.mark.parametrize(("named", "discard"), [(NAME, False), ("", True)])
def test_a_spoilt_note_is_overlooked_where_that_is_asked_for_alone(
    backup: Path, named: str, *, discard: bool
) -> None:
    real, folder = backup.with_name("real.db"), backup.parent

    with pytest.raises(StepFailed):
        choose_backup(real, folder, named, folder, discard=discard)


def test_a_damaged_backup_with_a_spoilt_note_is_not_put_back(backup: Path) -> None:
    real, folder = backup.with_name("real.db"), backup.parent
    backup.write_bytes(backup.read_bytes()[:4096])

    with pytest.raises(StepFailed, match="is cut off"):
        choose_backup(real, folder, NAME, folder, discard=True)
