"""Other programs that write to the copies of a rehearsal, while it judges them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.rehearsal.client import TEMPORARY, RehearsalOrder
from pytest_bbmigrate.apply.rehearsal.worker import attempt
from pytest_bbmigrate.apply.rehearsal.working_copy import COPIES

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 20
SECRET = b"what is in row 7"


@dataclass
class Intruder:
    """Writes over a value in each copy when the migration ``at`` begins."""

    folder: Path
    at: str
    hits: int = 0

    def __call__(self, name: str) -> None:
        for path in self.folder.rglob("*") if name == self.at else ():
            if path.is_file() and SECRET in (content := path.read_bytes()):
                path.write_bytes(content.replace(SECRET, SECRET[::-1]))
                self.hits += 1


@pytest.fixture
def order(tmp_path: Path) -> RehearsalOrder:
    """Return an order to rehearse two migrations on a database of a few rows."""
    folder, migrations, before = tmp_path / "f", tmp_path / "migrations", tmp_path / "backup"
    for made in (folder, migrations, folder / TEMPORARY):
        made.mkdir()
    with closing(sqlite3.connect(before)) as db, db:
        db.execute("CREATE TABLE money (id INTEGER PRIMARY KEY, note BLOB)")
        notes = [(SECRET if number == 7 else b"another",) for number in range(ROWS)]
        db.executemany("INSERT INTO money (note) VALUES (?)", notes)
    (migrations / "1_trip.sql").write_text("ALTER TABLE money ADD COLUMN trip TEXT;\n")
    (migrations / "2_index.sql").write_text("CREATE INDEX by_note ON money (note);\n")
    names = ("1_trip", "2_index")
    return RehearsalOrder(
        migrations, names, tmp_path / "real.db", tmp_path, before=before, folder=folder
    )


def test_a_copy_that_is_written_to_between_two_migrations_is_refused(order: RehearsalOrder) -> None:
    intruder = Intruder(order.folder / COPIES, "2_index")

    result = attempt(order, intruder)

    assert intruder.hits == 1
    assert isinstance(result, str)
    assert "something else has written to this copy of the database" in result


def test_a_copy_that_nobody_writes_to_is_the_result(order: RehearsalOrder) -> None:
    result = attempt(order, Intruder(order.folder / COPIES, "never"))

    assert not isinstance(result, str)
    assert result.digest
