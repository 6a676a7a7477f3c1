"""The note on a file of ours."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import (
    FOLDER_NOTE,
    Note,
    backup_fault,
    note_folder,
    note_for,
    read_note,
    same_file,
    with_digest,
    write_note,
)
from tests.core.real_databases import make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOTE = Note("4f1c", "/srv/odd \udcff \n name.db", 7, "2026-01-02T08:00:00+00:00", 8192, "ab12")


def no_links(*_: object) -> None:
    raise OSError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
def test_what_was_written_is_read_and_nothing_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "staging").mkdir()
    path = tmp_path / "note"

    write_note(NOTE, path, tmp_path / "staging")

    assert read_note(path) == NOTE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_nlink == 1
    assert sorted(tmp_path.rglob("*")) == [path, tmp_path / "staging"]


@pytest.mark.parametrize("links", [True, False])
def test_a_note_that_is_there_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "note").write_text("another's")

    with pytest.raises(DatabaseError, match="is there already, and nothing is overwritten"):
        write_note(NOTE, tmp_path / "note", tmp_path)

    assert (tmp_path / "note").read_text() == "another's"
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_a_note_belongs_to_who_has_the_backup(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a file to another user")
    backup = tmp_path / "backup"
    backup.touch(0o640)
    os.chown(backup, 1234, 1235)

    write_note(NOTE, note_beside(backup), tmp_path, backup)

    status = note_beside(backup).stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 1235, 0o600)


def test_a_folder_has_its_note_in_it(tmp_path: Path) -> None:
    note_folder(tmp_path, NOTE)

    assert read_note(tmp_path / FOLDER_NOTE) == NOTE


def test_where_there_is_no_note_none_is_read(tmp_path: Path) -> None:
    assert read_note(tmp_path / "note") is None


def test_what_a_later_version_adds_is_passed_over(tmp_path: Path) -> None:
    write_note(NOTE, tmp_path / "note", tmp_path)
    said = json.loads((tmp_path / "note").read_text())
    (tmp_path / "note").write_text(json.dumps({**said, "colour": "red"}))

    assert read_note(tmp_path / "note") == NOTE


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"{}", b"1", b'"x"', b"null", b"\xff", b"[" * 5000),
        b'{"database": 1, "path": "", "inode": 1, "made": ""}',
        b'{"database": "", "path": "", "inode": true, "made": ""}',
        b'{"database": "", "path": "", "inode": 1, "made": "", "digest": null}',
    ],
)
def test_a_note_that_says_something_else_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note").write_bytes(content)

    with pytest.raises(DatabaseError, match="the note does not say what a note says; remove"):
        read_note(tmp_path / "note")


def test_a_note_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "note").mkdir()

    with pytest.raises(DatabaseError, match=r"the note cannot be read \(it is no file\)"):
        read_note(tmp_path / "note")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_a_note_that_is_a_pipe_or_a_link_is_told_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    write_note(NOTE, tmp_path / "elsewhere", tmp_path)
    make(tmp_path / "note")

    with pytest.raises(DatabaseError, match="the note cannot be read"):
        read_note(tmp_path / "note")


def test_a_database_is_known_by_its_real_path(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    link = tmp_path / "link.db"
    link.symlink_to(real)
    hard = tmp_path / "hard.db"
    hard.hardlink_to(real)

    assert note_for(link).path == note_for(real).path == str(real)
    assert note_for(link).inode == real.stat().st_ino
    assert note_for(tmp_path / "gone.db").inode == 0
    assert same_file(str(real), str(hard))
    assert not same_file(str(real), str(tmp_path / "gone.db"))


def test_what_is_no_file_is_never_what_it_was(tmp_path: Path) -> None:
    backup = make(tmp_path / "backup", "old")
    digest = with_digest(NOTE, backup).digest
    assert backup_fault(backup, digest) == ""

    backup.unlink()
    assert backup_fault(backup, digest) == "it is gone"
    os.mkfifo(backup)  # which would keep who opens it waiting
    assert backup_fault(backup, digest) == "it is no file any more"
    backup.unlink()
    backup.symlink_to(backup)
    assert backup_fault(backup, digest).startswith("it cannot be read (")
