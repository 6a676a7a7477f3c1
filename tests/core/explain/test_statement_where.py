"""The condition of a statement, as the line of a contract repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.statement_where import TableColumns, condition_of_statements
from tests.core.cataloguing import migration
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("sql", "column", "expected"),
    [
        ("UPDATE t SET a = 1 WHERE b = 'x' -- why\n AND c IS NULL", "a", "b = 'x' AND c IS NULL"),
        ("DELETE FROM t WHERE a = 1", "", "a = 1"),
        ("UPDATE t SET a = 1 WHERE b = 1; UPDATE T SET A = 2 WHERE b = 2", "a",
         "(b = 1) OR (b = 2)"),
        ("UPDATE t SET a = 1 WHERE b = 1; UPDATE t SET c = 2 WHERE b = 1", "a", "b = 1"),
        ("INSERT INTO u SELECT * FROM t; DELETE FROM t WHERE a = 1", "", "a = 1"),
        ("ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE b > 1 OR b IS NULL", "a",
         "c > 1 OR c IS NULL"),
        ('ALTER TABLE t DROP b; ALTER TABLE t RENAME "c d" TO b; UPDATE t SET a = 1 WHERE b = 1',
         "a", '"c d" = 1'),
        ("ALTER TABLE t RENAME COLUMN a TO b; UPDATE t SET b = 1 WHERE c = 1", "a", "c = 1"),
        ("UPDATE u SET b = 1; UPDATE t SET a = 1 WHERE b = 1", "a", "b = 1"),
        ("UPDATE t AS x SET a = 1 WHERE x.b = 1", "a", "t.b = 1"),
        ("DROP TABLE foo; DELETE FROM t WHERE n = 'foo'", "", "n = 'foo'"),
        ("UPDATE t SET a = 1 WHERE a = 'x'; UPDATE t SET a = 2 WHERE a = 1", "a",
         "(a = 'x') OR (a = 1)"),
    ],
)  # fmt: skip
def test_the_condition_is_that_of_the_statements(
    tmp_path: Path, sql: str, column: str, expected: str
) -> None:
    assert condition_of_statements(migration(tmp_path, {"a.sql": sql}), "t", column) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 1",
        "UPDATE t SET a = 1 WHERE b = 1; UPDATE t SET a = 1",
        "UPDATE t AS x SET a = 1 WHERE x.b IN (SELECT b FROM t)",
        "UPDATE t AS x SET a = 1 WHERE b IN (SELECT x FROM u)",
        "UPDATE t SET a = u.a FROM u WHERE u.b = t.b",
        "UPDATE t SET a = 1 WHERE b = ?",
        "UPDATE t SET a = 1 WHERE b = 'two\nlines'",
        "UPDATE t SET b = 1; UPDATE t SET a = 1 WHERE b = 1",
        "UPDATE t SET b = 1; UPDATE t SET a = 1 WHERE a = 1; UPDATE t SET a = 2 WHERE b = 1",
        "UPDATE t SET a = 1 WHERE a = 2; UPDATE t SET a = 2 WHERE a IN (SELECT a FROM t)",
        "DROP TABLE foo; UPDATE t SET a = 1 WHERE b IN (SELECT b FROM 'foo')",
        "UPDATE u SET b = 1; UPDATE t SET a = 1 WHERE b IN (SELECT b FROM v)",
        "ALTER TABLE t ADD COLUMN b; UPDATE t SET a = 1 WHERE b IS NULL",
        "ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE c IS NULL",
        "ALTER TABLE u RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE b IS NULL",
        "UPDATE t SET c = 1; ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE b = 1",
        "ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET b = 1; UPDATE t SET a = 1 WHERE b = 1",
        "ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE b IN (SELECT b FROM u)",
        "DELETE FROM u; UPDATE t SET a = 1 WHERE b IN (SELECT b FROM u)",
        "REPLACE INTO t (a) VALUES (1); UPDATE t SET a = 1 WHERE b = 1",
        "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 2; UPDATE t SET a = 1 WHERE b = 1",
        "ALTER TABLE t RENAME TO u; UPDATE t SET a = 1 WHERE b = 1",
        "DROP TABLE t; UPDATE t SET a = 1 WHERE b = 1",
        "UPDATE t SET a = 1 WHERE b = " + "1 + " * 60 + "1",
        "SELECT 1",
    ],
)
def test_where_rows_before_cannot_be_asked_it_there_is_none(tmp_path: Path, sql: str) -> None:
    assert condition_of_statements(migration(tmp_path, {"a.sql": sql}), "t", "a") == ""


def test_rows_that_may_go_by_a_conflict_have_none(tmp_path: Path) -> None:
    sql = "UPDATE OR REPLACE t SET a = 1; DELETE FROM t WHERE b = 1"

    assert condition_of_statements(migration(tmp_path, {"a.sql": sql}), "t") == ""


def test_what_python_runs_has_that_of_a_statement_in_its_text(tmp_path: Path) -> None:
    code = "def up(db):\n    db.execute('DELETE FROM t\\n  WHERE a = 1')\n"
    ran = ("DELETE FROM t WHERE a = 1",)
    made = migration(tmp_path, {"a.py": code.replace("\\n", " ")})

    assert condition_of_statements(made, "t", executed=ran) == "a = 1"
    assert condition_of_statements(made, "t", executed=(*ran, "DELETE FROM t WHERE a = 7")) == ""
    assert condition_of_statements(made, "t") == ""


SETTINGS = TableColumns(("key",), ("key", "value", "Kind"))
SET = "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
BOTH = "ON CONFLICT (key, kind) DO UPDATE SET"
PLAIN = "UPDATE t SET value = 1 WHERE key = 'b'"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"INSERT INTO t (key, value) VALUES ('a', 1) {SET}", "key = 'a'"),
        (f"INSERT INTO t VALUES ('a', 1, -2) {SET}", "key = 'a'"),
        (f"INSERT INTO t (value, key) VALUES (1, 'a'), (2, 'b') {SET}", "key IN ('a', 'b')"),
        (f"INSERT INTO t (key) VALUES ('a') {SET}; UPDATE t SET value = 2 WHERE key = 'b'",
         "(key = 'a') OR (key = 'b')"),
        (f"INSERT INTO t (key) VALUES ('a') {SET}; INSERT INTO t (key) VALUES ('a') {SET}",
         "key = 'a'"),
        ("INSERT INTO t (value, Kind) VALUES (1, 7) ON CONFLICT (kind) DO UPDATE SET value = 2",
         "Kind = 7"),
        (f"INSERT INTO t (kind, key) VALUES (-1, 'a'), (x'00', 'b') {BOTH} (value, note) = (1, 2)",
         "(key = 'a' AND Kind = -1) OR (key = 'b' AND Kind = x'00')"),
        ("INSERT OR REPLACE INTO t (key, kind) VALUES ('a', 1)", "key = 'a'"),
        ("REPLACE INTO t VALUES ('a', 1, 2)", "key = 'a'"),
        (f"INSERT INTO t (key) VALUES ('x') ON CONFLICT (key) DO NOTHING; {PLAIN}", "key = 'b'"),
        (f"INSERT INTO t (key) VALUES ('x') {BOTH} kind = 1; {PLAIN}", "key = 'b'"),
    ],
)  # fmt: skip
def test_constant_rows_are_written_over_those_that_have_their_keys(
    tmp_path: Path, sql: str, expected: str
) -> None:
    made = migration(tmp_path, {"a.sql": sql})

    assert condition_of_statements(made, "t", "value", SETTINGS) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (key) VALUES ('a') ON CONFLICT DO UPDATE SET value = 1",
        "INSERT INTO t (key) VALUES ('a') ON CONFLICT (lower(key)) DO UPDATE SET value = 1",
        f"INSERT INTO t (key) SELECT key FROM u WHERE 1 {SET}",
        f"INSERT INTO t (key) VALUES ('a' || 'b') {SET}",
        f"INSERT INTO t (key) VALUES (?) {SET}",
        f"INSERT INTO t (key) VALUES (NULL) {SET}",
        f"INSERT INTO t (key) VALUES ('two\nlines') {SET}",
        f"INSERT INTO t (value) VALUES (1) {SET}",
        f"INSERT INTO t VALUES ('a', 1) {SET}",
        f"UPDATE t SET key = 'a'; INSERT INTO t (key) VALUES ('a') {SET}",
        "REPLACE INTO t (kind, key) VALUES (1, 'a') ON CONFLICT (kind) DO UPDATE SET value = 1",
        "REPLACE INTO t (kind) VALUES (1)",
        "UPDATE t SET value = 1; REPLACE INTO t (key) VALUES ('a')",
    ],
)
def test_rows_that_are_written_over_by_what_is_not_told_have_none(tmp_path: Path, sql: str) -> None:
    made = migration(tmp_path, {"a.sql": sql})

    assert condition_of_statements(made, "t", "value", SETTINGS) == ""


def test_by_a_replace_no_rows_are_told_to_go(tmp_path: Path) -> None:
    made = migration(tmp_path, {"a.sql": "REPLACE INTO t VALUES ('a', 1, 2)"})

    assert condition_of_statements(made, "t", "", SETTINGS) == ""
    assert condition_of_statements(made, "t", "value") == ""


def test_rows_that_get_another_key_beside_a_delete_are_allowed_as_well(tmp_path: Path) -> None:
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);\n"
    up = "DELETE FROM t WHERE id != (SELECT max(id) FROM t); UPDATE t SET id = id + 1000;"
    found = judge_last("data_survives", chain_of(tmp_path, base, up)).findings

    assert [finding.allow for finding in found] == ["-- bb: deletes t", "-- bb: inserts t"]
