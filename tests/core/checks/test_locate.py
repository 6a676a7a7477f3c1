"""Where in a file the rows come from that a table has now and had not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import ScriptPart, SqlPart
from pytest_bbmigrate.checks.locate import (
    LOSES_ROWS,
    WRITES_VALUES,
    Location,
    locate,
    locate_new_rows,
)
from pytest_bbmigrate.sql import split_statements

FILE = Path("002_step.sql")
REBUILT = """\
CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes_new SELECT id, text FROM notes;
{}
DROP TABLE notes;
ALTER TABLE notes_new RENAME TO notes;
"""
RENAMED_FIRST = """\
ALTER TABLE notes RENAME TO notes_old;
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes SELECT id, text FROM notes_old;
INSERT INTO notes SELECT id + 100, title FROM notes_of_trips;
DROP TABLE notes_old;
"""
BY_WAY_OF_ANOTHER = """\
CREATE TABLE kept AS SELECT * FROM notes;
DROP TABLE notes;
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO notes SELECT * FROM kept;
INSERT INTO notes VALUES (999, 'new');
"""


def line_of(sql: str, before: str = "notes", after: str = "notes") -> int | None:
    found = locate_new_rows(SqlPart(FILE, split_statements(sql)), before, after)
    return None if found is None else found.line


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (REBUILT.format("INSERT INTO notes_new SELECT id + 100, title FROM trips;"), 3),
        (REBUILT.format("INSERT INTO notes_new VALUES (999, 'new');"), 3),
        (RENAMED_FIRST, 4),
        (BY_WAY_OF_ANOTHER, 5),
        ("INSERT INTO trips SELECT * FROM notes;\nINSERT INTO notes VALUES (999, 'new');", 2),
        (
            "INSERT INTO notes SELECT id, name FROM trips;\nINSERT INTO notes VALUES (1, '');",
            1,
        ),
    ],
)
def test_new_rows_are_told_at_the_statement_that_does_not_copy_the_old_ones(
    sql: str, line: int
) -> None:
    assert line_of(sql) == line


@pytest.mark.parametrize(
    "sql",
    [
        REBUILT.format(""),
        REBUILT.format("INSERT INTO notes_new SELECT * FROM (SELECT id + 100, text FROM notes);"),
        "INSERT INTO notes SELECT id + 100, text FROM notes;",
        "INSERT INTO trips VALUES (1, 'Lake');",
    ],
)
def test_where_all_of_them_copy_the_old_ones_nothing_is_said(sql: str) -> None:
    assert line_of(sql) is None


def test_a_table_under_another_name_is_followed() -> None:
    sql = "ALTER TABLE notes RENAME TO entries;\nINSERT INTO entries VALUES (999, 'new');"

    assert line_of(sql, after="entries") == 2
    assert line_of(sql, after="") is None


def test_of_a_program_no_statement_is_known() -> None:
    assert locate_new_rows(ScriptPart(FILE), "notes", "notes") is None


def test_a_place_is_one_of_the_file() -> None:
    part = SqlPart(FILE, split_statements("INSERT INTO notes VALUES (1, '')"))

    assert locate_new_rows(part, "notes", "notes") == Location(FILE, 1)


def test_a_copy_that_begins_with_a_with_is_an_insert() -> None:
    sql = (
        "WITH RECURSIVE days (n) AS (SELECT 1) INSERT INTO trips SELECT n FROM days, notes;\n"
        "ALTER TABLE notes RENAME TO notes_old;"
    )

    found = locate(SqlPart(FILE, split_statements(sql)), ("notes",), WRITES_VALUES)

    assert found.line == 1


@pytest.mark.parametrize(
    ("copy", "line"),
    [
        ("INSERT INTO trips_new (id, notes) SELECT id, notes FROM trips;", 3),
        ("INSERT INTO trips_new SELECT t.id, n.text FROM trips AS t JOIN notes AS n;", 2),
        ("INSERT INTO trips_new SELECT id, (SELECT max(id) FROM notes) FROM trips;", 2),
        ("WITH n AS (SELECT 1 FROM notes) INSERT INTO trips_new SELECT * FROM trips;", 2),
        ("INSERT INTO trips_new VALUES (1, 'notes');", 3),
        ("INSERT INTO trips SELECT id, text FROM notes;", 2),
    ],
)
def test_rows_do_not_go_by_a_copy_of_others_that_have_a_column_of_the_name(
    copy: str, line: int
) -> None:
    sql = f"CREATE TABLE trips_new (id, notes);\n{copy}\nDROP TABLE notes;"

    assert locate(SqlPart(FILE, split_statements(sql)), ("notes",), LOSES_ROWS).line == line


ADDED = "ALTER TABLE notes DROP COLUMN cents;\nALTER TABLE notes ADD COLUMN text TEXT;\n"


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (ADDED, 2),
        (REBUILT.format("") + ADDED, 7),
        (ADDED + "UPDATE notes SET text = '';", 3),
        (ADDED + "UPDATE notes SET id = id + 1;", 2),
        (ADDED + "INSERT INTO notes (id, text) SELECT id, text FROM kept;", 3),
        ("ALTER TABLE notes DROP COLUMN text;\nALTER TABLE notes ADD COLUMN text TEXT;", 1),
    ],
)
def test_values_of_a_column_are_told_where_it_is_added_unless_something_else_writes_them(
    sql: str, line: int
) -> None:
    part = SqlPart(FILE, split_statements(sql))

    assert locate(part, ("notes",), WRITES_VALUES, "text").line == line


COMPUTED = """\
UPDATE notes SET cents = 0;
CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER);
INSERT INTO log (text) SELECT lower(text) FROM notes;
INSERT INTO notes_new (id, text, cents) SELECT id, {}, cents FROM notes;
DROP TABLE notes;
ALTER TABLE notes_new RENAME TO notes;
"""


@pytest.mark.parametrize(
    ("column", "given", "line"),
    [("text", "upper(text)", 4), ("TEXT", "upper(text)", 4), ("cents", "upper(text)", 1)]
    + [("text", given, 1) for given in ("text", "notes.text")],
)
def test_values_that_a_copy_computes_are_told_there_and_not_at_an_update_of_another_column(
    column: str, given: str, line: int
) -> None:
    part = SqlPart(FILE, split_statements(COMPUTED.format(given)))

    assert locate(part, ("notes",), WRITES_VALUES, column).line == line
