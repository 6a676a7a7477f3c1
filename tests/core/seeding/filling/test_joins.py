"""Rows that a migration finds by a text around another table's key."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.catalogue import JoinedText
from pytest_bbmigrate.seeding.filling.fill import fill_tables
from pytest_bbmigrate.seeding.filling.joins import meet_joins
from pytest_bbmigrate.seeding.model import Recipe
from tests.core.filling import database

MEMOS = "CREATE TABLE memos (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE);"
JOINED = JoinedText("likes", "about", "memos/", "memos", "uid", ".md")
FOUND = (
    "SELECT count(*) FROM likes WHERE about IN (SELECT 'memos/' || uid || '.md' FROM memos)"
    " UNION ALL SELECT count(*) FROM likes"
)


def joined(likes: str, recipe: Recipe, *, kept: frozenset[str] = frozenset()) -> list[int]:
    """Return how many rows of a table find a memo, and how many there are."""
    with database(MEMOS + likes) as (db, schema):
        fill_tables(db, schema, schema.table_names, recipe)
        before = db.execute("SELECT * FROM likes").fetchall()
        changed = meet_joins(db, schema, recipe, kept)

        assert changed is (before != db.execute("SELECT * FROM likes").fetchall())
        assert not meet_joins(db, schema, recipe, kept)

        return [count for (count,) in db.execute(FOUND)]


@pytest.mark.parametrize(
    "column",
    [
        "about TEXT",
        "about TEXT NOT NULL UNIQUE",
        "about TEXT NOT NULL, kind TEXT, UNIQUE (about, kind)",
    ],
)
@pytest.mark.parametrize("rows", [200, 30])
def test_most_rows_find_one_of_the_other_table(column: str, rows: int) -> None:
    recipe = Recipe(rows=rows, joined_texts=frozenset({JOINED}))
    sql = f"CREATE TABLE likes (id INTEGER PRIMARY KEY, {column});"
    found, count = joined(sql, recipe)

    assert count >= rows - 2
    assert count * 0.55 < found < count


def test_rows_that_agree_find_the_same_row() -> None:
    with database(f"{MEMOS} CREATE TABLE likes (about TEXT);") as (db, schema):
        recipe = Recipe(joined_texts=frozenset({JOINED}))
        fill_tables(db, schema, schema.table_names, recipe)
        before = [text for (text,) in db.execute("SELECT about FROM likes ORDER BY rowid")]
        meet_joins(db, schema, recipe, ())
        after = [text for (text,) in db.execute("SELECT about FROM likes ORDER BY rowid")]
        pairs = {pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]}

        assert len(pairs) == len({old for old, _ in pairs}) > 10
        assert after[-1] == after[0] != before[0] == before[-1]


@pytest.mark.parametrize(
    ("likes", "kept"),
    [
        ("CREATE TABLE likes (about TEXT);", frozenset({"likes"})),
        ("CREATE TABLE likes (about TEXT PRIMARY KEY);", frozenset()),
        ("CREATE TABLE likes (about TEXT REFERENCES memos (uid));", frozenset()),
        ("CREATE TABLE likes (a TEXT, about TEXT AS (a));", frozenset()),
        ("CREATE TABLE likes (about TEXT CHECK (about NOT LIKE 'memos/%'));", frozenset()),
    ],
)
def test_what_is_not_free_to_be_set_stays_as_it_is(likes: str, kept: frozenset[str]) -> None:
    found, _ = joined(likes, Recipe(joined_texts=frozenset({JOINED})), kept=kept)

    assert found == 0


def test_rows_of_a_column_that_others_refer_to_stay_as_they_are() -> None:
    likes = (
        "CREATE TABLE likes (about TEXT UNIQUE);"
        "CREATE TABLE notes (about TEXT REFERENCES likes (about));"
    )

    assert joined(likes, Recipe(joined_texts=frozenset({JOINED})))[0] == 0


@pytest.mark.parametrize("change", [{"table": "gone"}, {"parent": "gone"}, {"key": "gone"}])
def test_what_is_not_there_yet_is_passed_over(change: dict[str, str]) -> None:
    recipe = Recipe(joined_texts=frozenset({JOINED._replace(**change)}))

    assert joined("CREATE TABLE likes (about TEXT);", recipe)[0] == 0
