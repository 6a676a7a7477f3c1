"""The exclusive lock on a file, taken and kept by a connection."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.locking import (
    DatabaseLocked,
    journal_mode,
    set_journal_mode,
    take_lock,
)
from tests.core.real_databases import MODES, ask, make, mode_of, names_in, other_program

if TYPE_CHECKING:
    from pathlib import Path

READ = "SELECT count(*) FROM money"


@pytest.mark.parametrize("mode", MODES)
def test_the_lock_is_kept_while_the_journal_mode_changes(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    other_mode = {"wal": "delete", "delete": "wal"}[mode]
    seen = []
    with closing(take_lock(real, 1)) as db:
        assert journal_mode(db) == mode
        for wanted in (other_mode, mode):
            seen.append(ask(real, READ))
            set_journal_mode(db, wanted)
            assert journal_mode(db) == wanted
        seen.append(ask(real, READ))

    assert seen == ["database is locked"] * 3
    assert ask(real, READ) == "[(1,)]"
    assert mode_of(real) == mode
    assert names_in(tmp_path) == ["real.db"]


@pytest.mark.parametrize("mode", ["truncate", "persist", "memory", "off"])
def test_a_journal_mode_that_is_a_connections_own_is_left_to_it(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old")
    with (
        other_program(real, f"PRAGMA journal_mode = {mode}", "UPDATE money SET note = 'x 0'"),
        closing(take_lock(real, 1)) as db,
    ):
        assert journal_mode(db) == "delete"
        db.execute("UPDATE money SET note = 'y 0'")

    assert mode_of(real) == "delete"
    assert ask(real, "SELECT note FROM money") == "[('y 0',)]"


def test_who_waits_in_vain_blocks_nobody(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with other_program(real, "BEGIN", READ):
        with pytest.raises(DatabaseLocked, match=r"real\.db: in use by another program"):
            take_lock(real, 0.1)
        assert ask(real, READ) == "[(1,)]"


def test_waiting_ends_when_nobody_wants_the_lock_any_more(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    asked = iter([False, True])

    def still_wanted() -> None:
        if next(asked):
            raise InterruptedError

    with other_program(real, "BEGIN", READ), pytest.raises(InterruptedError):
        take_lock(real, 60, still_wanted)


def test_a_lock_comes_free_within_the_deadline(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with closing(sqlite3.connect(real, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(take_lock(real, 60, other.rollback)) as db:
            assert journal_mode(db) == "delete"


@pytest.mark.parametrize("mode", MODES)
def test_to_take_the_lock_and_give_it_back_writes_nothing(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    before = real.read_bytes(), real.stat().st_mtime_ns
    take_lock(real, 1).close()

    assert (real.read_bytes(), real.stat().st_mtime_ns) == before
    assert names_in(tmp_path) == ["real.db"]


def test_a_journal_mode_that_sqlite_refuses_is_an_error(tmp_path: Path) -> None:
    with (
        closing(take_lock(make(tmp_path / "real.db", "old"), 1)) as db,
        pytest.raises(sqlite3.OperationalError, match="stays delete, nonsense was asked for"),
    ):
        set_journal_mode(db, "nonsense")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="not a database file"):
        take_lock(tmp_path, 1)
