"""Where in a file the definition was written that is there now, or the one before taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import PythonPart, SqlPart
from pytest_bbmigrate.checks.definitions import (
    locate_absence,
    locate_column,
    locate_difference,
    locate_sequence,
)
from pytest_bbmigrate.schema import SchemaDifference
from pytest_bbmigrate.sql import split_statements

FILE = Path("002_step.sql")
RENAMED_FIRST = """\
ALTER TABLE notes RENAME TO notes_old;
DROP INDEX notes_by_title;
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes SELECT id, text FROM notes_old;
DROP TABLE notes_old;
CREATE INDEX notes_by_text ON notes (text);
"""
RENAMED_LAST = """\
DROP TRIGGER touch;
CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes_new SELECT id, text FROM notes;
DROP TABLE notes;
ALTER TABLE notes_new RENAME TO notes;
CREATE TRIGGER touch AFTER UPDATE ON notes BEGIN SELECT 1; END;
"""
IN_PLACE = """\
ALTER TABLE notes RENAME COLUMN body TO text;
ALTER TABLE notes ADD COLUMN cents INTEGER;
ALTER TABLE notes DROP COLUMN title;
ALTER TABLE notes RENAME TO entries;
"""
OF_TABLES = [
    ("column not null", "text"),
    ("column type", "text"),
    ("column default", "text"),
    ("column collation", "text"),
    ("column lost", "title"),
    ("column order", ""),
    ("check lost", ""),
    ("unique lost", "title"),
    ("primary key", "id"),
    ("foreign key lost", "trip_id"),
    ("foreign key changed", "trip_id, text"),
    ("strict", ""),
]


def part_of(sql: str) -> SqlPart:
    return SqlPart(FILE, split_statements(sql))


def line_of(
    sql: str, kind: str, name: str = "notes", column: str = "", after: str = ""
) -> int | None:
    difference = SchemaDifference(kind, name, "notes", column, "", "")
    return locate_difference(part_of(sql), difference, after).line


@pytest.mark.parametrize(("kind", "column"), OF_TABLES)
def test_what_a_table_has_is_told_at_the_create_of_the_table_that_is_there_now(
    kind: str, column: str
) -> None:
    assert line_of(RENAMED_FIRST, kind, column=column) == 3
    assert line_of(RENAMED_LAST, kind, column=column) == 2
    assert line_of(IN_PLACE + "CREATE TABLE notes (id);", kind, column=column) == 5


@pytest.mark.parametrize(
    ("kind", "column", "line"),
    [
        ("column added", "cents", 2),
        ("column lost", "title", 3),
        ("column lost", "TITLE", 3),
        ("column order", "", 3),
    ],
)
def test_what_is_changed_in_place_is_told_at_the_alter_table_of_its_column(
    kind: str, column: str, line: int
) -> None:
    assert line_of(IN_PLACE, kind, column=column, after="entries") == line


def test_a_column_that_is_added_and_renamed_is_told_where_it_was_added() -> None:
    sql = "ALTER TABLE notes ADD COLUMN a;\nALTER TABLE notes RENAME COLUMN a TO b;"

    assert line_of(sql, "column added", "b", "b") == 1


@pytest.mark.parametrize(
    ("kind", "name", "line"),
    [
        ("trigger changed", "touch", 6),
        ("trigger never compiles", "touch", 6),
        ("trigger lost", "other", 4),
        ("index lost", "notes_by_title", 4),
        ("index changed", "notes_by_title", 4),
    ],
)
def test_an_object_is_told_where_it_is_made_again_else_where_it_goes(
    kind: str, name: str, line: int
) -> None:
    assert line_of(RENAMED_LAST, kind, name) == line


@pytest.mark.parametrize(
    ("name", "line"), [("notes_by_title", 2), ("NOTES_BY_TITLE", 2), ("notes_by_day", 5)]
)
def test_an_object_goes_by_its_own_drop_or_by_that_of_the_table_under_its_name_then(
    name: str, line: int
) -> None:
    assert line_of(RENAMED_FIRST, "index lost", name) == line


def test_an_index_that_was_made_too_early_is_told_where_it_goes() -> None:
    sql = RENAMED_LAST.replace("DROP TRIGGER touch;", "CREATE INDEX IF NOT EXISTS i ON notes (id);")

    assert line_of(sql, "index lost", "i") == 4


def test_what_nothing_takes_is_told_at_the_table_that_lacks_it() -> None:
    assert line_of("\nCREATE TABLE notes (id);", "index lost", "notes_by_text") == 2


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("DROP TABLE notes;\nCREATE TABLE IF NOT EXISTS notes (id);", 2),
        ("ALTER TABLE notes RENAME TO old;\nCREATE TABLE IF NOT EXISTS notes (id);", 2),
        ("ALTER TABLE notes DROP COLUMN text;\nCREATE TABLE IF NOT EXISTS notes (id);", 1),
    ],
)
def test_if_not_exists_makes_a_table_where_its_name_was_free(sql: str, line: int) -> None:
    assert line_of(sql, "column lost", "text", "text") == line


def test_a_foreign_key_that_followed_a_table_is_told_at_the_rename() -> None:
    sql = "DROP INDEX i;\nALTER TABLE trips RENAME TO old_trips;\nCREATE TABLE trips (id);"
    key = "FOREIGN KEY (trip_id) REFERENCES trips (id)"
    difference = SchemaDifference("foreign key lost", "notes", "notes", "trip_id", key, "")

    assert locate_difference(part_of(sql), difference).line == 2


def test_a_table_is_told_where_it_is_dropped() -> None:
    assert line_of(RENAMED_FIRST, "table lost") == 5
    assert line_of(RENAMED_LAST, "table lost") == 4


def test_a_column_goes_with_the_table_that_lacks_it() -> None:
    sql = RENAMED_LAST.replace("TO notes;", "TO entries;")

    assert locate_column(part_of(sql), "notes", "title", "entries").line == 2


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (RENAMED_FIRST, 3),
        (RENAMED_LAST, 2),
        (RENAMED_LAST + "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'notes';", 7),
        (RENAMED_LAST + "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'trips';", 2),
        ("DELETE FROM notes;\nDELETE FROM sqlite_sequence;", 2),
        ("DELETE FROM trips;\nDROP TABLE notes;", 2),
        ("DELETE FROM trips;\nDELETE FROM notes;", 2),
    ],
)
def test_a_sequence_is_told_where_it_is_set_or_where_its_table_is_made(sql: str, line: int) -> None:
    assert locate_sequence(part_of(sql), "notes").line == line


def test_of_a_function_nothing_is_told_but_where_it_begins() -> None:
    part = PythonPart(Path("003_step.py"), "up", 7)
    difference = SchemaDifference("trigger lost", "touch", "notes", "", "", "")

    assert locate_difference(part, difference).line == 7
    assert locate_sequence(part, "notes").line == 7


@pytest.mark.parametrize(
    ("name", "line"), [("notes_old", 1), ("notes", 1), ("tags", None), ("trips", 7)]
)
def test_what_a_reference_leads_to_no_more_is_told_where_it_went(
    name: str, line: int | None
) -> None:
    found = locate_absence(part_of(RENAMED_FIRST + "DROP TABLE trips;"), name)

    assert (found.line if found else None) == line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("does not compile: no such table: main.notes_old", 1),
        ("does not compile: no such column: title", None),
    ],
)
def test_a_view_that_breaks_is_told_where_what_it_reads_went(error: str, line: int | None) -> None:
    difference = SchemaDifference("view broken", "titles", "", "", "", error)

    assert locate_difference(part_of(RENAMED_FIRST), difference).line == line


@pytest.mark.parametrize("rebuild", [RENAMED_FIRST, RENAMED_LAST])
def test_a_column_that_goes_before_a_rebuild_is_told_at_the_alter_table_that_drops_it(
    rebuild: str,
) -> None:
    dropped = "ALTER TABLE notes DROP COLUMN title;\n"
    renamed = "ALTER TABLE notes RENAME title TO head;\nALTER TABLE notes DROP COLUMN head;\n"

    assert line_of(dropped + rebuild, "column lost", column="title") == 1
    assert line_of(renamed + rebuild, "column lost", column="title") == 2


def test_a_column_that_is_added_again_goes_with_the_rebuild_that_leaves_it_out() -> None:
    again = "ALTER TABLE notes DROP COLUMN title;\nALTER TABLE notes ADD COLUMN title TEXT;\n"

    assert line_of(again + RENAMED_FIRST, "column lost", column="title") == 5
    assert line_of(again + RENAMED_LAST, "column lost", column="title") == 4
