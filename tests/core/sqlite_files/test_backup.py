"""Copies of a locked database, and whether they are equal."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.sqlite_files import backup, compare_files
from pytest_bbmigrate.sqlite_files.backup import (
    Pace,
    back_up,
    backup_path,
    copy_pages,
    failed_path,
    give_owner_and_mode,
    matches_file,
    matches_file_in_place,
)
from pytest_bbmigrate.sqlite_files.compare_files import (
    Compared,
    fork_compares,
    same_pages,
    same_pages_in_fork,
)
from pytest_bbmigrate.sqlite_files.locking import take_lock
from tests.core.real_databases import MODES, ask, make, mode_of, names_in, note_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 2, 3, 14, 5, 6)
PACE = Pace(1)


def test_a_backup_has_the_time_in_its_name(tmp_path: Path) -> None:
    database = tmp_path / "budget_buddy.db"
    first = backup_path(database, tmp_path / "backups", NOW)

    assert first == tmp_path / "backups" / "budget_buddy.db.backup.20260203_140506"
    assert failed_path(database, tmp_path, NOW).name == "budget_buddy.db.failed.20260203_140506"


@pytest.mark.parametrize("ending", ["", ".partial"])
def test_a_name_that_is_taken_gets_a_number(tmp_path: Path, ending: str) -> None:
    names = []
    for _ in range(3):
        path = backup_path(tmp_path / "a.db", tmp_path, NOW)
        path.with_name(path.name + ending).touch()
        names.append(path.name.removeprefix("a.db.backup.20260203_140506"))

    assert names == ["", "_2", "_3"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    (tmp_path / "backup").write_text("mine")
    with (
        closing(take_lock(real, 1)) as db,
        pytest.raises(DatabaseError, match="backup: is there already, and nothing is"),
    ):
        back_up(db, tmp_path / "backup", real, PACE)

    assert (tmp_path / "backup").read_text() == "mine"
    assert names_in(tmp_path) == ["backup", "real.db"]


def test_what_comes_between_is_not_overwritten_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")

    def come_between(*_: object) -> str:
        (tmp_path / "backup").write_text("mine")
        return ""

    monkeypatch.setattr(backup, "give_owner_and_mode", come_between)
    with closing(take_lock(real, 1)) as db, pytest.raises(DatabaseError, match="is there already"):
        back_up(db, tmp_path / "backup", real, PACE)

    assert (tmp_path / "backup").read_text() == "mine"
    assert names_in(tmp_path) == ["backup", "real.db"]


def test_a_backup_is_readable_by_nobody_else_until_it_is_complete(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    real.chmod(0o644)
    seen: list[int] = []

    def look(_: float) -> None:
        seen.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob("backup*"))

    with closing(take_lock(real, 1)) as db:
        back_up(db, tmp_path / "backup", real, Pace(1, look))

    assert set(seen) <= {0o600}
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o644


def test_a_copy_that_is_not_equal_is_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    whole = backup.copy_pages

    def copy_badly(source: sqlite3.Connection, target: sqlite3.Connection, pace: Pace) -> None:
        whole(source, target, pace)
        if not list(tmp_path.glob("*.compared")):
            target.execute("UPDATE money SET note = 'odd 0'")

    monkeypatch.setattr(backup, "copy_pages", copy_badly)
    with (
        closing(take_lock(real, 1)) as db,
        pytest.raises(DatabaseError, match="the copy is not what was copied; is the disk"),
    ):
        back_up(db, tmp_path / "backup", real, PACE)

    assert names_in(tmp_path) == ["real.db"]


def test_a_copy_under_the_lock_is_proved_equal_without_a_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    copied: list[sqlite3.Connection] = []
    whole = backup.copy_pages

    def count(source: sqlite3.Connection, target: sqlite3.Connection, pace: Pace) -> None:
        copied.append(source)
        whole(source, target, pace)

    monkeypatch.setattr(backup, "copy_pages", count)
    with closing(take_lock(real, 1)) as db:
        back_up(db, tmp_path / "backup", real, PACE)
        back_up(db, tmp_path / "read again", real, PACE, rereads=True)

    assert len(copied) == 1 + 2
    assert note_in(tmp_path / "backup") == "old"


def test_a_file_that_was_garbled_is_backed_up_as_it_was_read_before(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=3)
    with closing(take_lock(real, 1)) as db:
        db.execute("SELECT * FROM money").fetchall()
        with real.open("r+b") as file:  # closed at the end, for that drops the lock
            os.pwrite(file.fileno(), b"garbled" * 100, 4096)
            back_up(db, tmp_path / "backup", real, PACE)

    assert note_in(tmp_path / "backup") == "old"


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    (tmp_path / "backup.partial").write_text("half")
    (tmp_path / "backup.partial.compared").write_text("half")
    with closing(take_lock(real, 1)) as db:
        assert back_up(db, tmp_path / "backup", real, PACE) == ""

    assert note_in(tmp_path / "backup") == "old"
    assert names_in(tmp_path) == ["backup", "real.db"]


def test_a_backup_of_a_wal_database_is_one_file_in_rollback_mode(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    with closing(take_lock(real, 1)) as db:
        db.execute("UPDATE money SET note = 'late 0'")
        back_up(db, tmp_path / "backup", real, PACE)
        assert names_in(tmp_path) == ["backup", "real.db", "real.db-wal"]

    assert mode_of(tmp_path / "backup") == "delete"
    assert note_in(tmp_path / "backup") == "late"


def test_an_owner_that_cannot_be_given_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    path = tmp_path / "a.db.backup"
    path.touch()
    like = os.stat_result((0o100664, 1, 1, 1, 4711, 4712, 0, 0, 0, 0))
    with path.open("rb") as file:
        note = give_owner_and_mode(file.fileno(), like, path)

    assert note == (
        "a.db.backup belongs to this user, who may not give it to the owner of the database "
        "(user 4711, group 4712): nobody else can read it"
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_endless_wait_for_a_copy_ends_at_the_deadline(tmp_path: Path) -> None:
    copy = make(tmp_path / "copy.db", "x")
    with (
        closing(sqlite3.connect(":memory:")) as source,
        closing(sqlite3.connect(copy, timeout=0)) as target,
        closing(sqlite3.connect(copy, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="the copy is locked by another program"):
            copy_pages(source, target, Pace(0.1))


def test_a_copy_that_nobody_wants_is_rolled_back(tmp_path: Path) -> None:
    def give_up(_: float) -> None:
        raise InterruptedError

    with (
        closing(sqlite3.connect(make(tmp_path / "a.db", "new", rows=20))) as source,
        closing(sqlite3.connect(make(tmp_path / "b.db", "old", rows=20))) as target,
        pytest.raises(InterruptedError),
    ):
        copy_pages(source, target, Pace(1, give_up))

    assert note_in(tmp_path / "b.db") == "old"


def test_equal_content_is_told_from_any_other(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=3)
    with closing(take_lock(real, 1)) as db:
        back_up(db, tmp_path / "same", real, PACE)
        db.execute("UPDATE money SET note = note || ' and more' WHERE id = 2")
        back_up(db, tmp_path / "other", real, PACE)

        assert matches_file(db, tmp_path / "other", PACE)
        assert not matches_file(db, tmp_path / "same", PACE)
    assert names_in(tmp_path) == ["other", "real.db", "same"]


HEADER = bytearray(b"SQLite format 3\x00\x10\x00" + bytes(82))


@pytest.mark.parametrize(
    ("at", "same"),
    [
        (17, False),
        *((at, True) for at in (18, 19, 24, 27, 40, 43, 92, 95, 96, 99)),
        *((at, False) for at in (20, 23, 28, 39, 44, 91, 100, 4096, 10_000, 12_287)),
    ],
)
def test_only_what_sqlite_rewrites_is_no_difference(tmp_path: Path, at: int, same: bool) -> None:  # noqa: FBT001
    one = bytearray(HEADER + bytes(3 * 4096 - len(HEADER)))
    (tmp_path / "one").write_bytes(one)
    one[at] ^= 0xFF
    (tmp_path / "other").write_bytes(one)

    assert same_pages(tmp_path / "one", tmp_path / "other") is same
    assert same_pages(tmp_path / "other", tmp_path / "one") is same


@pytest.mark.parametrize(
    ("at", "same"), [(8191, False), (8192, True), (12_287, True), (12_288, False)]
)
def test_the_page_that_sqlite_never_uses_is_no_difference(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    same: bool,  # noqa: FBT001 - a table's column
) -> None:
    monkeypatch.setattr(compare_files, "LOCK_BYTE", 8192)
    monkeypatch.setattr(compare_files, "CHUNK", 5000)  # as if it lay across two reads
    one = bytearray(HEADER + bytes(4 * 4096 - len(HEADER)))
    (tmp_path / "one").write_bytes(one)
    one[at] ^= 0xFF
    (tmp_path / "other").write_bytes(one)

    assert same_pages(tmp_path / "one", tmp_path / "other") is same


def test_files_of_different_length_differ(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(4096))
    (tmp_path / "other").write_bytes(bytes(8192))

    assert not same_pages(tmp_path / "one", tmp_path / "other")
    assert not same_pages(tmp_path / "other", tmp_path / "one")


@pytest.mark.parametrize("mode", MODES)
def test_a_locked_database_is_compared_and_stays_locked(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "it's real#1?.db", "old", mode=mode)
    with closing(take_lock(real, 1)) as db:
        db.execute("UPDATE money SET note = 'late 0'")  # in WAL mode, in the WAL alone
        back_up(db, tmp_path / "late", real, PACE)
        same = matches_file_in_place(db, tmp_path / "late", PACE)
        make(tmp_path / "another", "late")
        another = matches_file_in_place(db, tmp_path / "another", PACE)
        locked = ask(real, "SELECT 1 FROM money")

    assert (same, another) == (True, False)
    assert locked == "database is locked"
    assert names_in(tmp_path) == ["another", "it's real#1?.db", "late"]


def test_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    gone = tmp_path / "gone"
    with pytest.raises(DatabaseError) as told:
        same_pages_in_fork(real, gone)

    assert str(told.value) == (
        f"{gone}: could not be compared with real.db: No such file or directory"
    )


@pytest.mark.parametrize(
    ("program", "code"),
    [(lambda *_: b"perhaps", 0), (lambda *_: sys.exit(3), 1), (lambda *_: kill_itself(), -9)],
    ids=["says something else", "ends", "is killed"],
)
def test_a_process_that_cannot_compare_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[..., bytes], code: int
) -> None:
    real = make(tmp_path / "real.db", "old")
    monkeypatch.setattr(compare_files, "what_is_said_of", program)
    with pytest.raises(DatabaseError, match=rf"real\.db: its process ended with {code}$"):
        same_pages_in_fork(real, real)


def test_nobody_compares_for_a_process_that_is_gone(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    answer, its_answer = os.pipe()
    child = fork_compares(-1, its_answer, real, real)
    os.close(its_answer)
    with open(answer, "rb") as said:  # noqa: PTH123 - a descriptor
        status = os.waitpid(child, 0)[1]

        assert (said.read(), os.waitstatus_to_exitcode(status)) == (b"", 1)


def test_a_fork_that_compares_collects_no_connection_that_is_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says_whether_it_collects(*_: object) -> bytes:
        return encode_message("compared", Compared(same=gc.isenabled()))

    real = make(tmp_path / "real.db", "old")
    monkeypatch.setattr(compare_files, "what_is_said_of", says_whether_it_collects)

    assert (same_pages_in_fork(real, real), gc.isenabled()) == (False, True)


def kill_itself() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
