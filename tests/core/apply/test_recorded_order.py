"""Which backup is the newest, when the clock was set back since an older one was made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backup_owners import owner_of
from pytest_bbmigrate.apply.choose_backup import choose_backup, newer_backups
from pytest_bbmigrate.apply.model import Preflight
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
from pytest_bbmigrate.apply.run import ApplyOrder, prune
from pytest_bbmigrate.history.batches import record_backup
from pytest_bbmigrate.history.identity import Identity, read_identity, write_identity
from pytest_bbmigrate.history.plan import MigrationStatuses
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import note_for, with_digest, write_note
from tests.core.real_databases import make, names_in

if TYPE_CHECKING:
    from pathlib import Path

MINE = "4f1c"
BEFORE_IDS, OF_TODAY, OF_LAST_MONTH = (
    "real.db.backup.20270101_000000",
    "real.db.backup.20261129_121445",
    "real.db.backup.20261030_121456",
)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a database whose three backups were recorded from the latest name to the earliest."""
    real = make(tmp_path / "real.db", "old")
    back_up(real, BEFORE_IDS, 1)
    with closing(sqlite3.connect(real)) as db, db:
        write_identity(db, Identity(MINE))
    back_up(real, OF_TODAY, 2)
    back_up(real, OF_LAST_MONTH, 3)
    return real


def back_up(real: Path, name: str, batch: int) -> None:
    """Make a backup of that name, as the apply ``batch`` does."""
    backup = real.with_name(name)
    with closing(sqlite3.connect(real)) as db, closing(sqlite3.connect(backup)) as copy:
        db.backup(copy)
    with closing(sqlite3.connect(real)) as db, db:
        known = read_identity(db)
        note = with_digest(note_for(real, known.id), backup)
        write_note(note, note_beside(backup), backup.parent)
        record(db, Applied(f"{batch:03}", "c", "2026-01-05T10:00:00+00:00", 0.1, batch, 1))
        record_backup(db, batch, name)
        if known.id:
            write_identity(db, Identity(known.id, {**known.digests, name: note.digest}))


def pruned(real: Path, keep: int) -> list[str]:
    """Return what an apply removes whose backup is the one of last month."""
    rehearsal = RehearsalOrder(real.parent, (), real, real.parent)
    found = Preflight(MigrationStatuses((), ()), (), 1)
    order = ApplyOrder(real, real.parent, found, rehearsal, str, keep_backups=keep)
    return [path.name for path in prune(order, real.with_name(OF_LAST_MONTH), pytest.fail)]


def test_the_history_keeps_the_order_in_which_backups_were_made(real: Path) -> None:
    assert owner_of(real).recorded == (BEFORE_IDS, OF_TODAY, OF_LAST_MONTH)


def test_the_backup_of_the_run_itself_is_never_removed(real: Path) -> None:
    assert pruned(real, 1) == [BEFORE_IDS, OF_TODAY]
    assert names_in(real.parent) == ["real.db", OF_LAST_MONTH]


@pytest.mark.parametrize(("keep", "gone"), [(2, [BEFORE_IDS]), (3, []), (4, [])])
def test_those_recorded_first_are_removed_first(real: Path, keep: int, gone: list[str]) -> None:
    assert pruned(real, keep) == gone
    assert {*names_in(real.parent)} == {"real.db", BEFORE_IDS, OF_TODAY, OF_LAST_MONTH} - {*gone}


def test_the_one_recorded_last_is_restored_and_none_is_said_to_be_newer(real: Path) -> None:
    chosen = choose_backup(real, real.parent).backup

    assert chosen.name == OF_LAST_MONTH
    assert newer_backups(real, real.parent, chosen) == ()
