"""What a migration asks of rows that are there before, takes for itself, and reads in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.cataloguing import migration

if TYPE_CHECKING:
    from pathlib import Path

COPIES = """
CREATE TABLE old AS SELECT * FROM t; DELETE FROM t;
INSERT INTO t SELECT a, 2 FROM old WHERE kind = 2;
INSERT INTO t SELECT a, 7 FROM old WHERE kind = 2;
INSERT INTO t SELECT a, kind FROM old WHERE kind <> 7;
"""
RENAMES = """
CREATE TEMP TABLE renames (old, new); INSERT INTO renames VALUES ('x', 'y');
UPDATE t SET a = (SELECT new FROM renames WHERE old = t.a) WHERE a IN (SELECT old FROM renames);
"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (COPIES, [("kind", 2), ("kind", 7)]),
        ("UPDATE t SET a = 'z' WHERE a = 'x'; UPDATE t SET a = 'x' WHERE a = 'y'",
         [("a", "x"), ("a", "y")]),
        ("UPDATE t SET a = 'x' WHERE a <> 'x'", [("a", "x")]),
        ("UPDATE t SET a = 'x'; UPDATE u SET b = 1 WHERE a = 'x'", [("a", "x")]),
        ("UPDATE t SET a = 'x'; ALTER TABLE t RENAME TO u; DELETE FROM u WHERE a = 'x'", []),
        ("UPDATE t SET a = 'x'; CREATE TABLE u AS SELECT * FROM t; DELETE FROM u WHERE a = 'x'",
         []),
        ("UPDATE t SET a = 'x'; DROP TABLE t; DELETE FROM t WHERE a = 'x'", [("a", "x")]),
        ("UPDATE t SET b = 1 FROM u WHERE a = CASE t.c WHEN 'x' THEN 2 WHEN 'y' THEN 3 END",
         [("c", "x"), ("c", "y")]),
        ("SELECT CASE WHEN a = 'x' THEN 'y' END", [("a", "x")]),
        (RENAMES, [("a", "x")]),
        ("WITH r (old, new) AS (VALUES ('x', 'y')) UPDATE t SET a = r.new FROM r WHERE a = r.old",
         [("a", "x")]),
        ("CREATE VIEW v AS SELECT kind AS sort FROM t; DELETE FROM u WHERE sort = 3",
         [("sort", 3), ("kind", 3)]),
    ],
)  # fmt: skip
def test_what_a_table_must_bring_is_expected_of_it(
    tmp_path: Path, sql: str, expected: list[tuple[str, object]]
) -> None:
    assert sorted(migration(tmp_path, {"a.sql": sql}).expected_literals) == sorted(expected)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE t SET a = 'y', b = -2 WHERE a = 'x'", [("a", "y"), ("b", -2)]),
        ("UPDATE t SET a = CASE a WHEN 'x' THEN 'y' ELSE a END", [("a", "y")]),
        (RENAMES, [("a", "y")]),
        ("UPDATE OR IGNORE t SET a = 'y'", []),
        ("UPDATE t SET a = 'y' WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = 'y')", []),
        ("UPDATE t SET a = 'y'; UPDATE t SET a = 'z' WHERE a = 'y'", [("a", "z")]),
        ("INSERT INTO u (name) VALUES ('y'); UPDATE t SET a = 'y'", []),
        ("UPDATE t SET a = lower('y'), (b, c) = (1, 2)", []),
        ("DELETE FROM t WHERE a = 'x'", []),
    ],
)
def test_what_an_update_sets_a_row_may_hold_already(
    tmp_path: Path, sql: str, expected: list[tuple[str, object]]
) -> None:
    assert list(migration(tmp_path, {"a.sql": sql}).taken_literals) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT json_extract(t.a, '$.x', '$.y[0]')",
         {("json", "a", "$.x"), ("json", "a", "$.y[0]")}),
        ("SELECT a -> 'x' ->> 2, b ->> '$.z'", {("json", "a", "$.x[2]"), ("json", "b", "$.z")}),
        ("SELECT 1 FROM t WHERE a ->> 'x' = 'y'",
         {("json", "a", "$.x"), ("json value", "a", '["$.x", "y"]')}),
        ("SELECT 1 FROM t, json_each(t.a) WHERE json_valid(a)",
         {("json", "a", ""), ("valid", "a", "")}),
        ("SELECT strftime('%Y', a), date(coalesce(b, c))", {("day", "a", ""), ("day", "b", "")}),
        ("SELECT lower(trim(a)) NOT LIKE 'x_%', b GLOB 'y*'",
         {("like", "a", "x_%"), ("glob", "b", "y*")}),
        ("UPDATE t SET a = 'x/' || t.a, b = replace(b, 'www.', '')",
         {("prefix", "a", "x/"), ("cut", "b", "www.")}),
        ("SELECT 'x' || 'y', json_object('a', b), json('{}'), lower(a), ->, 1 -> 2", set()),
    ],
)  # fmt: skip
def test_what_is_read_in_columns_is_known(
    tmp_path: Path, sql: str, expected: set[tuple[str, str, str]]
) -> None:
    code = f"def up(db):\n    db.execute({sql!r})\n"

    assert set(migration(tmp_path / "one", {"a.sql": sql}).column_reads) == expected
    assert set(migration(tmp_path / "other", {"a.py": code}).column_reads) == expected


def test_the_patterns_of_a_way_back_are_not_asked_of_rows_before(tmp_path: Path) -> None:
    down = "DELETE FROM t WHERE a LIKE 'x%' AND b -> 'y'"
    found = migration(tmp_path, {"a.up.sql": "SELECT 1", "a.down.sql": down})

    assert found.column_reads == {("json", "b", "$.y")}


def test_python_that_takes_texts_apart_may_do_so_with_any_column_it_names(tmp_path: Path) -> None:
    code = (
        'def up(db):\n    for (a,) in db.execute("SELECT a FROM t"):\n        x = json.loads(a)\n'
    )
    found = migration(tmp_path, {"a.py": code}).column_reads

    assert ("python", "a", "") in found
