"""The condition of the rows that a rebuild's copy leaves out, or gives a value for want of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.copied_where import rows_given_default, rows_left_out
from tests.core.cataloguing import migration
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

NEW = "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL);"
OVER = "DROP TABLE t; ALTER TABLE n RENAME TO t;"
COPY = "INSERT INTO n SELECT id, a, coalesce(b, 0) FROM t WHERE a <> '' AND b > 1;"
COLUMNS = ("id", "a", "b")


@pytest.mark.parametrize(
    "sql",
    [
        NEW + COPY + OVER,
        "ALTER TABLE t RENAME TO old;" + NEW + COPY.replace("FROM t", "FROM old")
        + "DROP TABLE old; ALTER TABLE n RENAME TO t;",
    ],
)  # fmt: skip
def test_a_copy_that_chooses_tells_which_rows_it_leaves_out(tmp_path: Path, sql: str) -> None:
    made = migration(tmp_path, {"a.sql": sql})

    assert rows_left_out(made, "t") == "NOT coalesce(a <> '' AND b > 1, 0)"
    assert rows_given_default(made, "t", "b", COLUMNS) == "b IS NULL"
    assert not rows_given_default(made, "t", "a", COLUMNS)


@pytest.mark.parametrize(
    "sql",
    [
        NEW + COPY.replace("INSERT", "INSERT OR IGNORE") + OVER,
        NEW + COPY + "DELETE FROM n WHERE b = 0;" + OVER,
        "UPDATE t SET a = 1;" + NEW + COPY + OVER,
        NEW + COPY + COPY + OVER,
        NEW + COPY.replace("FROM t", "FROM t JOIN u USING (id)") + OVER,
        NEW + COPY,
        NEW + "INSERT INTO n SELECT id, a, ifnull(a, b) FROM t WHERE a IN (SELECT 1);" + OVER,
        NEW + "INSERT INTO n SELECT id, a, b + 1 FROM t WHERE t.a = 1;" + OVER,
        "DELETE FROM t WHERE a = 1;",
    ],
)
def test_what_does_more_tells_none(tmp_path: Path, sql: str) -> None:
    made = migration(tmp_path, {"a.sql": sql})

    assert not rows_left_out(made, "t")
    assert not rows_given_default(made, "t", "b", COLUMNS)


def test_the_lines_that_are_printed_allow_what_was_seen(tmp_path: Path) -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);"
    chain = chain_of(tmp_path, table, NEW + COPY + OVER, rows=60)

    lines = [finding.allow for finding in judge_last("data_survives", chain).findings]

    assert lines == ["-- bb: deletes t where NOT coalesce(a <> '' AND b > 1, 0)"]
    declared = chain_of(tmp_path, table, "\n".join([*lines, NEW + COPY + OVER]), rows=60)
    assert not judge_last("data_survives", declared).findings
