"""A table that can hold many rows gets them, however few values its columns have by themselves."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.seeding.model import Recipe
from tests.core.filling import filled

KEYS = (
    "CREATE TABLE nodes (hash BLOB NOT NULL, space VARCHAR(300) NOT NULL,"
    " PRIMARY KEY (hash, space));"
)
NEWEST = (
    "CREATE TRIGGER newest AFTER INSERT ON t BEGIN DELETE FROM t WHERE p = NEW.p AND id NOT IN"
    " (SELECT id FROM t WHERE p = NEW.p ORDER BY id DESC LIMIT 10); END;"
)


PARTS = (
    f"{KEYS} CREATE TABLE t (space VARCHAR(300) PRIMARY KEY, hash BLOB NOT NULL,"
    " FOREIGN KEY (space, hash) REFERENCES nodes (space, hash));"
)
CUT = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY,"
    f" p INTEGER NOT NULL REFERENCES p (id)); {NEWEST}"
)
EXTENDED = "CREATE TABLE a (id INTEGER PRIMARY KEY);" + "".join(
    f"CREATE TABLE {name} (id INTEGER PRIMARY KEY REFERENCES {parent} (id));"
    for parent, name in ("ab", "bc", "cd", "dt")
)
FOUR = (
    "CREATE TABLE t (a CHECK (a IN (1, 2)) NOT NULL, b CHECK (b IN ('x', 'y')) NOT NULL,"
    " UNIQUE (a, b))"
)


@pytest.mark.parametrize(
    ("sql", "least"),
    [
        ("CREATE TABLE t (k BLOB NOT NULL UNIQUE CHECK (length(k) = 33))", 200),
        ("CREATE TABLE t (k TEXT PRIMARY KEY CHECK (length(k) = 64))", 200),
        ("CREATE TABLE t (k TEXT UNIQUE CHECK (length(k) BETWEEN 30 AND 31))", 200),
        ("CREATE TABLE t (a TEXT, b TEXT CHECK (b IN ('x', 'y', 'z')), PRIMARY KEY (a, b))", 200),
        (PARTS, 150),
        (CUT, 200),
        (EXTENDED, 170),
    ],
)
def test_a_table_that_can_hold_many_rows_gets_them(sql: str, least: int) -> None:
    with filled(sql) as result:
        (count,) = result.values("SELECT count(*) FROM t")

        assert count >= least


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (k INTEGER PRIMARY KEY CHECK (k = 1))",
        FOUR,
        "CREATE TABLE t (k BLOB NOT NULL UNIQUE CHECK (length(k) = 0))",
    ],
)
def test_a_table_that_can_hold_few_rows_gets_those(sql: str) -> None:
    with filled(sql) as result:
        (count,) = result.values("SELECT count(*) FROM t")

        assert 1 <= count <= 4


def test_a_blob_of_a_length_that_is_asked_for_is_a_blob() -> None:
    with filled("CREATE TABLE t (k BLOB CHECK (length(k) = 33))") as result:
        values = result.values("SELECT k FROM t")

        assert sum(isinstance(value, bytes) for value in values) > len(values) / 2
        assert len(set(values)) > 10


def test_a_table_of_which_a_trigger_keeps_one_row_is_filled_a_few_times() -> None:
    sql = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY);"
        "CREATE TRIGGER one AFTER INSERT ON t BEGIN DELETE FROM t WHERE id <> NEW.id; END;"
    )
    with filled(sql, Recipe(rows=60)) as result:
        assert result.filling.added == {"t": 1}


def test_rows_that_must_have_children_are_there_before_these_come() -> None:
    sql = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY REFERENCES t (id));"
    )
    has_child = Requirement("t", (), "EXISTS (SELECT 1 FROM c WHERE c.id = t.id)", 1)

    with filled(sql, Recipe(requires=(has_child,))) as result:
        assert result.filling.added == {"t": 200, "c": 180}


def test_names_that_must_differ_in_lower_case_do_not_run_out() -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, uid TEXT NOT NULL);"
    apart = "NOT EXISTS (SELECT 1 FROM t AS o WHERE o.id < t.id AND lower(o.uid) = lower(t.uid))"

    with filled(sql, Recipe(requires=(Requirement("t", (), apart, 1),))) as result:
        assert result.filling.added["t"] >= 190
