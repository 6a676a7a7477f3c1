"""The backup that is made before the checks, and what is left of it when they are over."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply import early_backup
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.what_is_left import Content
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from tests.core.real_databases import MODES, make

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.early_backup import EarlyBackup


@pytest.fixture(params=MODES)
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a database in each journal mode."""
    return make(tmp_path / "money.db", "old", mode=request.param)


@pytest.fixture
def early(database: Path) -> EarlyBackup:
    """Return the backup of the database."""
    return early_backup.back_up_early(database, database.parent, lambda _: None)


def left_beside(early: EarlyBackup) -> list[str]:
    """Return what is beside the database."""
    return sorted(path.name for path in early.path.parent.iterdir())


@pytest.mark.parametrize(
    ("files", "has_python"),
    [
        ({"001.sql": "CREATE TABLE t (n);"}, False),
        ({"001.py": "def up(db): db.execute('CREATE TABLE t (n)')"}, True),
        ({"001.sql": "CREATE TABLE t (n);", "002.py": "def migrate(): print()"}, True),
    ],
)
def test_python_is_looked_for_in_every_migration(
    tmp_path: Path, files: dict[str, str], *, has_python: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert early_backup.runs_python(read_catalogue(tmp_path)) is has_python


def test_it_is_removed_where_the_database_is_as_it_was(early: EarlyBackup) -> None:
    before = early.database.read_bytes()

    file_found = early_backup.end(early)

    assert file_found.is_as_it_was
    assert (file_found.backup, file_found.notes) == (None, ())
    assert left_beside(early) == ["money.db"]
    assert early.database.read_bytes() == before


def test_another_file_with_the_same_content_keeps_it(early: EarlyBackup) -> None:
    copy = shutil.copyfile(early.database, early.database.with_name("copy"))
    copy.replace(early.database)

    file_found = early_backup.end(early)

    assert (file_found.name, file_found.backup) == (NameTarget.ANOTHER, early.path)


def test_what_was_written_to_it_is_no_backup_any_more(early: EarlyBackup) -> None:
    os.truncate(early.path, 100)
    os.truncate(early.database, 0)

    file_found = early_backup.end(early)

    assert (file_found.content, file_found.backup) == (Content.EMPTY, None)
    assert "is not what it was when it was made" in file_found.notes[-1]
    assert early.path.name in left_beside(early)


def test_a_spoilt_note_on_it_is_written_again(early: EarlyBackup) -> None:
    note = note_beside(early.path)
    before = note.read_bytes()
    note.write_text("spoilt")
    early.database.unlink()

    assert early_backup.end(early).backup == early.path
    assert note.read_bytes() == before


def test_it_is_written_again_with_its_mode_where_it_was_removed(early: EarlyBackup) -> None:
    content, mode = early.path.read_bytes(), early.path.stat().st_mode
    note = note_beside(early.path).read_bytes()
    shutil.rmtree(early.path.parent)

    file_found = early_backup.end(early)

    assert file_found.backup == early.path
    assert (early.path.read_bytes(), early.path.stat().st_mode) == (content, mode)
    assert note_beside(early.path).read_bytes() == note
    assert left_beside(early) == sorted([early.path.name, note_beside(early.path).name])


@pytest.mark.parametrize("removes_backup", [False, True])
def test_it_is_removed_too_where_its_note_is_gone(
    early: EarlyBackup, *, removes_backup: bool
) -> None:
    note_beside(early.path).unlink()
    if removes_backup:
        early.path.unlink()

    file_found = early_backup.end(early)

    assert file_found.is_as_it_was
    assert (file_found.backup, file_found.notes) == (None, ())
    assert left_beside(early) == ["money.db"]


def test_where_it_cannot_be_written_again_that_is_said(early: EarlyBackup) -> None:
    shutil.rmtree(early.path.parent)
    early.path.parent.touch()

    file_found = early_backup.end(early)

    assert file_found.backup is None
    assert "was removed while this run was at work, and not to be had (" in file_found.notes[0]


def test_what_was_emptied_before_it_was_removed_is_not_written_again(early: EarlyBackup) -> None:
    os.truncate(early.path, 0)
    early.path.unlink()
    os.truncate(early.database, 0)

    file_found = early_backup.end(early)

    assert file_found.backup is None
    assert "not to be had (it is not what it was when it was made)" in file_found.notes[0]
    assert left_beside(early) == sorted(["money.db", note_beside(early.path).name])


def test_a_backup_that_holds_the_same_takes_its_place(early: EarlyBackup) -> None:
    backup, _ = back_up_now(early.database, early.path.parent, lambda _: None)

    early_backup.give_way(early, backup)

    assert early_backup.discard(early) == ""
    assert left_beside(early) == sorted(["money.db", backup.name, note_beside(backup).name])


def test_where_it_is_not_what_it_was_no_other_takes_its_place(early: EarlyBackup) -> None:
    backup, _ = back_up_now(early.database, early.path.parent, lambda _: None)
    os.truncate(early.path, 100)

    with pytest.raises(StepFailed, match="made before the checks, is not what it was: its SHA-256"):
        early_backup.give_way(early, backup)
    assert early_backup.discard(early) == (
        f"{early.path.name}, made before the checks, cannot be removed (what is there is not known "
        "to be what this run has made)"
    )


def test_where_it_cannot_be_removed_that_is_said(
    early: EarlyBackup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(early_backup, "discard_backup", refuse)

    assert early_backup.discard(early).endswith("cannot be removed (Permission denied)")
    assert early.path.exists()


def test_a_note_that_is_gone_at_once_is_a_failure(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_backup, "note_on", lambda _: None)

    with pytest.raises(StepFailed, match="something has removed its note just now"):
        early_backup.back_up_early(database, database.parent, lambda _: None)
