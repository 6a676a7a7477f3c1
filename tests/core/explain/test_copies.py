"""INSERT .. SELECT and CREATE TABLE .. AS: which rows and columns they take where."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.explain.copies import Copy, created_columns, read_copy


@pytest.mark.parametrize(
    ("sql", "features"),
    [
        ("INSERT INTO n SELECT * FROM t", set()),
        ("INSERT OR IGNORE INTO n SELECT * FROM t", {"or ignore"}),
        ("REPLACE INTO n SELECT * FROM t", {"or replace"}),
        ("INSERT INTO n SELECT DISTINCT a FROM t", {"distinct"}),
        ("INSERT INTO n SELECT ALL a FROM t LIMIT 5", {"limit"}),
        ("INSERT INTO n SELECT a FROM t WHERE b IS DISTINCT FROM c", {"where"}),
        ("INSERT INTO n SELECT a IS DISTINCT FROM b FROM t", set()),
        ('INSERT INTO n ("(", "where") SELECT "(", "limit" FROM t', set()),
        ("INSERT INTO n SELECT a FROM t JOIN u ON u.a = t.a", {"join"}),
        ("INSERT INTO n SELECT a FROM t LEFT OUTER JOIN u USING (a)", {"left join"}),
        ("INSERT INTO n SELECT a FROM t, u WHERE t.a = u.a", {"join", "where"}),
        ("INSERT INTO n SELECT (SELECT max(b) FROM u WHERE u.a = t.a) FROM t", set()),
        ("INSERT INTO n SELECT a FROM t UNION ALL SELECT a FROM u", {"union all"}),
        ("INSERT INTO n SELECT a FROM t UNION SELECT a FROM u WHERE a", {"union", "where"}),
        ("INSERT INTO n SELECT a FROM t GROUP BY a HAVING count(*) = 1", {"group"}),
        (
            "INSERT INTO n SELECT a FROM t WHERE true ON CONFLICT (a) DO NOTHING",
            {"where", "on conflict"},
        ),
        ("CREATE TEMP TABLE n AS SELECT a FROM t ORDER BY a", set()),
    ],
)
def test_what_can_keep_a_row_from_being_copied_is_told(sql: str, features: set[str]) -> None:
    copy = read_copy(3, sql)

    assert copy is not None
    assert (copy.position, copy.target, copy.source) == (3, "n", "t")
    assert copy.features == features


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO n VALUES (1, 2)",
        "UPDATE n SET a = (SELECT 1)",
        "CREATE VIEW n AS SELECT a FROM t",
        "CREATE TABLE n (a TEXT)",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO n SELECT 1; END",
        "INSERT INTO n DEFAULT VALUES",
        "SELECT * FROM t",
    ],
)
def test_what_is_no_copy_is_none(sql: str) -> None:
    assert read_copy(0, sql) is None


@pytest.mark.parametrize(
    ("sql", "source"),
    [
        ('INSERT INTO main.n SELECT * FROM "main"."T"', "t"),
        ("INSERT INTO n SELECT * FROM (SELECT * FROM t)", ""),
        ("INSERT INTO n SELECT value FROM json_each('[1]')", ""),
        ("INSERT INTO n SELECT 1", ""),
        ("WITH w AS (SELECT 1) INSERT INTO n SELECT * FROM w", ""),
        ("INSERT INTO n WITH W (a) AS (SELECT 1) SELECT * FROM w", ""),
        ("CREATE TABLE n AS WITH w AS (SELECT 1) SELECT * FROM w", ""),
        ("WITH w AS (SELECT 1) INSERT INTO n SELECT * FROM t WHERE a IN w", "t"),
    ],
)
def test_the_source_is_the_first_table(sql: str, source: str) -> None:
    copy = read_copy(0, sql)

    assert copy is not None
    assert (copy.target, copy.source) == ("n", source)


@pytest.mark.parametrize(
    ("sql", "gets"),
    [
        ("INSERT INTO n SELECT * FROM t", {"x": ("a",), "y": ("b",)}),
        ("INSERT INTO n (y, x) SELECT b AS x, a y FROM t", {"y": ("b",), "x": ("a",)}),
        ("INSERT INTO n (y, x) SELECT t.* FROM t", {"y": ("a",), "x": ("b",)}),
        (
            "INSERT INTO n (y, x) SELECT t.b AS x, lower(a) FROM t",
            {"y": ("b",), "x": ("lower", "(", "a", ")")},
        ),
        ("CREATE TABLE n AS SELECT b AS x, t.a FROM t", {"x": ("b",), "a": ("a",)}),
        ("CREATE TABLE n AS SELECT * FROM t", {"x": ("a",), "y": ("b",)}),
        (
            "CREATE TABLE n AS SELECT a, lower(b) FROM t",
            {"x": ("a",), "y": ("lower", "(", "b", ")")},
        ),
        ("INSERT INTO n SELECT a FROM t", {}),
        ("INSERT INTO n SELECT * FROM t JOIN u", {}),
    ],
)
def test_each_column_gets_what_stands_in_its_place(
    sql: str, gets: dict[str, tuple[str, ...]]
) -> None:
    copy = read_copy(0, sql)

    assert copy is not None
    assert copy.expressions(["x", "y"], ["a", "b"]) == gets


def test_a_copy_knows_its_clauses() -> None:
    assert read_copy(0, "INSERT INTO n (a) SELECT a FROM t WHERE a > 1 GROUP BY a, b") == Copy(
        position=0,
        target="n",
        columns=("a",),
        items=(("a",),),
        source="t",
        features=frozenset({"where", "group"}),
        where=("a", ">", "1"),
        grouped=("a", ",", "b"),
    )


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("CREATE TABLE n (a INTEGER PRIMARY KEY, B TEXT, UNIQUE (a, b))", ("a", "b")),
        ("CREATE TABLE n (a, b DECIMAL(5, 2), c AS (a + 1), CHECK (a > b)) STRICT", ("a", "b")),
        ("CREATE TABLE n AS SELECT 1", ()),
    ],
)
def test_the_columns_of_a_new_table_are_those_with_values(
    sql: str, columns: tuple[str, ...]
) -> None:
    assert created_columns(sql) == columns
