"""Rows that belong together, odd parents, ends without NULL, and rows beside somebody's own."""

from __future__ import annotations

import json

import pytest

from pytest_bbmigrate.catalogue import ColumnRead
from pytest_bbmigrate.seeding.filling.fill import fill_columns, fill_tables
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.seeding.values.hostile import kind_of_text
from tests.core.filling import database, filled

CHILDREN = """
CREATE TABLE p (code TEXT PRIMARY KEY);
CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT REFERENCES p (code), note TEXT, n REAL);
"""


def test_the_first_children_refer_to_the_odd_parents() -> None:
    with filled(CHILDREN) as result:
        kinds = {kind_of_text(code) for code in result.values("SELECT code FROM c LIMIT 20")}

        assert {"padded", "padded alone", "empty", "digits", "accents", "swapped"} <= kinds


def test_a_padded_key_stands_with_its_trimmed_twin_and_without() -> None:
    twin = "EXISTS (SELECT 1 FROM p q WHERE q.code = trim(p.code))"
    with filled(CHILDREN) as result:
        assert {0, 1} == set(result.values(f"SELECT {twin} FROM p WHERE code <> trim(code)"))


def test_a_parent_has_more_than_a_hundred_children() -> None:
    with filled(CHILDREN) as result:
        counts = result.values("SELECT count(*) FROM c GROUP BY code ORDER BY 1 DESC")

        assert counts[0] > 100


@pytest.mark.parametrize("rows", [3, 20, 60, 200])
def test_the_first_and_the_last_row_have_a_value_in_every_column(rows: int) -> None:
    with filled(CHILDREN, Recipe(rows=rows)) as result:
        ends = f"SELECT code, note, n FROM c WHERE id IN (1, (SELECT max(id) FROM c))"  # noqa: F541

        assert not any(None in row for row in result.db.execute(ends))


def test_the_first_and_the_last_row_have_a_value_in_a_new_column() -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"
    with filled(sql) as result:
        result.db.execute("ALTER TABLE t ADD COLUMN memo TEXT")
        schema = database(sql.replace(")", ", memo TEXT)"))
        with schema as (_, read):
            fill_columns(result.db, read, [("t", "memo")], Recipe())
        ends = "SELECT memo FROM t WHERE id IN (1, (SELECT max(id) FROM t))"

        assert None not in result.values(ends)


@pytest.mark.parametrize("key", ["PRIMARY KEY (user_id, key)", "CHECK (1)"])
def test_the_settings_that_migrations_look_for_are_of_one_user(key: str) -> None:
    sql = (
        "CREATE TABLE users (id INTEGER PRIMARY KEY);"
        "CREATE TABLE settings (user_id INTEGER NOT NULL REFERENCES users (id), key TEXT NOT NULL,"
        f" value TEXT, {key})"
    )
    looked_for = (("key", "theme"), ("key", "language"), ("key", "font"))
    together = "SELECT count(DISTINCT key) FROM settings WHERE key IN ('theme', 'language', 'font')"
    with filled(sql, Recipe(rows=60, expected_literals=looked_for)) as result:
        assert 3 in result.values(f"{together} GROUP BY user_id")


def test_rows_agree_in_all_but_one_column_of_a_key() -> None:
    sql = "CREATE TABLE t (a TEXT, b INTEGER, c TEXT, PRIMARY KEY (a, b, c))"
    pairs = "SELECT count(*) FROM t x JOIN t y USING ({}) WHERE x.{} <> y.{}"
    with filled(sql, Recipe(rows=20)) as result:
        for kept, other in (("b, c", "a"), ("a, c", "b"), ("a, b", "c")):
            assert result.values(pairs.format(kept, other, other))[0] > 0


def test_a_unique_column_holds_what_an_update_sets() -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, note TEXT)"
    taken = (("name", "Pets"), ("note", "for the cat"))
    with filled(sql, Recipe(taken_literals=taken)) as result:
        assert "Pets" in result.values("SELECT name FROM t")
        assert "for the cat" not in result.values("SELECT note FROM t")


def test_a_parent_has_what_is_looked_for_in_its_children() -> None:
    expected = (("category", "Pets"),)
    sql = (
        "CREATE TABLE categories (name TEXT PRIMARY KEY);"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, category TEXT REFERENCES categories (name))"
    )
    with filled(sql, Recipe(expected_literals=expected)) as result:
        assert "Pets" in result.values("SELECT category FROM t")


@pytest.mark.parametrize("column", ["due_on", "spent_by", "price_list", "year", "raw"])
def test_a_text_is_not_what_its_name_promises_alone(column: str) -> None:
    with filled(f"CREATE TABLE t ({column} TEXT)") as result:
        values = set(result.values(f"SELECT {column} FROM t"))

        assert {"", "By Hand", "BY HAND", "  By hand "} < values


@pytest.mark.parametrize(
    ("column", "reads"),
    [
        ("due_on TEXT", [ColumnRead("day", "due_on")]),
        ("due_on TEXT", [ColumnRead("python", "due_on")]),
        ("due_on TEXT DEFAULT CURRENT_DATE", []),
        ("due_on DATE", []),
        ("paid_at TEXT", []),
        ("due_on TEXT CHECK (due_on GLOB '20[0-9][0-9]-*')", []),
    ],
)
def test_a_text_that_is_read_as_a_day_is_one(column: str, reads: list[ColumnRead]) -> None:
    with filled(f"CREATE TABLE t ({column})", Recipe(reads=frozenset(reads))) as result:
        assert "By Hand" not in result.values("SELECT * FROM t")


def test_a_text_that_is_compared_with_a_day_is_one() -> None:
    with filled("CREATE TABLE t (due_on TEXT)", Recipe(literals=(("due_on", "2025-01-01"),))) as t:
        assert "By Hand" not in t.values("SELECT * FROM t")


def test_a_column_that_sql_reads_as_json_holds_nothing_else() -> None:
    reads = frozenset({ColumnRead("json", "name", "$.x")})
    with filled("CREATE TABLE t (name TEXT)", Recipe(reads=reads)) as result:
        documents = [json.loads(text) for text in result.values("SELECT name FROM t") if text]

        assert sum(isinstance(one, dict) and "x" in one for one in documents) > 100


def test_a_column_that_may_be_json_holds_texts_as_well() -> None:
    reads = frozenset({ColumnRead("json", "name", "$.x"), ColumnRead("valid", "name")})
    with filled("CREATE TABLE t (name TEXT)", Recipe(reads=reads)) as result:
        valid = set(result.values("SELECT json_valid(name) FROM t"))

        assert valid >= {0, 1}


def test_rows_stand_beside_those_that_are_somebodys_own() -> None:
    own = "CREATE TABLE t (name TEXT); CREATE TABLE few (name TEXT);"
    own += "INSERT INTO few VALUES ('a');"
    own += "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
    own += "INSERT INTO t SELECT 'own' FROM n;"
    with database(own) as (db, schema):
        filling = fill_tables(db, schema, ["t", "few"], Recipe(), beside=60)

        assert filling.added == {"t": 60, "few": 199}
        assert db.execute("SELECT count(DISTINCT name) FROM t").fetchone()[0] > 20


@pytest.mark.parametrize("seed", range(8))
def test_an_odd_text_is_in_a_row_that_no_condition_meets_too(seed: int) -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL NOT NULL)"
    recipe = Recipe(seed=seed, expected_literals=(("amount", 5), ("id", 7)))
    with filled(sql, recipe) as result:
        names = "SELECT name FROM t WHERE amount <> 5 AND id <> 7"

        assert any(name != name.strip() for name in result.values(f"{names} AND name <> ''"))
