"""A migration in this process is kept from database files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.runner import RunEnvironment
from tests.core.running import failure_of, rows, run_python

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.runner import Run


@dataclass(frozen=True)
class Home:
    """A folder with the real database in it."""

    folder: Path

    @property
    def real(self) -> Path:
        return self.folder / "budget_buddy.db"

    def run(self, body: str) -> tuple[Run, bytes]:
        """Run ``up`` with ``body``; REAL is the database's path in it."""
        source = f"import os, shutil, sqlite3\nREAL = {str(self.real)!r}\ndef up(db):\n    {body}\n"
        return run_python(self.folder, source, environment=RunEnvironment(root=self.folder))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect(tmp_path / "budget_buddy.db")) as db:
        db.executescript("CREATE TABLE money (cents); INSERT INTO money VALUES (1), (2)")
    return Home(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "sqlite3.connect('budget_buddy.db').execute('DELETE FROM money')",
        "sqlite3.connect(REAL)",
        "sqlite3.connect(os.fsencode(REAL))",
        "sqlite3.connect('file:budget_buddy.db?mode=ro', uri=True)",
        "sqlite3.Connection(REAL)",
        "import sqlalchemy as s; s.create_engine(f'sqlite:///{REAL}').connect()",
        "sqlite3.connect('another.db')",
    ],
)
def test_opening_a_database_file_is_refused(home: Home, body: str) -> None:
    before = home.real.read_bytes()
    run, _ = home.run(body)

    assert "opening the database" in failure_of(run).message
    assert failure_of(run).line == 4
    assert home.real.read_bytes() == before
    assert not (home.folder / "another.db").exists()


@pytest.mark.parametrize(
    "body",
    [
        "open(REAL, 'wb')",
        "open(REAL + '-wal', 'w')",
        "os.open(REAL, os.O_RDWR)",
        "os.remove(REAL)",
        "os.replace(__file__, REAL)",
        "os.rename(REAL, 'mine.db')",
        "os.truncate(REAL, 0)",
        "shutil.copyfile(__file__, REAL)",
    ],
)
def test_writing_to_the_real_file_is_refused(home: Home, body: str) -> None:
    before = home.real.read_bytes()
    run, _ = home.run(body)

    assert "is refused: a migration works on a copy of it" in failure_of(run).message
    assert home.real.read_bytes() == before


def test_the_real_file_is_known_by_any_name(home: Home) -> None:
    (home.folder / "other name").hardlink_to(home.real)
    (home.folder / "link").symlink_to(home.folder / "other name")
    before = home.real.read_bytes()
    for name in ("other name", "link"):
        run, _ = home.run(f"open({name!r}, 'wb')")

        assert "is refused: a migration works on a copy of it" in failure_of(run).message
    assert home.real.read_bytes() == before


@pytest.mark.parametrize(
    "body",
    [
        "sqlite3.connect(':memory:').close()",
        "sqlite3.connect('').close()",
        "sqlite3.connect('file:x?mode=memory', uri=True).close()",
        "open(REAL, 'rb').close()",
        "open('notes.txt', 'w').close()",
        "os.close(os.open(REAL, os.O_RDONLY))",
    ],
)
def test_what_does_no_harm_is_allowed(home: Home, body: str) -> None:
    run, image = home.run(f"{body}; db['t'].create({{'a': int}})")

    assert run.failure is None
    assert rows(image, "SELECT count(*) FROM t") == [0]


@pytest.mark.parametrize(
    "body",
    [
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
    ],
)
def test_another_program_is_not_started(home: Home, body: str) -> None:
    run, _ = home.run(body)

    assert "starting another program is refused" in failure_of(run).message


def test_what_writes_to_the_real_file_past_python_is_noticed(home: Home) -> None:
    with pytest.raises(DatabaseError, match=r"was written while 002_step\.py ran"):
        home.run("import ctypes; ctypes.CDLL(None).truncate(REAL.encode(), 5)")


def test_nothing_is_refused_outside_a_migration(home: Home) -> None:
    home.run("pass")

    with closing(sqlite3.connect(home.real)) as db:
        db.execute("DELETE FROM money")
        assert db.execute("SELECT count(*) FROM money").fetchone() == (0,)


def test_a_migration_cannot_end_the_session(home: Home) -> None:
    run, _ = home.run("os._exit(0)")

    assert failure_of(run).message == "SystemExit: os._exit(0) was called"
