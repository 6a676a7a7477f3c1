"""The content of the last copy, read while that is judged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.model import Rehearsal
from pytest_bbmigrate.apply.rehearsal import content_ahead, working_copy
from pytest_bbmigrate.apply.rehearsal.client import TEMPORARY, WORKING_COPY, RehearsalOrder
from pytest_bbmigrate.apply.rehearsal.content_ahead import reading_ahead
from pytest_bbmigrate.apply.rehearsal.worker import attempt
from pytest_bbmigrate.experiment import snapshot_of
from pytest_bbmigrate.history.batches import contents_of
from pytest_bbmigrate.history.table import last_batch, read_history
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.sqlite_files import app_connections, open_content
from tests.core.real_databases import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.rows import TableContent

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy with some rows."""
    return make(tmp_path / "copy.db", "old", rows=50)


def test_what_was_read_ahead_is_the_content(copy: Path) -> None:
    with reading_ahead() as ahead:
        ahead.start(copy)
        found = ahead.of(snapshot_of(copy))

    with closing(open_content(copy)) as db:
        assert found == content_of(db)


def test_it_is_read_beside_the_thread_that_judges(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def note(_: sqlite3.Connection) -> tuple[()]:
        threads.append(threading.get_ident())
        return ()

    monkeypatch.setattr(content_ahead, "content_of", note)
    with reading_ahead() as ahead:
        ahead.start(copy)
        assert ahead.of(snapshot_of(copy)) == ()

    assert threading.get_ident() not in threads


def test_nothing_is_known_of_a_file_that_was_written_since(copy: Path) -> None:
    with reading_ahead() as ahead:
        ahead.start(copy)
        ahead.wait()
        with closing(sqlite3.connect(copy)) as db:
            db.execute("UPDATE money SET note = note || ' late'")
            db.commit()
        status = copy.stat()
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))

        assert ahead.of(snapshot_of(copy)) is None


def test_nothing_is_known_of_another_file(copy: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy2(copy, tmp_path / "other.db"))
    with reading_ahead() as ahead:
        assert ahead.of(snapshot_of(copy)) is None
        ahead.start(copy)

        assert ahead.of(snapshot_of(other)) is None


def test_what_cannot_be_read_is_left_to_those_who_need_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    with reading_ahead() as ahead:
        ahead.start(broken)
        ahead.wait()

        assert ahead.found is None


def test_its_connection_has_the_functions_of_the_app(copy: Path) -> None:
    prepared: list[sqlite3.Connection] = []
    with app_connections(prepared.append), reading_ahead() as ahead:
        ahead.start(copy)
        ahead.wait()

    assert len(prepared) == 1


def test_nothing_is_read_any_more_once_it_is_not_wanted(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def read_for_ever(db: sqlite3.Connection) -> tuple[()]:
        begun.set()
        db.execute(f"SELECT count(*) FROM ({ENDLESS})").fetchall()
        return ()

    monkeypatch.setattr(content_ahead, "content_of", read_for_ever)
    with reading_ahead() as ahead:
        ahead.start(copy)
        assert begun.wait(10)

    assert ahead.thread is not None
    assert not ahead.thread.is_alive()
    assert ahead.found is None


@pytest.mark.parametrize("goes_back", [False, True])
def test_a_rehearsal_reads_ahead_where_nothing_else_is_run_after_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    goes_back: bool,  # noqa: FBT001 -- a table's column
) -> None:
    migrations, folder = tmp_path / "migrations", tmp_path / "folder"
    for made in (migrations, folder, folder / TEMPORARY):
        made.mkdir()
    before = make(tmp_path / "backup", "old", rows=50)
    (migrations / "1_first.sql").write_text("CREATE INDEX one ON money (note, id);\n")
    (migrations / "2_trip.up.sql").write_text("ALTER TABLE money ADD COLUMN trip TEXT;\n")
    if goes_back:
        (migrations / "2_trip.down.sql").write_text("ALTER TABLE money DROP COLUMN trip;\n")
    read: list[str] = []

    def note(which: str) -> Callable[[sqlite3.Connection], tuple[TableContent, ...]]:
        def noted(db: sqlite3.Connection) -> tuple[TableContent, ...]:
            read.append(which)
            return content_of(db)

        return noted

    monkeypatch.setattr(content_ahead, "content_of", note("ahead"))
    monkeypatch.setattr(working_copy, "content_of", note("at the end"))
    order = RehearsalOrder(
        migrations,
        ("1_first", "2_trip"),
        tmp_path / "real.db",
        tmp_path,
        before=before,
        folder=folder,
    )

    result = attempt(order, lambda _: None)

    assert isinstance(result, Rehearsal)
    assert read == ["at the end" if goes_back else "ahead"]
    with closing(open_content(folder / WORKING_COPY)) as db:
        (content,) = content_of(db)
        kept = contents_of(db, last_batch(read_history(db)))
    assert kept == {"money": (content.rows, content.digest)}
