"""Checksums, literals and plain drops of migrations."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.catalogue import row_values
from pytest_bbmigrate.catalogue.facts import StatementFacts, sql_facts
from pytest_bbmigrate.catalogue.literals import number_of
from pytest_bbmigrate.sql import Statement
from tests.core.cataloguing import migration

if TYPE_CHECKING:
    from pathlib import Path


def checksum(folder: Path, **files: str) -> str:
    """Return the checksum of a migration; ``up_sql`` stands for the file ``a.up.sql``."""
    folder.mkdir()
    texts = {f"a.{ending.replace('_', '.')}": text for ending, text in files.items()}
    return migration(folder, texts).checksum


PLAIN = {"sql": "CREATE TABLE t (a TEXT DEFAULT 'x');\nUPDATE t SET a = 'It''s' WHERE b <> 1;"}


@pytest.mark.parametrize(
    "same",
    [
        {"sql": "-- bb: changes t.a\n" + PLAIN["sql"]},
        {"sql": PLAIN["sql"].replace("\n", "\r\n")},
        {"sql": "\ufeff" + PLAIN["sql"]},
        {"sql": PLAIN["sql"].replace(" ", "  /* so */ ").removesuffix(";")},
        {"sql": PLAIN["sql"].replace("<>", "!=").replace("CREATE TABLE t", "create table [T]")},
        {"up_sql": PLAIN["sql"]},
        {"up_sql": PLAIN["sql"], "down_sql": "-- nothing"},
        {"sql": "-- migrate:up\n" + PLAIN["sql"]},
    ],
)
def test_the_checksum_covers_statements_and_not_how_they_are_written(
    tmp_path: Path, same: dict[str, str]
) -> None:
    assert checksum(tmp_path / "one", **PLAIN) == checksum(tmp_path / "other", **same)


@pytest.mark.parametrize(
    "other",
    [
        {"sql": PLAIN["sql"].replace("'x'", "'X'")},
        {"sql": PLAIN["sql"].replace("'x'", "'x\n'")},
        {"sql": PLAIN["sql"].replace("'x'", '"x"')},
        {"sql": PLAIN["sql"].replace("1", "1.0")},
        {"sql": PLAIN["sql"].replace("WHERE b <> 1", "")},
        {"sql": PLAIN["sql"], "down_sql": "DROP TABLE t"},
        {"up_sql": "", "down_sql": PLAIN["sql"]},
    ],
)
def test_the_checksum_tells_any_other_meaning(tmp_path: Path, other: dict[str, str]) -> None:
    assert checksum(tmp_path / "one", **PLAIN) != checksum(tmp_path / "other", **other)


def test_letter_case_in_double_quotes_counts_for_sqlite_may_take_it_for_a_string(
    tmp_path: Path,
) -> None:
    one = checksum(tmp_path / "one", sql='UPDATE t SET a = "Dining Out"')
    other = checksum(tmp_path / "other", sql='UPDATE t SET a = "dining out"')

    assert one != other


STATEMENTS = (
    *("CREATE TEMP TABLE l (old, new)", "CREATE TABLE m (a, b)", "DROP TABLE m", "DROP INDEX i"),
    *("INSERT INTO l VALUES ('x', 'y'), ('x''', -2)", "INSERT INTO m VALUES (1, 1.0, NULL)"),
    *("INSERT INTO m VALUES (0.0, -0.0)", "INSERT INTO t (a, b, c) VALUES ('x', 'it''s', 1e400)"),
    *("insert into T (A, \"B\") values(0x1F,X'00'),('z',9223372036854775808)", "DELETE FROM t"),
    *("INSERT OR IGNORE INTO t VALUES (7, 'y')", "REPLACE INTO t (id, a) VALUES (7, 'y'), (-8, 1)"),
    *("INSERT OR REPLACE INTO t VALUES ('x', 2)", "UPDATE t SET a = 'z', b = 1 WHERE a = 'x'"),
    *("INSERT INTO t VALUES (1, 2 + 3)", "INSERT INTO t SELECT a, 7 FROM m WHERE b IN (2, 'y')"),
    *("UPDATE t SET a = (SELECT new FROM l WHERE old = t.a)", "DELETE FROM t WHERE c = 1"),
    *("ALTER TABLE m RENAME TO n", "INSERT INTO n VALUES (TRUE, 'q')", "SELECT json(a), 'x' || b"),
)


@given(st.lists(st.sampled_from(STATEMENTS), max_size=7), st.lists(st.sampled_from(STATEMENTS)))
def test_rows_of_literals_say_what_they_say_where_each_is_read_in_full(
    up: list[str], down: list[str]
) -> None:
    parts = [[Statement(text, 1) for text in part] for part in (up, down)]
    found = sql_facts(*parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_values, "plain_rows", lambda _: None)
        in_full = sql_facts(*parts)

    assert by_value(found) == by_value(in_full)


def by_value(facts: StatementFacts) -> dict[str, object]:
    """Return ``facts`` so that 1 and 1.0 differ, and sets are in one order."""
    return {
        name: sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)
        for name, value in facts.by_field().items()
    }


PYTHON = '''\
"""What it does."""
import os

def up(db):
    """How."""
    db.execute("UPDATE t SET a = 'x'", [1, None, True])
'''


@pytest.mark.parametrize(
    "same",
    [
        PYTHON.replace("\n", "\r\n"),
        "# bb: changes t.a\n" + PYTHON,
        PYTHON.replace('"""How."""', '"""Otherwise."""'),
        PYTHON.replace('    """How."""\n', ""),
        PYTHON.replace("[1, None, True]", "[  1,\n  None,  # so\n  True,\n ]"),
        PYTHON.replace("import os\n", "import os\n__depends__: tuple[()] = ()\n"),
        PYTHON.replace('"UPDATE t', '"UPDATE " "t'),
    ],
)
def test_the_checksum_of_python_covers_code_and_not_layout(tmp_path: Path, same: str) -> None:
    assert checksum(tmp_path / "one", py=PYTHON) == checksum(tmp_path / "other", py=same)


@pytest.mark.parametrize(
    "other",
    [
        PYTHON.replace("'x'", "'X'"),
        PYTHON.replace("1", "1.0"),
        PYTHON.replace("1, None, True", "1, True, None"),
        PYTHON.replace("True", "1"),
        PYTHON.replace("db.execute", "db.executemany"),
        PYTHON.replace("[1, None, True]", "[[1, None], True]"),
        PYTHON.replace("def up(db)", "def up(db=None)"),
        PYTHON + "\ndef down(db): db.x()",
        PYTHON.replace("'x'", "\\ud800"),
    ],
)
def test_the_checksum_of_python_tells_any_other_code(tmp_path: Path, other: str) -> None:
    assert checksum(tmp_path / "one", py=PYTHON) != checksum(tmp_path / "other", py=other)


def test_the_checksum_of_python_is_the_same_in_every_version_of_python(tmp_path: Path) -> None:
    assert checksum(tmp_path / "one", py="def up(db): db.x(1)") == (
        "1ec9e20533cab105f24b0569a82e6e2e4b9d5ee19be9398d76662bfb4a14bb58"
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM t WHERE t.Category = 'Dining Out'", [("category", "Dining Out")]),
        ("UPDATE t SET a = 'It''s', b == 2.5", [("a", "It's"), ("b", 2.5)]),
        (
            "SELECT a<>1, a!=2, a<3, a>4, a<=5, a>=6, a IS 7, a IS NOT 8",
            [("a", value) for value in range(1, 9)],
        ),
        ("SELECT \"A b\" IN ('x', 1, -2)", [("a b", "x"), ("a b", 1), ("a b", -2)]),
        ("SELECT a NOT IN ('x', (SELECT 'y'), 'z')", [("a", "x"), (None, "y"), ("a", "z")]),
        (
            "INSERT INTO t (a, b) VALUES ('x', 1, 0.0), ('y', -2, 3)",
            [
                *[(None, "x"), ("a", "x"), (None, 1), ("b", 1), (None, 0.0)],
                *[(None, "y"), ("a", "y"), (None, -2), ("b", -2), (None, 3)],
            ],
        ),
        ("INSERT INTO t VALUES (1, 'x')", [(None, 1), ("rowid", 1), (None, "x")]),
        ("INSERT OR IGNORE INTO t (a) VALUES ('x')", [(None, "x")]),
        ("INSERT OR ABORT INTO t (a) VALUES ('x')", [(None, "x"), ("a", "x")]),
        (
            "WITH u AS (SELECT 2) INSERT INTO t (a) VALUES ('x')",
            [(None, 2), (None, "x"), ("a", "x")],
        ),
        (
            'INSERT INTO "(" ("values", b) VALUES (1, 2)',
            [(None, 1), ("values", 1), (None, 2), ("b", 2)],
        ),
        ("SELECT a = -1.5, b - 2, a = b - 3", [("a", -1.5), (None, 2), (None, 3)]),
        ("SELECT 'x' = a, lower(a) = 'y', 5", [(None, "x"), (None, "y"), (None, 5)]),
        (
            "SELECT a = 1, a = 1, b = 1, a = 1.0, a = '1'",
            [("a", 1), ("b", 1), ("a", 1.0), ("a", "1")],
        ),
        ("SELECT 0x10, 0xFFFFFFFFFFFFFFFF, 1_000, 1e999", [(None, 16), (None, -1), (None, 1000)]),
        ("SELECT x'00', :p, a = b", []),
        ("SELECT 1 > 0) = 'x'", [(None, 1), (None, 0), (None, "x")]),
        ("= 'x'", [(None, "x")]),
        ("- 1", [(None, 1)]),
        ("not 1", [(None, 1)]),
    ],
)
def test_literals_stand_with_the_column_they_are_compared_with(
    tmp_path: Path, sql: str, expected: list[tuple[str | None, object]]
) -> None:
    found = migration(tmp_path, {"a.sql": sql}).literals

    assert [(column, type(value), value) for column, value in found] == [
        (column, type(value), value) for column, value in expected
    ]


@pytest.mark.parametrize(
    "text",
    ["0", "007", "9223372036854775807", "9223372036854775808", "1.5", ".5", "5.", "1e3", "0x7f",
     "0x8000000000000000", "9" * 5000],
)  # fmt: skip
def test_a_numeric_literal_is_what_sqlite_reads_in_it(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        expected = db.execute(f"SELECT {text}").fetchone()[0]

    found = number_of(text)

    assert found == (None if expected == float("inf") else expected)
    assert found is None or type(found) is type(expected)


def test_what_no_64_bits_hold_is_no_literal() -> None:
    assert number_of("0x1" + "0" * 16) is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DELETE FROM t WHERE a = 'x' AND b IN (1, 2)", [("a", "x"), ("b", 1), ("b", 2)]),
        ("UPDATE t SET a = 'y', b = 3 WHERE a = 'x'", [("a", "x")]),
        (
            "UPDATE t SET a = CASE b WHEN 'x' THEN 'y' END, c = 'z' WHERE d = 1",
            [("b", "x"), ("d", 1)],
        ),
        ("UPDATE t SET a = (SELECT b FROM u WHERE c = 'x'), d = 'z'", [("c", "x")]),
        ("UPDATE t SET \"where\" = 'x', b = 'y' WHERE c = 'z'", [("c", "z")]),
        ("UPDATE t SET a = 'x' WHERE a = 'y'; UPDATE t SET a = 'z' WHERE a = 'x'", [("a", "y")]),
        ("INSERT INTO t SELECT 'x', 'y' WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = 'x')", []),
        ("INSERT INTO t (a) VALUES ('x'); DELETE FROM t WHERE a = 'x'", []),
        ("CREATE VIEW v AS SELECT * FROM t WHERE a = 'x'", []),
        ("REPLACE INTO t (a, b) VALUES ('x', 'y')", [("a", "x")]),
        ("INSERT OR REPLACE INTO t VALUES (1, 'y')", [("rowid", 1)]),
        (
            "INSERT INTO t (a, b) VALUES ('x', 'y') ON CONFLICT (b) DO UPDATE SET a = 'z'",
            [("b", "y")],
        ),
        ("INSERT INTO t (a) VALUES ('x') ON CONFLICT (a) DO NOTHING", []),
        ("INSERT INTO t (a) VALUES ('x') ON CONFLICT DO UPDATE SET a = 'z'", []),
        ("SELECT 1) END", []),
    ],
)
def test_what_a_migration_expects_to_find_is_what_it_asks_for_and_writes_nowhere(
    tmp_path: Path, sql: str, expected: list[tuple[str | None, object]]
) -> None:
    assert list(migration(tmp_path, {"a.sql": sql}).expected_literals) == expected


def test_what_a_way_back_asks_for_is_not_expected_before(tmp_path: Path) -> None:
    up, down = "UPDATE t SET a = 'y' WHERE a = 'x'", "UPDATE t SET a = 'x' WHERE a = 'y'"
    code = f'def up(db):\n    db.execute("{up}")\ndef down(db):\n    db.execute("{down}")\n'

    assert migration(tmp_path / "one", {"a.up.sql": up, "a.down.sql": down}).expected_literals == (
        ("a", "x"),
    )
    assert migration(tmp_path / "other", {"a.py": code}).expected_literals == (("a", "x"),)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE t SET a = 'x', b = -2 WHERE c = 'y'", [("a", "x"), ("b", -2)]),
        ("WITH u AS (SELECT 1) UPDATE t SET a = 1", [("a", 1)]),
        ("UPDATE t SET a = (SELECT 5 FROM u WHERE b = 3)", []),
        ("UPDATE t SET a = CASE WHEN b = 1 THEN 2 END", []),
        ("INSERT INTO t (a) VALUES ('x')", []),
        ("DELETE FROM t WHERE a = 'x'", []),
    ],
)
def test_what_a_migration_assigns_is_what_its_updates_set(
    tmp_path: Path, sql: str, expected: list[tuple[str, object]]
) -> None:
    down = "UPDATE t SET z = 9"
    code = f'def up(db):\n    db.execute("{sql}")\ndef down(db):\n    db.execute("{down}")\n'

    assert list(migration(tmp_path / "one", {"a.sql": sql}).assigned_literals) == expected
    assert list(migration(tmp_path / "other", {"a.py": code}).assigned_literals) == expected


def test_each_statement_in_a_string_of_python_is_read(tmp_path: Path) -> None:
    script = "CREATE TABLE u (a); UPDATE t SET a = 1 WHERE b = 2; INSERT INTO t (a) VALUES (3);"
    found = migration(tmp_path, {"a.py": f"def up(db):\n    db.executescript({script!r})\n"})

    assert found.expected_literals == (("b", 2),)
    assert found.assigned_literals == (("a", 1),)
    assert ("a", 3) in found.literals


def test_literals_are_of_both_parts(tmp_path: Path) -> None:
    files = {"a.up.sql": "UPDATE t SET a = 'x'", "a.down.sql": "UPDATE t SET a = 'y'"}

    assert migration(tmp_path, files).literals == (("a", "x"), ("a", "y"))


def test_literals_of_python_are_those_of_its_sql_and_its_short_values(tmp_path: Path) -> None:
    text = '''\
"""SELECT 'docstring'."""
OLD = "Dining Out"
LONG = "a message of more than sixty characters is not a value that any column holds"
LINES = "two\\nlines"
HUGE = 2**70 + 12345678901234567890123
FLAG = True

def up(db):
    """SELECT 'docstring'."""
    db.execute(" -- why\\n update t SET a = 'x' WHERE b > -5", [OLD, -2.5, 7, None, b"x"])
    db.execute(f"UPDATE t SET a = '{OLD}'")
    -len(OLD)
'''

    found = migration(tmp_path, {"a.py": text}).literals

    assert found == (
        (None, "Dining Out"),
        (None, 2),
        (None, 70),
        ("a", "x"),
        ("b", -5),
        (None, -2.5),
        (None, 7),
        (None, "'"),
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP INDEX i", {("index", "i")}),
        ('drop trigger if exists main."My T"', {("trigger", "my t")}),
        ("DROP VIEW temp.v; DROP VIEW IF EXISTS [w]", {("view", "v"), ("view", "w")}),
        ("DROP INDEX 'I'", {("index", "i")}),
        ("DROP TABLE t; ALTER TABLE t DROP COLUMN c", set()),
        ("SELECT 'DROP INDEX i' -- DROP INDEX i", set()),
        ("DROP INDEX", set()),
        ("DROP", set()),
    ],
)
def test_what_a_file_drops_in_so_many_words_is_known(
    tmp_path: Path, sql: str, expected: set[tuple[str, str]]
) -> None:
    assert migration(tmp_path, {"a.sql": sql}).explicit_drops == expected


def test_what_the_way_back_drops_is_not_dropped_on_the_way_there(tmp_path: Path) -> None:
    files = {"a.up.sql": "SELECT 1", "a.down.sql": "DROP INDEX i"}

    assert migration(tmp_path, files).explicit_drops == frozenset()


def test_what_python_drops_is_looked_for_in_its_strings(tmp_path: Path) -> None:
    text = '''\
"""DROP INDEX docstring"""

DROPS = ("DROP INDEX i", "DROP VIEW 'unfinished")

def up(db):
    db.executescript("""
        CREATE TABLE u (a);
        DROP TRIGGER IF EXISTS t;
    """)
    print("and DROP VIEW nothing")

def down(db):
    db.execute("DROP TRIGGER back")
'''

    assert migration(tmp_path, {"a.py": text}).explicit_drops == {("index", "i"), ("trigger", "t")}
