"""What the app itself can ask."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate import pending
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import BBMigrateError, CatalogueError, DatabaseError
from pytest_bbmigrate.history.table import Applied, make_history, record
from pytest_bbmigrate.sqlite_files import reading as reading_module
from tests.core.cataloguing import write
from tests.core.real_databases import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {
    "001_accounts.sql": "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);",
    "002_trips.sql": "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);",
    "003_notes.py": "def up(db):\n    raise SystemExit('never run')\n",
}
NAMES = ("001_accounts", "002_trips", "003_notes")
ROOT = Path(__file__).parents[3]
# Asks twice: as whoever runs this, then, where that is root, as a user who may write nothing.
APP = """
import json, os, sys
from pytest_bbmigrate import pending
answers = [pending(sys.argv[1], sys.argv[2])]
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
answers.append(pending(sys.argv[1], sys.argv[2]))
parts = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([answers, parts]))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that another user may read."""
    with tempfile.TemporaryDirectory(prefix="pending-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "migrations").mkdir()
        (path / "data").mkdir()
        write(path / "migrations", FILES)
        yield path


def make(place: Path, *names: str, mode: str = "delete") -> Path:
    """Write a database that has the migrations called ``names``."""
    path = place / "data" / "budget.db"
    checksums = {m.name: m.checksum for m in read_catalogue(place / "migrations").migrations}
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        make_history(db)
        for name in names:
            checksum = checksums.get(name, "x")
            record(db, Applied(name, checksum, "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
    return path


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("count", range(4))
def test_what_a_database_does_not_have_is_named(place: Path, mode: str, count: int) -> None:
    path = make(place, *NAMES[:count], mode=mode)
    before = path.read_bytes()

    assert pending(path, place / "migrations") == NAMES[count:]
    assert pending(str(path), str(place / "migrations")) == NAMES[count:]
    assert path.read_bytes() == before
    assert names_in(path.parent) == ["budget.db"]


def test_an_app_asks_without_pytest_also_where_it_may_not_write(place: Path) -> None:
    path = make(place, "001_accounts", mode="wal")
    path.chmod(0o444)
    path.parent.chmod(0o555)

    asked = subprocess.run(
        [sys.executable, "-c", APP, str(path), str(place / "migrations")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    answers, modules = json.loads(asked.stdout)
    assert answers == [list(NAMES[1:])] * 2
    assert "pytest_bbmigrate" in modules
    absent = {"pytest", "_pytest", "faker", "sqlite_utils", "psutil", "xdist", "sqlalchemy"}
    assert absent.isdisjoint(modules)
    assert names_in(path.parent) == ["budget.db"]


def test_it_is_asked_while_others_write(place: Path) -> None:
    path = make(place, "001_accounts", mode="wal")

    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("CREATE TABLE t (a)")
        before = names_in(path.parent)
        assert pending(path, place / "migrations") == NAMES[1:]
        writer.execute("COMMIT")

    assert before == ["budget.db", "budget.db-shm", "budget.db-wal"]


def test_the_locks_of_the_app_are_kept(place: Path) -> None:
    path = make(place, "001_accounts")
    begin = (
        "import contextlib, sqlite3, sys\n"
        "with contextlib.closing(sqlite3.connect(sys.argv[1], timeout=0)) as db:\n"
        "    db.execute('BEGIN IMMEDIATE')"
    )

    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        pending(path, place / "migrations")
        other = subprocess.run(
            [sys.executable, "-c", begin, str(path)], capture_output=True, text=True, check=False
        )

    assert "database is locked" in other.stderr


def test_late_ones_are_pending_and_renamed_ones_are_not(place: Path) -> None:
    path = make(place, "002_trips")
    (place / "migrations" / "002_trips.sql").rename(place / "migrations" / "002_journeys.sql")

    assert pending(path, place / "migrations") == ("001_accounts", "003_notes")


def test_an_empty_database_has_no_migration(place: Path) -> None:
    path = place / "data" / "budget.db"
    path.touch()

    assert pending(path, place / "migrations") == NAMES


def test_files_that_are_not_as_they_were_applied_are_told(place: Path) -> None:
    path = make(place, "001_accounts", "002_trips", "009_gone")
    write(place / "migrations", {"002_trips.sql": "CREATE TABLE trips (a);"})

    with pytest.raises(BBMigrateError) as caught:
        pending(path, place / "migrations")

    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}: 002_trips is applied, and {place}/migrations/002_trips.sql ")
    assert second.startswith(f"{path}: 009_gone is applied, and no file in {place}/migrations has ")


def test_a_database_that_is_not_there_is_told_and_not_made(place: Path) -> None:
    with pytest.raises(DatabaseError, match=r"/budget\.db: no such database file; give the path"):
        pending(place / "data" / "budget.db", place / "migrations")
    assert names_in(place / "data") == []


def test_what_is_no_database_is_told(place: Path) -> None:
    with pytest.raises(DatabaseError, match="not a database file but a folder"):
        pending(place / "data", place / "migrations")
    with pytest.raises(DatabaseError, match="it is text: give the path of the database"):
        pending(place / "migrations" / "003_notes.py", place / "migrations")


def test_a_database_without_a_history_is_told(place: Path) -> None:
    path = place / "data" / "budget.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE accounts (a)")

    with pytest.raises(
        DatabaseError, match=r"has tables and no history .*; have pytest --bb-adopt"
    ):
        pending(path, place / "migrations")


def test_a_foreign_history_is_told_with_the_file(place: Path) -> None:
    path = place / "data" / "budget.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE _bb_migrations (version)")

    with pytest.raises(DatabaseError, match=r"/budget\.db: the table _bb_migrations is not a hist"):
        pending(path, place / "migrations")


def test_a_locked_database_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "LOCK_SECONDS", 0.1)
    path = make(place, "001_accounts")

    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            DatabaseError, match=r"locked\); wait until the program that is writing"
        ):
            pending(path, place / "migrations")


def test_a_folder_that_does_not_read_is_told(place: Path) -> None:
    path = make(place)

    with pytest.raises(CatalogueError, match="absent"):
        pending(path, place / "absent")


def test_a_folder_that_needs_settings_is_given_them(place: Path) -> None:
    folder = write(place / "unnumbered", {"b.sql": "SELECT ${x};", "a.sql": "SELECT 1", "3.sh": ""})
    order = write(place, {"order.txt": "b\nc\na\n"}) / "order.txt"
    write(folder, {"c.sql": "SELECT 3"})
    contracts = write(place, {"c.toml": "b = ['depends c']"}) / "c.toml"
    with closing(sqlite3.connect(place / "empty.db")) as db:
        make_history(db)
        db.commit()

    found = pending(
        place / "empty.db",
        folder,
        order=order,
        placeholders={"x": "2"},
        ignore=["*.sh"],
        contracts=contracts,
    )

    assert found == ("c", "b", "a")
