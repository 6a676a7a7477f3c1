"""What a restore would lose after a rollback that has left no migration in the history."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.written_since import written_since
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.batches import remove
from pytest_bbmigrate.history.identity import Identity, read_emptied, record_emptied, write_identity
from pytest_bbmigrate.history.table import Applied, make_history, record
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import object_digests

if TYPE_CHECKING:
    from pathlib import Path

BACKUP = "real.db.backup.20260203_140506"


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for sql in statements:
            db.execute(sql)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a database whose only migration, that made accounts, was taken back after a backup."""
    real, backup = tmp_path / "real.db", tmp_path / BACKUP
    run(real, "CREATE TABLE cache (id INTEGER)", "CREATE TABLE accounts (id INTEGER)")
    with closing(sqlite3.connect(real)) as db, db:
        record(db, Applied("001", "c", "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
    with closing(sqlite3.connect(real)) as db, closing(sqlite3.connect(backup)) as copy:
        db.backup(copy)
    with closing(sqlite3.connect(real)) as db, db:
        make_history(db)
        remove(db, "001")
        db.execute("DROP TABLE accounts")
        write_identity(db, Identity("4f1c", {BACKUP: "digest"}))
        record_emptied(db, content_of(db), object_digests(db))
    return real


def test_nothing_is_lost_right_after_it(real: Path) -> None:
    assert written_since(real, real.with_name(BACKUP)) == ()


def test_what_was_written_since_is_told(real: Path) -> None:
    run(real, "INSERT INTO cache VALUES (1)", "CREATE VIEW kinds AS SELECT 1")

    lost = written_since(real, real.with_name(BACKUP))

    assert [(each.table, each.how) for each in lost] == [
        ("cache", "1 row more since the apply"),
        ("view kinds", "made since the apply"),
    ]


def test_of_another_backup_every_difference_counts(real: Path) -> None:
    lost = written_since(real, real.with_name(BACKUP), name="real.db.backup.20250101_000000")

    assert [(each.table, each.how) for each in lost] == [
        ("accounts", "dropped since the backup"),
    ]


def test_the_next_apply_takes_it_out_again(real: Path) -> None:
    with closing(sqlite3.connect(real)) as db, db:
        there = read_emptied(db)
        write_identity(db, Identity("4f1c"))
        after = read_emptied(db)

    assert there is not None
    assert after is None


@pytest.mark.parametrize("text", ["{", "[]", '{"contents": {"a": 1}, "objects": {}}', "[" * 9000])
def test_what_does_not_read_is_told(real: Path, text: str) -> None:
    with closing(sqlite3.connect(real)) as db:
        db.execute("UPDATE _bb_database SET emptied = ?", (text,))
        with pytest.raises(BBMigrateError, match="does not say what the last rollback has left"):
            read_emptied(db)
