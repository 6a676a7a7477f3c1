"""Which file a process has open, and what its name leads to since."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files import held_file as helds
from pytest_bbmigrate.sqlite_files.held_file import (
    HeldFile,
    NameTarget,
    hold_file,
    look_up,
    restore_mode,
)
from tests.core.real_databases import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def held(path: Path) -> Iterator[HeldFile]:
    with closing(sqlite3.connect(path)) as db:
        db.execute("SELECT count(*) FROM money").fetchone()
        yield hold_file(path)


def test_the_file_is_the_one_that_is_open_under_its_name(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    (tmp_path / "link.db").symlink_to(real)
    with held(tmp_path / "link.db") as file:
        assert file.real == real
        assert file.before.identity == (real.stat().st_dev, real.stat().st_ino)
        assert file.name is NameTarget.SAME
        assert file.current_path == str(real)


def test_a_file_that_took_its_name_meanwhile_is_refused(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with closing(sqlite3.connect(real)) as db:
        db.execute("SELECT count(*) FROM money").fetchone()
        make(tmp_path / "other.db", "other").rename(real)

        with pytest.raises(DatabaseError, match="another file took its name while it was locked"):
            hold_file(real)


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_open_is_found_without_a_folder_of_descriptors(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_there: bool,  # noqa: FBT001 - a case
) -> None:
    if not is_there:
        monkeypatch.setattr(helds, "OPEN_FILES", tmp_path / "no folder")
    with held(make(tmp_path / "real.db", "old")) as file:
        assert os.fstat(file.descriptor).st_ino == file.before.inode


def test_a_link_that_leads_elsewhere_is_told_from_its_file(tmp_path: Path) -> None:
    real, link = make(tmp_path / "real.db", "old"), tmp_path / "link.db"
    link.symlink_to(real)
    found = []
    with held(link) as file:
        link.unlink()
        found.append(file.name)
        link.symlink_to(make(tmp_path / "other.db", "other"))
        found.append(file.name)
        link.unlink()
        link.symlink_to(tmp_path / "nothing.db")
        found.append(file.name)
        link.unlink()
        link.symlink_to(real)
        found.append(file.name)
        real.unlink()
        found.append(file.name)

    assert found == [
        NameTarget.GONE,
        NameTarget.LINK,
        NameTarget.LINK,
        NameTarget.SAME,
        NameTarget.GONE,
    ]


def test_what_may_not_be_looked_at_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with held(make(tmp_path / "real.db", "old")) as file:
        monkeypatch.setattr(os, "lstat", refuse)
        assert look_up(file.path, file.real, file.before) is NameTarget.HIDDEN


def test_a_place_is_known_only_while_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    with held(real) as file:
        real.rename(tmp_path / "moved.db")
        moved = file.current_path
        (tmp_path / "moved.db").unlink()
        removed = file.current_path
        monkeypatch.setattr(helds, "path_of", lambda _: "")
        unknown = file.current_path

    assert (moved, removed, unknown) == (str(tmp_path / "moved.db"), "", "")


def test_a_mode_that_cannot_be_undone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    real = make(tmp_path / "real.db", "old")
    real.chmod(0o640)
    with held(real) as file:
        real.chmod(0o666)
        monkeypatch.setattr(os, "chmod", refuse)
        told = restore_mode(real, file.before)

    assert told == (
        "its mode was changed to 666 while this run was at work, which could not be undone: "
        "Operation not permitted"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_another_owner_is_undone_and_told(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    real.chmod(0o640)
    with held(real) as file:
        os.chown(real, 12345, 12345)
        told = file.restore_mode()

    assert told == (
        "its owner was changed to user 12345, group 12345, while this run was at work: "
        "it is as it was again"
    )
    assert (real.stat().st_uid, real.stat().st_mode & 0o7777) == (os.geteuid(), 0o640)


@pytest.mark.parametrize(
    ("change", "is_there"),
    [(lambda _: None, True), (Path.unlink, False), (lambda path: path.write_bytes(b""), True)],
)
def test_a_journal_is_the_one_that_is_written_and_no_other(
    tmp_path: Path,
    change: Callable[[Path], object],
    is_there: bool,  # noqa: FBT001 - a case
) -> None:
    real = make(tmp_path / "real.db", "old")
    with held(real) as file, closing(sqlite3.connect(real, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("DELETE FROM money")
        change(tmp_path / "real.db-journal")

        assert file.has_journal() is is_there
