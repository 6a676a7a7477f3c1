"""The condition of a statement, as the line of a contract repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.statement_where import condition_of_statements
from tests.core.cataloguing import migration

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
        "UPDATE t AS x SET a = 1 WHERE x.b = 1",
        "UPDATE t SET a = u.a FROM u WHERE u.b = t.b",
        "UPDATE t SET a = 1 WHERE b = ?",
        "UPDATE t SET a = 1 WHERE b = 'two\nlines'",
        "UPDATE t SET b = 1; UPDATE t SET a = 1 WHERE b = 1",
        "ALTER TABLE t ADD COLUMN b; UPDATE t SET a = 1 WHERE b IS NULL",
        "ALTER TABLE t RENAME COLUMN c TO b; UPDATE t SET a = 1 WHERE b IS NULL",
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


def test_what_python_runs_has_none(tmp_path: Path) -> None:
    code = "def up(db):\n    db.execute('DELETE FROM t WHERE a = 1')\n"

    assert condition_of_statements(migration(tmp_path, {"a.py": code}), "t") == ""
