"""What somebody's code has changed of a real database is put back; use by others is no fault."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sandbox.real_file import Meanwhile, look_at, put_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = 1_000_000_000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database that nobody has written to lately."""
    path = tmp_path / "home" / "money.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE money (cents)")
    os.utime(path, ns=(OLD, OLD))
    return path


def write(path: Path, *before: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for sql in (*before, "INSERT INTO money VALUES (1)"):
            db.execute(sql)


def change_both(path: Path) -> None:
    path.chmod(0o400)
    os.utime(path, (2, 2))


def set_extended(path: Path) -> None:
    try:
        os.setxattr(path, "user.mark", b"x")
    except OSError as error:
        pytest.skip(f"this file system has no extended attributes ({error})")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "mode": (lambda path: path.chmod(0o777), "mode"),
    "times": (lambda path: os.utime(path, ns=(5, 5)), "times"),
    "now": (os.utime, "times"),
    "extended": (set_extended, "extended attributes"),
    "several": (change_both, "mode and times"),
}


@pytest.mark.parametrize("way", CHANGES)
def test_what_was_changed_is_put_back_and_named(database: Path, way: str) -> None:
    change, name = CHANGES[way]
    before = look_at(database)
    time.sleep(0.01)
    change(database)

    assert put_back(before, held=True) == Meanwhile((f"{name} of {database}",))
    was, now = before.of(database), look_at(database).of(database)
    assert was is not None
    assert now is not None
    assert (now.mode, now.modified, now.extended) == (was.mode, was.modified, was.extended)


@pytest.mark.parametrize("way", ["mode", "times", "extended"])
def test_so_are_those_of_its_folder(database: Path, way: str) -> None:
    change, name = CHANGES[way]
    before = look_at(database)
    change(database.parent)

    assert put_back(before, held=True) == Meanwhile((f"{name} of {database.parent}",))
    was, now = before.of(database.parent), look_at(database).of(database.parent)
    assert was is not None
    assert now is not None
    assert (now.mode, now.modified, now.extended) == (was.mode, was.modified, was.extended)


def test_and_those_of_what_lies_beside_it(database: Path) -> None:
    wal = database.with_name("money.db-wal")
    with closing(sqlite3.connect(database, isolation_level=None)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("INSERT INTO money VALUES (1)")
        before, mode = look_at(database), wal.stat().st_mode
        wal.chmod(0o400)

        assert put_back(before, held=True) == Meanwhile((f"mode of {wal}",))
        assert wal.stat().st_mode == mode


def test_nothing_is_said_where_nothing_happens(database: Path) -> None:
    before = look_at(database)

    assert put_back(before, held=True) == Meanwhile()
    assert put_back(before, held=False) == Meanwhile()
    assert look_at(database) == before


def test_an_app_that_writes_meanwhile_is_no_fault_of_the_code_that_is_held(database: Path) -> None:
    before = look_at(database)
    write(database)
    written = database.stat()

    assert put_back(before, held=True) == Meanwhile()
    assert database.stat().st_mtime_ns == written.st_mtime_ns


def test_where_nothing_holds_the_code_that_is_told_with_what_is_known(database: Path) -> None:
    before = look_at(database)
    write(database)

    assert put_back(before, held=False).written == "SQLite's change counter in it went from 1 to 2"


def test_an_app_that_uses_a_wal_meanwhile_is_no_fault_either(database: Path) -> None:
    write(database, "PRAGMA journal_mode = WAL")
    before = look_at(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as app:
        app.execute("INSERT INTO money VALUES (1)")
        assert put_back(before, held=True) == Meanwhile()
        assert put_back(before, held=False).written == "its journal or WAL has changed"
        before = look_at(database)
        app.execute("PRAGMA wal_checkpoint")
        assert put_back(before, held=True) == Meanwhile()
    assert put_back(before, held=True) == Meanwhile()


def test_an_app_in_the_middle_of_a_transaction_is_no_fault_either(database: Path) -> None:
    before = look_at(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as app:
        app.executescript("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN")
        app.executemany("INSERT INTO money VALUES (zeroblob(5000))", [()] * 20)

        assert database.with_name("money.db-journal").exists()
        assert put_back(before, held=True) == Meanwhile()


def test_mode_and_content_are_told_apart(database: Path) -> None:
    before = look_at(database)
    write(database)
    database.chmod(0o777)
    written = database.stat().st_mtime_ns

    assert put_back(before, held=True) == Meanwhile((f"mode of {database}",))
    assert database.stat().st_mtime_ns == written


@pytest.mark.parametrize("held", [True, False])
def test_what_writes_past_sqlite_is_always_told(database: Path, held: bool) -> None:  # noqa: FBT001 - a case
    before = look_at(database)
    with database.open("ab") as file:
        file.write(b"more")

    assert put_back(before, held=held).written == "SQLite's change counter in it is what it was"


def test_without_the_kernel_a_time_that_has_changed_may_be_more(database: Path) -> None:
    before = look_at(database)
    os.utime(database)

    assert put_back(before, held=False).written == "SQLite's change counter in it is what it was"


def test_another_file_in_its_place_is_told_where_the_code_may_have_put_it(database: Path) -> None:
    other = database.with_name("other.db")
    other.write_bytes(b"")
    before = look_at(database)
    database.unlink()

    assert put_back(before, held=False).written == "it is gone"
    assert put_back(before, held=True) == Meanwhile()

    other.rename(database)

    assert put_back(before, held=False).written == "another file is in its place"


def test_a_database_that_is_not_there_has_its_folder_looked_at(tmp_path: Path) -> None:
    mode = tmp_path.stat().st_mode
    before = look_at(tmp_path / "none.db")
    tmp_path.chmod(0o777)

    assert put_back(before, held=True) == Meanwhile((f"mode of {tmp_path}",))
    assert tmp_path.stat().st_mode == mode
