"""What a contract declares and nothing needed is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.checks import Outcome, judge
from pytest_bbmigrate.experiment import Chain
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding import Recipe

if TYPE_CHECKING:
    from pathlib import Path

BASE = """
CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER DEFAULT 0, raw TEXT);
CREATE TABLE tags (tag TEXT);
CREATE TABLE moods (id INTEGER PRIMARY KEY);
CREATE INDEX by_name ON trips (name);
CREATE VIEW labels AS SELECT name FROM trips;
CREATE TRIGGER touch AFTER INSERT ON tags BEGIN SELECT 1; END;
"""
REBUILD = """
CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER DEFAULT 1, raw TEXT);
INSERT INTO trips_new SELECT id, name, cents, raw FROM trips;
DROP VIEW labels;
DROP TABLE trips;
ALTER TABLE trips_new RENAME TO trips;
CREATE INDEX by_name ON trips (name);
CREATE VIEW labels AS SELECT name FROM trips;
"""
NEEDED = [
    ("changes trips.name", "UPDATE trips SET name = 'Rome';"),
    ("changes trips.name where id > 3", "UPDATE trips SET name = 'Rome' WHERE id > 3;"),
    ("changes tags.tag", "UPDATE tags SET tag = 'sea';"),
    ("inserts trips", "INSERT INTO trips (name) VALUES ('Oslo');"),
    ("deletes trips where id = 3", "DELETE FROM trips WHERE id = 3;"),
    ("drops moods", "DROP TABLE moods;"),
    ("drops trips.raw", "ALTER TABLE trips DROP COLUMN raw;"),
    ("drops index by_name", "DROP INDEX by_name;"),
    ("drops view labels", "DROP VIEW labels;"),
    ("drops trigger touch", "DROP TRIGGER touch;"),
    ("alters trips.cents", REBUILD),
    ("alters trips", REBUILD),
]


def notes_of(folder: Path, declaration: str, sql: str) -> tuple[str, ...]:
    """Return what data_survives notes of a migration, which must pass."""
    (folder / "001_base.sql").write_text(BASE)
    (folder / "002_step.sql").write_text(f"-- bb: {declaration}\n{sql}\n")
    chain = Chain(read_catalogue(folder), Recipe(rows=20), RunEnvironment())
    verdict = judge("data_survives", chain.evidence(1))
    assert verdict.outcome is Outcome.PASSED
    return verdict.notes


@pytest.mark.parametrize(("declaration", "sql"), NEEDED)
def test_a_declaration_that_was_needed_is_not_noted(
    tmp_path: Path, declaration: str, sql: str
) -> None:
    assert notes_of(tmp_path, declaration, sql) == ()


UNNEEDED = ["inserts tags", "deletes trips", "changes moods.id", "alters moods"]


@pytest.mark.parametrize("declaration", [*UNNEEDED, *(declaration for declaration, _ in NEEDED)])
def test_a_declaration_that_nothing_needed_is_noted(tmp_path: Path, declaration: str) -> None:
    note = f"nothing needed `{declaration}`"

    assert notes_of(tmp_path, declaration, "CREATE TABLE photos (id INTEGER);") == (note,)
