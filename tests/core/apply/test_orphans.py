"""A WAL or journal whose database is empty or gone: what was committed last may be in it alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.choose_backup import choose_backup
from pytest_bbmigrate.apply.file_checks import is_to_be_made
from pytest_bbmigrate.apply.record_version import record_version
from pytest_bbmigrate.apply.replace_file import file_in_place
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.apply.run import new_file
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import backup_path
from tests.core.publishing import Reporter
from tests.core.real_databases import make, make_work, names_in, note_in

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 2, 3, 14, 5, 6, tzinfo=UTC)
ASIDE = "real.db.failed.20260203_140506"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a database with a backup; its second row is committed, and in its WAL alone."""
    real = make(tmp_path / "real.db", "old", mode="wal")
    back_up_now(real, tmp_path, lambda _: None)
    with closing(sqlite3.connect(real, isolation_level=None)) as app:
        app.execute("INSERT INTO money (note) VALUES ('committed last')")
        shutil.copyfile(f"{real}-wal", tmp_path / "kept")
    (tmp_path / "kept").rename(f"{real}-wal")
    return real


def lose(real: Path, how: str) -> bytes:
    """Empty or remove the database; return what its WAL holds."""
    if how == "gone":
        real.unlink()
    else:
        os.truncate(real, 0)
    return real.with_name("real.db-wal").read_bytes()


def restore(real: Path) -> tuple[Path, ...]:
    return restore_backup(real, real.parent, choose_backup(real, real.parent), Reporter())


ways = pytest.mark.parametrize("how", ["empty", "gone"])


@ways
def test_a_restore_keeps_it_under_another_name_with_every_row(real: Path, how: str) -> None:
    rows = lose(real, how)

    (wal,) = restore(real)

    assert wal.name.startswith("real.db.failed.")
    assert wal.read_bytes() == rows
    assert note_in(real) == "old"
    (backup,) = real.parent.glob("real.db.backup.*")  # of an empty database none is made
    rescued = wal.with_name(wal.name.removesuffix("-wal"))
    shutil.copyfile(backup, rescued)
    content = bytearray(rescued.read_bytes())
    content[18:20] = b"\x02\x02"
    rescued.write_bytes(content)
    with closing(sqlite3.connect(rescued)) as db:
        rows_in_both = db.execute("SELECT note FROM money ORDER BY id").fetchall()
    assert rows_in_both == [("old 0",), ("committed last",)]


@ways
def test_nothing_else_takes_it_away(real: Path, how: str) -> None:
    rows = lose(real, how)
    before = names_in(real.parent)

    for deed in (
        lambda: back_up_now(real, real.parent, lambda _: None),
        lambda: record_version(real, real.parent, (), Reporter()),
        lambda: is_to_be_made(real, create=True),
        lambda: is_to_be_made(real, create=False),
    ):
        with pytest.raises(StepFailed, match=r"real\.db: it is (empty|not there), but real\.db-w"):
            deed()

    assert names_in(real.parent) == before
    assert real.with_name("real.db-wal").read_bytes() == rows


def test_no_file_is_made_beside_it(real: Path) -> None:
    rows = lose(real, "gone")

    with pytest.raises(StepFailed, match=r"but real\.db-wal beside it is:"):
        new_file(real)

    assert not real.exists()
    assert real.with_name("real.db-wal").read_bytes() == rows


def test_a_name_is_not_free_where_a_wal_has_it(real: Path) -> None:
    (real.parent / f"{ASIDE}-wal").write_bytes(b"kept before")
    (real.parent / "real.db.backup.20260203_140506-journal").write_bytes(b"another's")
    lose(real, "gone")

    kept = file_in_place(real).replace(make(real.parent / "work.db", "new"), NOW)

    assert [path.name for path in kept] == [f"{ASIDE}_2-wal"]
    assert (real.parent / f"{ASIDE}-wal").read_bytes() == b"kept before"
    assert backup_path(real, real.parent, NOW).name == "real.db.backup.20260203_140506_2"


def test_what_another_program_writes_into_a_new_file_is_not_published_over(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "the app's")
    work, digest = make_work(tmp_path / "work.db")
    change = ContentChange(
        real, tmp_path, lambda _: None, lambda *_: PublishableCopy(work, digest), keeps_backup=False
    )

    with pytest.raises(StepFailed, match="it was empty, and another program has written to it"):
        run_change(change, Reporter())

    assert note_in(real) == "the"
    assert names_in(tmp_path) == ["real.db", "work.db"]
