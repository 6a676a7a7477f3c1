"""What a database has and lacks, in words."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from pytest_bbmigrate.apply.schema_distance import (
    SchemaStep,
    compare_version,
    describe_distance,
    every_difference,
    names_in,
)
from pytest_bbmigrate.schema import Schema, read_schema
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.running import image_of

BASE = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a TEXT, b REAL{});"


def schema_of(sql: str) -> Schema:
    with closing(open_image(image_of(sql))) as db:
        return read_schema(db)


def described(before: str, after: str, there: str, version: int = 0) -> tuple[str, ...]:
    """Return how a database after ``there`` differs from a version, a step 'x' being between two.

    ``version`` is 0 for the one before the step, 1 for the one after it.
    """
    versions = schema_of(before), schema_of(after)
    step = SchemaStep("x", every_difference(*versions), frozenset())
    found = compare_version(versions[version], schema_of(there), None)
    return describe_distance(found.differences, version, [step])


TABLE = BASE.format("")
NOT_DONE = re.compile("is there|is changed|is gone")
UNDONE = {
    "is there": "is not there",
    "is changed": "is not changed",
    "is gone": "is still there",
}
BOTH = "CREATE INDEX i ON t (a);"


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        (BASE.format(", CHECK (b > 0)"), "CHECK (b > 0) of t is there"),
        (BASE.format(", UNIQUE (a)"), "UNIQUE (a) of t is there"),
        (
            BASE.format(", FOREIGN KEY (b) REFERENCES p (id)"),
            "FOREIGN KEY (b) REFERENCES p (id) of t is there",
        ),
        (TABLE.replace("b REAL", "b INTEGER"), "the type of t.b is changed"),
        (TABLE.replace("b REAL", "b REAL NOT NULL"), "the NOT NULL of t.b is changed"),
        (TABLE.replace("b REAL", "b REAL DEFAULT 1"), "the default of t.b is changed"),
        (
            TABLE.replace("a TEXT, b REAL", "b REAL, a TEXT"),
            "the order of the columns of t is changed",
        ),
        (TABLE.replace("b REAL);", "b REAL) STRICT;"), "the strict of t is changed"),
        (TABLE.replace("b REAL", "b REAL PRIMARY KEY"), "the primary key of t is changed"),
        (f"{TABLE} CREATE VIEW v AS SELECT a FROM t;", "view v is there"),
        (TABLE.replace("a TEXT, ", ""), "column t.a is gone"),
    ],
)
def test_what_a_step_does_is_told_in_words(change: str, effect: str) -> None:
    index = "" if effect == "column t.a is gone" else BOTH

    (done,) = described(TABLE, change + index, change)
    (undone,) = described(TABLE, change, TABLE, version=1)

    assert done == f"of x: {effect}{', index i is not there' if index else ''}"
    assert undone == f"of x: {NOT_DONE.sub(lambda match: UNDONE[match[0]], effect)}"


def test_a_check_that_a_step_changes_is_told_also_where_it_is_gone_altogether() -> None:
    before, after = (TABLE.replace("a TEXT", f"a TEXT CHECK (a <> '{text}')") for text in "xy")

    assert described(before, after, after) == (
        "of x: CHECK (a <> 'x') of t is gone, CHECK (a <> 'y') of t is there",
    )
    assert described(before, after, TABLE, version=1) == (
        "of x: CHECK (a <> 'x') of t is gone, CHECK (a <> 'y') of t is not there",
    )


@pytest.mark.parametrize(
    ("there", "stray"),
    [
        ("CREATE TABLE p (id INTEGER PRIMARY KEY);", "table t is missing"),
        (f"{TABLE} CREATE TABLE u (a);", "table u is there"),
        (
            TABLE.replace("b REAL", "b INTEGER"),
            "the type of t.b: INTEGER is there, REAL was expected",
        ),
        (
            TABLE.replace("b REAL", "b REAL DEFAULT 7"),
            "the default of t.b: DEFAULT 7 is there, nothing was expected",
        ),
    ],
)
def test_what_no_step_does_is_told_in_words(there: str, stray: str) -> None:
    assert described(TABLE, TABLE, there) == (f"by no migration: {stray}",)


def test_a_view_that_does_not_compile_is_told() -> None:
    view = "CREATE VIEW v AS SELECT a FROM t;"
    broken = schema_of(f"{view} CREATE TABLE p (id INTEGER PRIMARY KEY);")

    found = compare_version(schema_of(f"{TABLE}{view}"), broken, None)
    lines = describe_distance(found.differences, 0, [])

    assert lines[0] == "by no migration: table t is missing"
    assert lines[1].startswith("by no migration: view v does not compile: no such table")


def test_a_table_is_as_far_as_all_of_its_parts() -> None:
    version = schema_of("")

    assert compare_version(version, schema_of(TABLE), None).distance == 2 + 3
    assert compare_version(schema_of(TABLE), version, None).distance == 2 + 3
    assert compare_version(schema_of(TABLE), schema_of(f"{TABLE}{BOTH}"), None).distance == 1


def test_names_are_found_in_whatever_was_run() -> None:
    assert names_in(['UPDATE "T" SET [a b] = 1', "SELECT 'x"]) == {"update", "t", "set", "a b"}
