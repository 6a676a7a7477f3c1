"""Reading a database file that others may be using."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pytest_bbmigrate.errors import DatabaseError, SettingsError
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.sqlite_files import reading as module
from pytest_bbmigrate.sqlite_files.reading import (
    OpenMode,
    WrittenMeanwhile,
    open_mode_of,
    read_database,
    reading,
)
from tests.core.real_databases import STAYS, in_use

ROWS = "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"
MANY = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999) "
    "INSERT INTO t SELECT randomblob(999) FROM n"
)
SPILLED = ("PRAGMA cache_size = 1", "BEGIN", MANY)  # pages are written before the end


def make(path: Path, mode: str = "delete") -> Path:
    """Write a database with a table of two rows."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for sql in (f"PRAGMA journal_mode = {mode}", *ROWS):
            db.execute(sql)
    return path


def count(db: sqlite3.Connection) -> int:
    """Return how many rows there are."""
    return int(db.execute("SELECT count(*) FROM t").fetchone()[0])


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file's content and time of change but those of the index of a WAL."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("mode", ["delete", "persist", "wal"])
def test_a_file_is_read_and_nothing_is_written_or_made(tmp_path: Path, mode: str) -> None:
    path = make(tmp_path / "money #1?'é.db", mode)
    before = files_in(tmp_path)

    with reading(path) as db:
        assert count(db) == 2
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM t")
    assert files_in(tmp_path) == before


def test_a_file_without_a_byte_is_an_empty_database(tmp_path: Path) -> None:
    path = tmp_path / "money.db"
    path.touch()

    with reading(path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("content", [b"", b"rows that somebody may want back"])
def test_what_lies_beside_an_emptied_file_is_left_there(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / "money.db"
    path.touch()
    path.with_name(f"money.db{suffix}").write_bytes(content)

    with reading(path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {
        "money.db": b"",
        f"money.db{suffix}": content,
    }


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_symbolic_link_is_followed(tmp_path: Path, mode: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    real = make(tmp_path / "there" / "money.db", mode)
    link = tmp_path / "here" / "link.db"
    link.symlink_to(real)

    assert read_database(link, count) == 2
    assert [path.name for path in real.parent.iterdir()] == ["money.db"]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_an_unfinished_write_of_another_program_is_not_seen(tmp_path: Path, mode: str) -> None:
    path = make(tmp_path / "money.db", mode)

    with in_use(path, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (3)"):
        there = {entry.name for entry in tmp_path.iterdir()}
        assert read_database(path, count) == 2
        assert {entry.name for entry in tmp_path.iterdir()} == there


def test_rows_that_are_only_in_the_wal_of_another_program_are_seen(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db", "wal")

    with in_use(path, "INSERT INTO t VALUES (3)"):
        assert open_mode_of(path) is OpenMode.SHARED
        assert read_database(path, count) == 3


@pytest.mark.parametrize("index", ["left", "gone"])
def test_a_wal_that_a_crashed_program_left_is_taken_in(tmp_path: Path, index: str) -> None:
    path = make(tmp_path / "money.db", "wal")
    with in_use(path, "INSERT INTO t VALUES (3)"):
        pass
    if index == "gone":
        path.with_name("money.db-shm").unlink()
    before, names = files_in(tmp_path), {entry.name for entry in tmp_path.iterdir()}

    assert read_database(path, count) == 3
    assert files_in(tmp_path) == before
    assert {entry.name for entry in tmp_path.iterdir()} == names


def test_an_empty_wal_that_a_crashed_program_left_stays(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db", "wal")
    path.with_name("money.db-wal").touch()

    assert open_mode_of(path) is OpenMode.CLOSED
    assert read_database(path, count) == 2
    assert {entry.name for entry in tmp_path.iterdir()} == {"money.db", "money.db-wal"}


def test_an_unfinished_write_of_a_crashed_program_is_taken_back_in_a_copy(
    tmp_path: Path,
) -> None:
    path = make(tmp_path / "money.db")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with in_use(path, *SPILLED):
        pass
    before = path.read_bytes(), path.with_name("money.db-journal").read_bytes()

    assert open_mode_of(path) is OpenMode.RECOVERED
    with reading(path, scratch=scratch) as db:
        assert count(db) == 2
        assert [entry.is_dir() for entry in scratch.iterdir()] == [True]
    assert list(scratch.iterdir()) == []
    assert (path.read_bytes(), path.with_name("money.db-journal").read_bytes()) == before


def test_a_copy_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db")
    with in_use(path, *SPILLED):
        pass

    with (
        pytest.raises(DatabaseError, match=r"did not come to its end, .*; open it once with a"),
        reading(path, scratch=tmp_path / "absent"),
    ):
        raise AssertionError


def test_a_file_that_another_program_is_writing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    path = make(tmp_path / "money.db")

    with (
        in_use(path, "BEGIN EXCLUSIVE"),
        pytest.raises(DatabaseError, match=r"money\.db: .*locked\); wait until the program that"),
    ):
        read_database(path, count)


def test_locks_that_this_process_has_are_kept(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        read_database(path, count)
        other = subprocess.run(
            [sys.executable, "-c", STAYS, str(path), "PRAGMA busy_timeout = 0", "BEGIN IMMEDIATE"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    assert "database is locked" in other.stderr


def test_what_was_read_of_a_closed_file_while_somebody_wrote_is_read_again(
    tmp_path: Path,
) -> None:
    path = make(tmp_path / "money.db", "wal")
    seen = []

    def read(db: sqlite3.Connection) -> int:
        seen.append(count(db))
        if len(seen) == 1:
            with closing(sqlite3.connect(path, isolation_level=None)) as writer:
                writer.execute("INSERT INTO t VALUES (3)")
        return seen[-1]

    assert read_database(path, read) == 3
    assert seen == [2, 3]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_what_sqlite_says_of_a_query_is_said_of_the_file(tmp_path: Path, mode: str) -> None:
    path = make(tmp_path / "money.db", mode)

    said = r"money\.db: cannot be read .*no such table: absent"
    with showing_values(everything=True), pytest.raises(DatabaseError, match=said):
        read_database(path, lambda db: db.execute("SELECT * FROM absent"))


@pytest.mark.parametrize("also", ["", "SELECT absent"])
def test_a_file_that_somebody_always_writes_is_given_up(tmp_path: Path, also: str) -> None:
    path = make(tmp_path / "money.db", "wal")

    def read(db: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("INSERT INTO t VALUES (3)")
        db.execute(also)

    with pytest.raises(WrittenMeanwhile, match="another program wrote to it while it was read"):
        read_database(path, read)


def test_a_copy_that_somebody_wrote_to_while_it_was_made_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "money.db", "wal")
    with in_use(path, "INSERT INTO t VALUES (3)"):
        pass
    path.with_name("money.db-shm").unlink()
    duplicate = module.copy_with_sidecars

    def interrupted(real: Path, folder: Path) -> Path:
        copy = duplicate(real, folder)
        os.utime(real)
        return copy

    monkeypatch.setattr(module, "copy_with_sidecars", interrupted)

    with pytest.raises(WrittenMeanwhile):
        read_database(path, count)


def test_the_apps_hook_is_called_and_its_faults_are_its_own(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db")

    def hook(db: sqlite3.Connection) -> None:
        db.create_function("twice", 1, lambda value: 2 * value)

    def broken(db: sqlite3.Connection) -> None:
        db.execute("SELECT absent")

    with reading(path, hook) as db:
        assert db.execute("SELECT twice(4)").fetchone() == (8,)
    with pytest.raises(SettingsError, match="bb_connection: broken"), reading(path, broken):
        raise AssertionError


TEXT = b"Dear diary, today I spent nothing. " * 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT, "(file is not a database); it is text: give the path of the database (a dump"),
        ("Café ".encode() * 20, "(file is not a database); it is text"),
        (f"{'x' * 99}é".encode(), "(file is not a database); it is text"),
        (bytes(range(1, 256)) * 16, "(file is not a database); it is an encrypted database, or"),
        (b"PK\x03\x04" + bytes(4092), "(file is not a database); it is an encrypted database, or"),
        (b"SQLite format 3\0", "; it is "),
    ],
)
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "money.db"
    path.write_bytes(content)

    with pytest.raises(DatabaseError) as caught:
        read_database(path, count)

    assert str(caught.value).startswith(f"{path}: cannot be read as an SQLite database (")
    assert message in str(caught.value)
    assert path.read_bytes() == content


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db")
    whole = path.read_bytes()
    path.write_bytes(whole[:4096])

    with pytest.raises(DatabaseError) as caught:
        read_database(path, count)

    assert str(caught.value) == (
        f"{path}: cannot be read as an SQLite database (database disk image is malformed); it is "
        f"cut off: 4096 bytes are left of {len(whole)}; put a backup in its place, or save what is "
        "left of it with sqlite3's .recover"
    )


def test_a_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "money.db")
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 200 + whole[300:])

    with pytest.raises(DatabaseError, match=r"it is damaged; put a backup in its place, or"):
        read_database(path, count)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    kinds = {"": "a folder", "pipe": "a pipe", "socket": "a socket"}

    for name, kind in kinds.items():
        path = tmp_path / name
        with pytest.raises(DatabaseError) as caught:
            read_database(path, count)
        assert str(caught.value) == (
            f"{path}: not a database file but {kind}; give the path of one"
        )
    with pytest.raises(DatabaseError, match="not a database file but a device"):
        read_database(Path(os.devnull), count)


@pytest.mark.parametrize("name", ["money.db", "text/money.db"])
def test_a_missing_file_is_told_and_not_made(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").touch()

    with pytest.raises(DatabaseError, match=r"money\.db: no such database file; give the path"):
        read_database(tmp_path / name, count)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_path_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"cannot be looked at \(File name too long\); see"):
        read_database(tmp_path / ("x" * 300), count)
