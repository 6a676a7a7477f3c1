"""What a session that applies sees of the real database while its tests run."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch
from tests.core.real_databases import MODES, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REST = (
    ", after the preflight had looked at it: one of this session's tests has done that, or another "
    "program. Nothing was applied. A test that writes is to open bb_head_path, which is a copy; "
    "see with --bb-status that the database is what it should be, and run again"
)


def write(path: Path) -> None:
    os.truncate(path, 0)
    os.utime(path, (0, 0))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"other")
    os.utime(other, (0, 0))
    other.replace(path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (write, "money.db was written at {midnight} (8,192 bytes before, 0 now)"),
        (replace, "money.db was replaced by another file (5 bytes, written at {midnight})"),
        (os.remove, "money.db was removed"),
        (lambda path: path.chmod(0o666), "money.db has another mode (644 before, 666 now)"),
    ],
)
def test_what_became_of_the_database_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    fault: str,
) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    database = tmp_path / "money.db"
    database.write_bytes(bytes(8192))
    database.chmod(0o644)
    database_watch = DatabaseWatch(database)

    change(database)

    assert database_watch.fault() == fault.format(midnight="00:00:00") + REST
    assert database_watch.summary == (
        "money.db was changed while this session went on, and not by its apply"
    )


def test_a_database_that_was_made_meanwhile_counts(tmp_path: Path) -> None:
    database_watch = DatabaseWatch(tmp_path / "money.db")
    assert database_watch.fault() == ""

    (tmp_path / "money.db").touch()

    assert database_watch.fault().startswith("money.db was made (0 bytes, written at ")


def test_the_first_moment_at_which_it_is_another_is_told(tmp_path: Path) -> None:
    database = tmp_path / "money.db"
    database_watch = DatabaseWatch(database)
    database_watch.notice("the first had run")
    database.touch()
    database_watch.notice("the second had run")
    database_watch.notice("the third had run")

    assert "; seen first when the second had run: " in database_watch.fault()


@pytest.mark.parametrize("mode", MODES)
def test_who_reads_it_and_closes_it_has_not_changed_it(tmp_path: Path, mode: str) -> None:
    database = make(tmp_path / "money.db", "old", mode=mode)
    (tmp_path / "link.db").symlink_to(database)
    database_watch = DatabaseWatch(tmp_path / "link.db")

    with closing(sqlite3.connect(database)) as db:
        db.execute("SELECT count(*) FROM money").fetchone()
        assert database_watch.fault() == ""
    assert database_watch.fault() == ""


def test_what_is_written_into_the_wal_counts(tmp_path: Path) -> None:
    database = make(tmp_path / "money.db", "old", mode="wal")
    (tmp_path / "link.db").symlink_to(database)
    database_watch = DatabaseWatch(tmp_path / "link.db")

    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DELETE FROM money")
        db.commit()
        assert database_watch.fault().startswith("link.db-wal was made (")


def test_another_mode_is_undone_and_nothing_else_is(tmp_path: Path) -> None:
    database = make(tmp_path / "money.db", "old")
    database.chmod(0o640)
    database_watch = DatabaseWatch(database)
    notes = [database_watch.restore_mode()]

    database.chmod(0o666)
    notes.append(database_watch.restore_mode())
    mode = database.stat().st_mode & 0o7777
    write(database)
    database.chmod(0o666)
    notes.append(database_watch.restore_mode())

    assert notes == ["", "money.db has the mode 640 again", ""]
    assert mode == 0o640
    assert database_watch.fault().startswith("money.db was written at ")
