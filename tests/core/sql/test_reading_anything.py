"""Whatever text it is, it is read to its end, without an error, in one pass."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_bbmigrate.sql import (
    clauses,
    cursor,
    queries,
    reading,
    schema_changes,
    schema_clauses,
    tokenize,
    writes,
)
from pytest_bbmigrate.sql.reading import command_of, read_command
from tests.depth import in_full

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pytest_bbmigrate.sql.cursor import Tokens

READER = (clauses, cursor, queries, reading, schema_changes, schema_clauses, writes)
PIECES = """
    ( ) , ; . = * - ON CONFLICT DO UPDATE NOTHING SET WHERE FROM SELECT VALUES INSERT INTO REPLACE
    DELETE DEFAULT WITH RECURSIVE AS NOT MATERIALIZED CREATE TEMP UNIQUE VIRTUAL TABLE INDEX VIEW
    TRIGGER IF EXISTS BEFORE INSTEAD OF FOR EACH ROW WHEN BEGIN END ALTER RENAME TO COLUMN ADD DROP
    PRAGMA ROLLBACK SAVEPOINT RELEASE TRANSACTION UNION ALL LEFT JOIN NATURAL USING GROUP BY LIMIT
    RETURNING CASE DISTINCT IS WINDOW OVER OR a "b" 'c' 1 x'00' ?
"""


@settings(max_examples=in_full(5000, quick=300))
@given(st.lists(st.sampled_from(PIECES.split()), max_size=30).map(" ".join))
def test_whatever_stands_there_is_read_without_an_error(sql: str) -> None:
    assert read_command(sql) is not None


HOSTILE: dict[str, Callable[[int], str]] = {
    "open parentheses": lambda n: "INSERT INTO t VALUES " + "(" * n,
    "closing parentheses": lambda n: "SELECT " + ")" * n,
    "nested parentheses": lambda n: "SELECT " + "(" * n + "1" + ")" * n,
    "nested queries": lambda n: "SELECT " + "(SELECT " * n + "1" + ")" * n,
    "nested WITH": lambda n: "WITH a AS (" * n + "SELECT 1" + ") SELECT 1" * n,
    "tables of a WITH": lambda n: "WITH a AS (SELECT 1)" + ", a AS (SELECT 1)" * n + " SELECT 1",
    "columns": lambda n: "SELECT a" + ", a b" * n + " FROM t",
    "a long column": lambda n: "SELECT a" + " + a" * n + " b FROM t",
    "cases": lambda n: "SELECT " + "CASE WHEN " * n + "1 " + "THEN 1 END " * n + "end FROM t",
    "rows": lambda n: "INSERT INTO t VALUES (1)" + ", (1, (2))" * n,
    "joins": lambda n: "SELECT 1 FROM a" + " LEFT JOIN b ON 1" * n,
    "words of joins": lambda n: "SELECT 1 FROM a " + "LEFT " * n,
    "compounds": lambda n: "SELECT 1 FROM a" + " UNION SELECT 1 FROM a" * n,
    "distinct from": lambda n: "SELECT 1 FROM a WHERE a" + " IS DISTINCT FROM a" * n,
    "assignments": lambda n: "UPDATE t SET a = 1" + ", (a, b) = (1, 2)" * n,
    "upserts": lambda n: "INSERT INTO t VALUES (1)" + " ON CONFLICT (a) DO UPDATE SET b = 1" * n,
    "halves of upserts": lambda n: "INSERT INTO t VALUES (1)" + " ON CONFLICT" * n,
    "definitions": lambda n: "CREATE TABLE t (a" + ", b DEFAULT (1)" * n + ", CHECK (1)" * n + ")",
    "the body of a trigger": lambda n: "CREATE TRIGGER t INSERT ON a BEGIN " + "DELETE FROM b;" * n,
    "a condition of a trigger": lambda n: "CREATE TRIGGER t INSERT ON a WHEN " + "BEGIN " * n,
    "columns of a trigger": lambda n: "CREATE TRIGGER t UPDATE OF a" + ", a" * n + " ON b",
    "a pragma": lambda n: "PRAGMA a = " + "1 " * n,
}


def lines_run(tokens: Tokens) -> int:
    """Return how many lines of the reader are run for ``tokens``, and how much they take along."""
    files = {module.__file__ for module in READER}
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        count += event == "line"
        return trace

    tracing = sys.gettrace()
    sys.settrace(trace)
    try:
        command_of(tokens)
    finally:
        sys.settrace(tracing)
    return count


@pytest.mark.parametrize("shape", HOSTILE)
def test_reading_takes_work_in_proportion_to_the_length(shape: str) -> None:
    work = [lines_run(tokenize(HOSTILE[shape](length))) for length in (50, 100)]

    assert work[1] <= 2.05 * work[0]
