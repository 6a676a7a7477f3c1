"""Rows that refer to very many parents."""

from __future__ import annotations

from pytest_bbmigrate.seeding.filling.fill import add_rows
from pytest_bbmigrate.seeding.model import Recipe
from tests.core.filling import database

PARENTS = """
CREATE TABLE parents (id INTEGER PRIMARY KEY);
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
INSERT INTO parents SELECT n FROM numbers;
"""
CHILDREN = "CREATE TABLE children (id INTEGER PRIMARY KEY, {column} {rest});"
FIFTH = 5  # of 5,000 parents one in so many is taken for so few rows


def test_of_very_many_parents_some_get_children_and_those_that_migrations_look_for() -> None:
    schema_sql = PARENTS + CHILDREN.format(
        column="parent_id INTEGER", rest="REFERENCES parents (id)"
    )
    with database(schema_sql) as (db, schema):
        add_rows(db, schema, "children", 100, Recipe(expected_literals=(("parent_id", 4322),)))
        referred = {n for (n,) in db.execute("SELECT parent_id FROM children") if n is not None}

    assert 4322 in referred
    assert {number % FIFTH for number in referred - {4322}} == {1}
    assert max(referred) - min(referred) > 4000


def test_where_a_parent_has_but_one_child_all_of_very_many_may_have_it() -> None:
    rest = "NOT NULL UNIQUE REFERENCES parents (id)"
    with database(PARENTS + CHILDREN.format(column="parent_id INTEGER", rest=rest)) as (db, schema):
        add_rows(db, schema, "children", 100, Recipe())
        referred = {n for (n,) in db.execute("SELECT parent_id FROM children")}

    assert len({number % FIFTH for number in referred}) == FIFTH
