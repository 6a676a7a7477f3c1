"""What SQLite and Python say, as far as it is known to hold no value."""

from __future__ import annotations

import logging
import sqlite3
import sys
import warnings
from contextlib import closing

import pytest

from pytest_bbmigrate.private import (
    HIDDEN,
    Known,
    class_name,
    muted,
    safe_message,
    safe_python_message,
    safe_sqlite_message,
    showing_values,
)

SECRET = "Harbour"
FILE = """\
-- bb: requires accounts: cents < 1000
CREATE TABLE t (
  note TEXT CHECK (length(note) < 100)
);
SELECT RAISE(ABORT, 'it''s closed'); class Closed(Exception): pass
"""
KNOWN = Known(frozenset({"accounts", "name", "cents", "a table", "v"}), (FILE,))
CLOSES = f"""\
CREATE TABLE t (a);;
INSERT INTO t VALUES (1);;
CREATE TRIGGER r BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, '{SECRET}'); END;;
DELETE FROM t"""
AROUND = f"""\
OperationalError: (sqlite3.OperationalError) no such table: accounts
[SQL: SELECT 1]
[parameters: ('{SECRET}',)]"""


def raised(sql: str) -> sqlite3.Error:
    *others, last = sql.split(";;")
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in others:
            db.execute(statement)
        with pytest.raises(sqlite3.Error) as caught:
            db.execute(last).fetchall()
    return caught.value


@pytest.mark.parametrize(
    "message",
    [
        "no such table: accounts",
        "no such table: main.accounts",
        'near "cents": syntax error',
        'near ",": syntax error',
        "UNIQUE constraint failed: accounts.name, accounts.cents",
        "CHECK constraint failed: length(note) < 100",
        "CHECK constraint failed: cents > 0",
        "FOREIGN KEY constraint failed",
        "datatype mismatch",
        "error in view v: no such table: main.accounts",
        "error in view v after drop column: no such column: cents",
        'table "a table" already exists',
        "table accounts has 3 columns but 2 values were supplied",
        "1st ORDER BY term out of range - should be between 1 and 2",
        "COMMIT is refused in a migration",
        "UNIQUE constraint failed: accounts.name; this statement ended the whole transaction",
    ],
)
def test_a_known_message_about_known_names_is_told(message: str) -> None:
    assert safe_sqlite_message(message, KNOWN) == message


@pytest.mark.parametrize(
    "message",
    [
        f"no such table: {SECRET}",
        f"no such column: {SECRET}",
        f"JSON path error near '{SECRET}'",
        f"malformed MATCH expression: [{SECRET}]",
        f'fts5: syntax error near "{SECRET}"',
        f"UNIQUE constraint failed: {SECRET}",
        f"UNIQUE constraint failed: accounts.name, {SECRET}",
        f"CHECK constraint failed: {SECRET}",
        f"CHECK constraint failed: cents > '{SECRET}'",
        "CHECK constraint failed: cents > 4711",
        f"error in view v: no such table: {SECRET}",
        f"interrupted; {SECRET}",
        "table accounts has 471 columns but 2 values were supplied",
        SECRET,
    ],
)
def test_anything_else_is_its_kind(message: str) -> None:
    assert safe_sqlite_message(message, KNOWN, "SQLITE_ERROR") == f"SQLITE_ERROR ({HIDDEN})"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT json_extract('{{}}', '{SECRET}')",
        f"CREATE VIRTUAL TABLE f USING fts5 (a);;SELECT * FROM f WHERE f MATCH '{SECRET}:x'",
        f"CREATE VIRTUAL TABLE f USING fts5 (a);;SELECT * FROM f WHERE f MATCH '{SECRET} \"'",
        CLOSES,
        f'SELECT * FROM "{SECRET}"',
        f"ATTACH '/nowhere/{SECRET}/x' AS y",
    ],
)
def test_what_sqlite_quotes_is_not_told(sql: str) -> None:
    error = raised(sql)

    assert SECRET in str(error) or "no such column" in str(error) or "unterminated" in str(error)
    assert SECRET not in safe_message(error, KNOWN)
    with showing_values(everything=True):
        assert safe_message(error, KNOWN) == str(error)


def test_the_text_of_a_trigger_in_a_file_is_told() -> None:
    kind = "SQLITE_CONSTRAINT_TRIGGER"

    assert safe_sqlite_message("it's closed", KNOWN, kind) == "it's closed"
    assert safe_sqlite_message("it's", KNOWN, kind) == f"{kind} ({HIDDEN})"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("ValueError", "ValueError"),
        (f"ValueError: {SECRET}", f"ValueError ({HIDDEN})"),
        (f"{SECRET}: x", f"an exception ({HIDDEN})"),
        (SECRET, f"an exception ({HIDDEN})"),
        (f"Closed: {SECRET}", f"Closed ({HIDDEN})"),
        (f"UNIQUE constraint failed: {SECRET}", f"an exception ({HIDDEN})"),
        (f"ValueError: UNIQUE constraint failed: {SECRET}", f"ValueError ({HIDDEN})"),
        ("IntegrityError: UNIQUE constraint failed: accounts.name",) * 2,
        ("TypeError: 'NoneType' object is not subscriptable",) * 2,
        (f"TypeError: '{SECRET}' object is not subscriptable", f"TypeError ({HIDDEN})"),
        ("SystemExit: 3",) * 2,
        (f"the script ended and left {SECRET} running", "the script ended and left .. running"),
        ("SystemExit: 4711", f"SystemExit ({HIDDEN})"),
        (f"SystemExit: 1, after KeyError: '{SECRET}'", f"SystemExit: 1, after KeyError ({HIDDEN})"),
        (
            f"the migration rolled back, after ValueError: {SECRET}",
            f"the migration rolled back, after ValueError ({HIDDEN})",
        ),
        (AROUND, "OperationalError: no such table: accounts"),
    ],
)
def test_of_python_its_class_is_told_and_no_text_that_is_not_known(
    message: str, shown: str
) -> None:
    assert safe_python_message(message, KNOWN) == shown


def test_a_class_made_at_run_time_has_no_name() -> None:
    error = type(SECRET, (ValueError,), {})("x")

    assert safe_message(error) == f"an exception ({HIDDEN})"
    assert class_name("KeyError") == "KeyError"


def test_of_the_system_its_own_words_are_told() -> None:
    assert safe_message(FileNotFoundError(2, "", f"/{SECRET}")) == (
        "FileNotFoundError: No such file or directory"
    )
    assert safe_message(OSError(4711, SECRET)) == f"OSError ({HIDDEN})"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("DEFAULT 'it''s closed'", "DEFAULT 'it''s closed'"),
        (f"DEFAULT '{SECRET}'", "DEFAULT <text of 7>"),
        (f"DEFAULT {SECRET}", "DEFAULT <word>"),
        (f'cents INTEGER DEFAULT "{SECRET}"', "cents INTEGER DEFAULT <name>"),
        ("cents INTEGER DEFAULT 4711", "cents INTEGER DEFAULT <number>"),
        ("CHECK (cents < 1000)", "CHECK (cents < 1000)"),
        (f"name -- {SECRET}\n", "name -- <word>\n"),
        (f"DEFAULT 'unfinished {SECRET}", "DEFAULT <text of 17>"),
    ],
)
def test_of_a_structure_what_is_no_word_of_a_file_is_its_kind(sql: str, shown: str) -> None:
    assert KNOWN.masked_sql(sql) == shown


def test_nothing_that_code_of_others_says_is_heard(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with muted():
            sys.stdout.write(SECRET)
            logging.getLogger("app").critical(SECRET)
            warnings.warn(SECRET, type(SECRET, (UserWarning,), {}), stacklevel=1)

    assert capsys.readouterr() == ("", "")
    assert not caplog.records
    assert [(str(each.message), each.category) for each in caught] == [(HIDDEN, UserWarning)]


def test_everything_is_heard_where_all_may_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    with showing_values(everything=True), muted():
        sys.stdout.write(SECRET)

    assert SECRET in capsys.readouterr().out
