"""When rows are the same under other keys, and which tables have rows known by rowid alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.experiment.model import Renumbered
from pytest_bbmigrate.experiment.observe import observe
from pytest_bbmigrate.experiment.renumbered_keys import (
    find_renumbered,
    find_renumbered_beside_lost,
    is_known_by_rowid,
)
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.rows import Differences, Pairing, RowLost, compare_rows, differences_of
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_contents, open_image, take_image

TRIPS = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, days);"
NAMED = "INSERT INTO t VALUES (1, 'Rome', 3), (2, 'Oslo', 3), (3, 'Bern', 9);"
BUDGETS = "CREATE TABLE t (year INT, month INT, name TEXT, PRIMARY KEY (year, month));"
PLANNED = "INSERT INTO t VALUES (2025, 1, 'a'), (2025, 2, 'b'), (2026, 1, 'c');"
NOTES = "CREATE VIRTUAL TABLE notes USING fts5(body);"


def renumbered(
    create: str, change: str, columns: str, key: str, *, new_columns: str = ""
) -> Renumbered | None:
    """Return the result for the table t that ``create`` makes, when ``change`` is run on it."""
    with closing(open_image(b"")) as db:
        db.executescript(create)
        before = take_image(db)
        db.executescript(change)
        after = take_image(db)
    names = columns.split()
    pairs = tuple(zip(names, new_columns.split() or names, strict=True))
    pairing = Pairing("t", "t", pairs, tuple(key.split()))
    with closing(open_contents(before, after)) as pair:
        return find_renumbered(pair, pairing, differences_of(compare_rows(pair, pairing)))


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ("UPDATE t SET id = id + 10", ((1, 11), (2, 12), (3, 13))),
        ("UPDATE t SET id = -1 WHERE id = 2", ((2, -1),)),
        (
            "DELETE FROM t; INSERT INTO t VALUES (2, 'Rome', 3), (1, 'Oslo', 3), (3, 'Bern', 9)",
            ((1, 2), (2, 1)),
        ),
    ],
)
def test_the_same_rows_under_other_keys_are_renumbered(
    change: str, values: tuple[tuple[int, int], ...]
) -> None:
    result = renumbered(TRIPS + NAMED, change, "id name days", "id")

    assert result == Renumbered("id", values)


def test_rows_of_as_many_columns_as_there_may_be_are_found_again() -> None:
    names = [f"c{number}" for number in range(1999)]
    create = f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(names)});"
    values = "INSERT INTO t (id, c0) VALUES (1, 'Rome'), (2, 'Oslo'), (3, 'Bern');"

    result = renumbered(create + values, "UPDATE t SET id = id + 10", f"id {' '.join(names)}", "id")

    assert result == Renumbered("id", ((1, 11), (2, 12), (3, 13)))


@pytest.mark.parametrize(
    "change",
    [
        "SELECT 1",
        "UPDATE t SET days = 4 WHERE id = 1",
        "UPDATE t SET id = id + 10, name = lower(name)",
        "UPDATE t SET id = id + 10, days = days + 0.0",
        "UPDATE t SET id = id + 10; DELETE FROM t WHERE id = 11",
        "UPDATE t SET id = id + 10; INSERT INTO t VALUES (1, 'Rome', 3)",
        # Each column holds what it held, and no row does.
        (
            "UPDATE t SET id = id + 10, name = CASE id WHEN 2 THEN 'Bern' WHEN 3 THEN 'Oslo' "
            "ELSE name END"
        ),
    ],
)
def test_rows_that_differ_in_anything_else_are_not_renumbered(change: str) -> None:
    assert renumbered(TRIPS + NAMED, change, "id name days", "id") is None


@pytest.mark.parametrize(
    ("rows", "is_renumbered"),
    [
        ("(1, 'x', 0), (2, 'y', 0), (3, 'x', 0), (4, 'y', 0)", True),
        ("(1, 'x', 0), (2, 'y', 0), (3, 'x', 0), (4, 'y', 0), (5, 'x', 0), (6, 'y', 0)", True),
        (
            (
                "(1, 'x', 0), (2, 'y', 0), (3, 'x', 0), (4, 'y', 0), (5, 'x', 0), (6, 'y', 0), "
                "(7, 'x', 0), (8, 'y', 0)"
            ),
            False,
        ),
    ],
)
def test_where_many_rows_are_equal_their_values_changed(rows: str, *, is_renumbered: bool) -> None:
    turned = "UPDATE t SET name = CASE name WHEN 'x' THEN 'y' ELSE 'x' END"
    result = renumbered(f"{TRIPS}INSERT INTO t VALUES {rows};", turned, "id name days", "id")

    assert (result is not None) is is_renumbered


def test_many_equal_rows_are_renumbered_where_no_key_is_used_again() -> None:
    rows = ", ".join(f"({number}, 'x', 0)" for number in range(1, 10))
    moved = "UPDATE t SET id = id + 100"
    result = renumbered(f"{TRIPS}INSERT INTO t VALUES {rows};", moved, "id name days", "id")

    assert result == Renumbered("id", ((1, 101),))  # the others look the same


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE t SET year = year + 100", Renumbered("year", ((2025, 2125), (2026, 2126)))),
        ("UPDATE t SET month = month + 6", Renumbered("month", ((1, 7), (2, 8)))),
        ("UPDATE t SET month = month + 6, year = year + 1", None),
    ],
)
def test_of_a_key_of_several_columns_the_one_that_changed_is_named(
    change: str, expected: Renumbered | None
) -> None:
    assert renumbered(BUDGETS + PLANNED, change, "year month name", "year month") == expected


def test_a_renamed_key_is_looked_for_under_its_new_name() -> None:
    change = "ALTER TABLE t RENAME COLUMN id TO number; UPDATE t SET number = number + 10"
    result = renumbered(TRIPS + NAMED, change, "id name days", "id", new_columns="number name days")

    assert result == Renumbered("id", ((1, 11), (2, 12), (3, 13)))


def test_nothing_is_renumbered_where_there_is_no_key_or_nothing_but_the_key() -> None:
    moved = "UPDATE t SET id = id + 10"

    assert renumbered(TRIPS + NAMED, moved, "id name days", "") is None
    assert renumbered(TRIPS + NAMED, moved, "id", "id") is None


def test_many_differences_of_a_file_are_not_computed_again() -> None:
    pairing = Pairing("t", "t", (("id", "id"), ("name", "name"), ("days", "days")), ("id",))
    with closing(open_image(b"")) as db:
        db.executescript(TRIPS + NAMED)
        before = take_image(db)
        db.executescript("UPDATE t SET id = id + 10")
        after = take_image(db)
    with closing(open_contents(before, after)) as pair:
        differences = differences_of(compare_rows(pair, pairing))
        many = Differences(differences.groups, (), lambda: iter(differences))

        assert find_renumbered(pair, pairing, differences) is not None
        assert find_renumbered(pair, pairing, many) is None


TEN = (
    "INSERT INTO t SELECT value, 'n' || value, 0 FROM json_each('[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]');"
)
CODES = "CREATE TABLE t (code TEXT PRIMARY KEY, name TEXT, days);"


def beside_lost(create: str, change: str, key: str) -> Renumbered | None:
    """Return what is renumbered of the table t beside lost rows, when ``change`` is run on it."""
    with closing(open_image(b"")) as db:
        db.executescript(create)
        before = take_image(db)
        db.executescript(change)
        after = take_image(db)
    pairs = ((key, key), ("name", "name"), ("days", "days"))
    pairing = Pairing("t", "t", pairs, (key,))
    with closing(open_contents(before, after)) as pair:
        differences = differences_of(compare_rows(pair, pairing))
        found = find_renumbered_beside_lost(pair, pairing, differences)
    return found[0] if found else None


ANEW = (
    "CREATE TABLE n (id INTEGER PRIMARY KEY, name TEXT, days);"
    "INSERT INTO n (name, days) SELECT name, days FROM t {} ORDER BY id;"
    "DROP TABLE t; ALTER TABLE n RENAME TO t;"
)


@pytest.mark.parametrize(
    ("change", "is_renumbered"),
    [
        (ANEW.format("WHERE id <> 2"), True),
        (ANEW.format("WHERE id <> 9"), True),
        # One that stays now looks like one that goes, and nothing else has moved.
        ("UPDATE t SET name = 'n9' WHERE id = 2; DELETE FROM t WHERE id IN (5, 9)", False),
        ("UPDATE t SET name = 'n5' WHERE id = 8; DELETE FROM t WHERE id = 5", False),
    ],
)
def test_what_looks_like_a_lost_row_was_changed_where_the_rows_behind_it_kept_their_keys(
    change: str, *, is_renumbered: bool
) -> None:
    assert (beside_lost(TRIPS + TEN, change, "id") is not None) is is_renumbered


@pytest.mark.parametrize(
    ("rows", "change", "is_renumbered"),
    [
        ("('a', 'x', 1), ('b', 'y', 2), ('c', 'z', 3)", "name = 'z', days = 3", False),
        ("('a', 'x', 1), ('b', 'y', 2), (X'00', 'z', 3)", "name = 'z', days = 3", True),
    ],
)
def test_texts_have_an_order_and_keys_of_several_kinds_have_none(
    rows: str, change: str, *, is_renumbered: bool
) -> None:
    create = f"{CODES}INSERT INTO t VALUES {rows}, ('d', 'v', 4), ('e', 'w', 5), ('f', 'u', 6);"
    step = f"UPDATE t SET {change} WHERE code = 'a'; DELETE FROM t WHERE name = 'z' AND code <> 'a'"

    assert (beside_lost(create, step, "code") is not None) is is_renumbered


def test_no_example_is_looked_up_by_a_text_that_is_not_utf8() -> None:
    create = "CREATE TABLE t (code TEXT PRIMARY KEY, name TEXT);"
    rows = "INSERT INTO t VALUES (CAST(x'80' AS TEXT), 'a'), ('b', 'b');"
    result = renumbered(create + rows, "UPDATE t SET code = code || '!'", "code name", "code")

    assert result == Renumbered("code", (("b", "b!"),))


@pytest.mark.parametrize(
    ("sql", "is_known"),
    [
        (NOTES, False),
        (f"{NOTES} CREATE VIEW v AS SELECT body FROM notes WHERE rowid = 1;", True),
        (
            (
                f"{NOTES} CREATE TABLE t (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN "
                "INSERT INTO Notes (RowID, body) VALUES (new.rowid, new.a); END;"
            ),
            True,
        ),
        (f"{NOTES} CREATE TABLE t (a); CREATE VIEW v AS SELECT rowid FROM t;", False),
        (f"{NOTES} CREATE VIEW v AS SELECT body FROM notes;", False),
        ("CREATE TABLE notes (body); CREATE VIEW v AS SELECT rowid FROM notes;", False),
        (
            (
                "CREATE VIRTUAL TABLE notes USING rtree(id, a, b); "
                "CREATE VIEW v AS SELECT rowid FROM notes;"
            ),
            False,
        ),
        (
            (
                "CREATE TABLE t (body); CREATE VIRTUAL TABLE notes USING fts5(body, content=t); "
                "CREATE VIEW v AS SELECT rowid FROM notes;"
            ),
            False,
        ),
    ],
)
def test_a_full_text_index_is_known_by_rowid_where_a_view_or_trigger_names_it(
    sql: str, *, is_known: bool
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(sql)
        schema = read_schema(db)
    table = schema.table("notes")

    assert table is not None
    assert is_known_by_rowid(table, schema) is is_known


@pytest.mark.parametrize(
    ("create", "key", "lost"),
    [
        ("CREATE VIRTUAL TABLE notes USING fts5(body, tokenize = porter)", ("rowid",), 1),
        ("CREATE TABLE notes (body)", ("rowid",), 1),
        ("CREATE TABLE notes (body PRIMARY KEY) WITHOUT ROWID", (), 0),
    ],
)
def test_rows_are_known_by_their_rowid_as_long_as_there_is_one(
    create: str, key: tuple[str, ...], lost: int
) -> None:
    view = "CREATE VIEW v AS SELECT notes.rowid, body FROM notes;"
    images = []
    for script in (
        f"{NOTES}{view} INSERT INTO notes (rowid, body) VALUES (1, 'dear'), (3, 'late')",
        f"{create}; INSERT INTO notes (body) VALUES ('dear'), ('late')",
    ):
        with closing(open_image(b"")) as db:
            db.executescript(script)
            images.append(take_image(db))
    before, after = (snapshot_of(image) for image in images)
    table_diff = next(
        t for t in observe(before, after, contract=Contract()).tables if t.table == "notes"
    )

    assert table_diff.key == key
    assert sum(type(difference) is RowLost for difference in table_diff.differences) == lost
