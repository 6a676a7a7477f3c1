"""What a contract declares and nothing needed is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules, read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

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
    ("alters index by_name", "DROP INDEX by_name;\nCREATE INDEX by_name ON trips (name, id);"),
    (
        "alters view labels",
        "DROP VIEW labels;\nCREATE VIEW labels AS SELECT DISTINCT name FROM trips;",
    ),
    (
        "alters trigger touch",
        "DROP TRIGGER touch;\nCREATE TRIGGER touch AFTER DELETE ON tags BEGIN SELECT 1; END;",
    ),
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


@pytest.mark.parametrize(
    ("declaration", "sql"),
    [
        (
            "drops trips.raw",
            "ALTER TABLE trips DROP COLUMN raw;\nALTER TABLE trips RENAME COLUMN cents TO raw;",
        ),
        ("drops moods", "DROP TABLE moods;\nALTER TABLE tags RENAME TO moods;"),
    ],
)
def test_a_drop_is_needed_though_another_takes_the_name(
    tmp_path: Path, declaration: str, sql: str
) -> None:
    assert notes_of(tmp_path, declaration, sql) == ()


NO_ROWS = [(text, sql) for text, sql in NEEDED if text.startswith(("drops", "alters"))]
UNNEEDED = ["alters moods", *(declaration for declaration, _ in NO_ROWS)]
UNSEEN = ["inserts tags", "deletes trips", "changes moods.id"]
UNSEEN += [declaration for declaration, _ in NEEDED if declaration not in UNNEEDED]


@pytest.mark.parametrize("declaration", UNNEEDED)
def test_a_declaration_that_nothing_needed_is_noted(tmp_path: Path, declaration: str) -> None:
    note = f"nothing needed `{declaration}`"

    assert notes_of(tmp_path, declaration, "CREATE TABLE photos (id INTEGER);") == (note,)


@pytest.mark.parametrize("declaration", UNSEEN)
def test_a_declaration_of_rows_that_no_row_used_is_unproved(
    tmp_path: Path, declaration: str
) -> None:
    step = f"-- bb: {declaration}\nCREATE TABLE photos (id INTEGER);\n"
    chain = chain_of(tmp_path, BASE, step)
    verdict = judge_last("data_survives", chain)
    strict = judge_last("data_survives", chain, strict=True)

    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason.startswith(f"no generated row used `{declaration}`: ")
    assert "bb_rows_from" in verdict.reason
    assert verdict.notes == ()
    assert [(f.kind, f.line) for f in strict.findings] == [("no rows", 1)]


NEW_TABLE = "CREATE TABLE photos (id INTEGER, name TEXT); "


@pytest.mark.parametrize(
    ("declaration", "sql"),
    [
        ("changes photos.name", NEW_TABLE + "UPDATE photos SET name = 'x';"),
        ("inserts photos", NEW_TABLE + "INSERT INTO photos VALUES (1, 'x');"),
        ("changes trips.mood", "ALTER TABLE trips ADD COLUMN mood TEXT;"),
    ],
)
def test_what_was_not_there_before_has_no_rows_to_show_it_with(
    tmp_path: Path, declaration: str, sql: str
) -> None:
    assert notes_of(tmp_path, declaration, sql) == (f"nothing needed `{declaration}`",)


def test_what_is_declared_for_a_table_that_goes_is_noted(tmp_path: Path) -> None:
    step = "-- bb: drops moods\nDROP TABLE moods;"

    assert notes_of(tmp_path, "changes moods.id", step) == ("nothing needed `changes moods.id`",)


def test_rows_that_the_empty_database_gets_are_seen(tmp_path: Path) -> None:
    there = "INSERT OR IGNORE INTO words (word) SELECT 'a' WHERE NOT EXISTS (SELECT 1 FROM words);"
    base = "CREATE TABLE words (word TEXT PRIMARY KEY);"

    assert (
        judge_last(
            "data_survives", chain_of(tmp_path, base, f"-- bb: inserts words\n{there}"), strict=True
        ).outcome
        is Outcome.PASSED
    )


def test_why_no_row_used_a_declaration_is_told(tmp_path: Path) -> None:
    declared = "-- bb: changes trips.name where cents {}\nSELECT 1;"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    met = judge_last("data_survives", chain_of(tmp_path / "one", BASE, declared.format("> 0")))
    none = judge_last("data_survives", chain_of(tmp_path / "two", BASE, declared.format("< -1e18")))

    assert "meet its condition, and stay as they are" in met.reason
    assert "none meets its condition" in none.reason


def unneeded_of(folder: Path, sql: str, *lines: str) -> tuple[str, ...] | None:
    """Return which of the ``lines`` that bb_contracts gives 002_step nothing needed."""
    (folder / "001_base.sql").write_text(BASE)
    (folder / "002_step.sql").write_text(sql)
    rules = ReadingRules(contracts_file=folder / "c.toml", contracts=f"002_step = {[*lines]}")
    chain = Chain(read_catalogue(folder, rules=rules), Recipe(rows=20), RunEnvironment())
    return judge("data_survives", chain.evidence(1)).unneeded


def test_what_nothing_needed_of_the_lines_outside_the_files_is_told_by_itself(
    tmp_path: Path,
) -> None:
    step = "-- bb: changes moods.id\nUPDATE trips SET name = 'Rome';"

    unneeded = unneeded_of(
        tmp_path, step, "changes trips.name, tags.tag", "inserts tags", "alters trips.cents"
    )

    assert unneeded == ("alters trips.cents", "changes tags.tag", "inserts tags")


def test_what_a_statement_may_need_that_met_no_row_is_needed(tmp_path: Path) -> None:
    step = "DELETE FROM trips WHERE id < -5;"

    assert unneeded_of(tmp_path, step, "deletes trips", "deletes tags") == ("deletes tags",)


@pytest.mark.parametrize("declared", ["alters notes", "alters sequence notes"])
def test_what_a_lower_sequence_needs_is_needed(tmp_path: Path, declared: str) -> None:
    counted = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, mood TEXT);"
    lowers = "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'notes';"
    up = f"-- bb: {declared}\n{lowers}"
    down = f"-- bb: {declared}\n-- migrate:up\nSELECT 1;\n-- migrate:down\n{lowers}"

    notes = [
        judge_last("data_survives", chain_of(tmp_path, counted, step)).notes for step in (up, down)
    ]

    assert [note for each in notes for note in each if "nothing needed" in note] == []


def test_a_sequence_that_is_declared_lower_and_is_not_is_noted(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "alters sequence trips", "SELECT 1;") == (
        "nothing needed `alters sequence trips`",
    )
