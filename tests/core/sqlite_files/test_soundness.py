"""What is wrong with a database's content."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.apply.old_violations import read_violations
from pytest_bbmigrate.sqlite_files.soundness import Soundness, broken_size, examine
from tests.core.running import image_of

SOUND = "CREATE TABLE t (a, b CHECK (b > 0)); INSERT INTO t VALUES (1, 2);"


def opened(image: bytes) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(image)
    return db


def test_in_a_sound_database_nothing_is_found() -> None:
    with closing(opened(image_of(SOUND))) as db:
        assert examine(db) == Soundness((), ())
        assert read_violations(db) == ()


def test_damage_is_told_in_sqlites_words() -> None:
    image = bytearray(image_of(SOUND))
    image[36:40] = (5).to_bytes(4, "big")  # pages in the freelist, which is empty

    with closing(opened(bytes(image))) as db:
        found = examine(db)

    assert found.violations == ()
    assert len(found.damage) == 1
    assert "reelist" in found.damage[0]


@pytest.mark.parametrize(
    ("schema", "rows", "violations"),
    [
        ("a CHECK (a > 0), CHECK (a < 9)", "(-1), (5), (10), (NULL)", ["2 rows of t breaking a"]),
        ('a CONSTRAINT "odd \' name" CHECK ("a" <> \'x;\')', "('x;')", ["1 row of t breaking a"]),
        ("a CHECK (a > 0)", "(1), (NULL)", []),
    ],
)
def test_rows_that_break_a_check_are_counted(schema: str, rows: str, violations: list[str]) -> None:
    table = f"CREATE TABLE t ({schema}); INSERT INTO t VALUES {rows}"
    image = image_of(f"PRAGMA ignore_check_constraints = ON; {table}")

    with closing(opened(image)) as db:
        assert examine(db) == Soundness((), ())
        found = read_violations(db)

    assert found == tuple(f"{violation} CHECK constraint" for violation in violations)


def test_a_reference_that_cannot_be_looked_at_is_no_violation() -> None:
    with closing(
        opened(image_of("CREATE TABLE p (a PRIMARY KEY); CREATE TABLE c (p REFERENCES p)"))
    ) as db:
        db.set_authorizer(
            lambda action, name, *_: (
                sqlite3.SQLITE_DENY
                if action == sqlite3.SQLITE_PRAGMA and name == "foreign_key_check"
                else sqlite3.SQLITE_OK
            )
        )
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            read_violations(db)


@pytest.mark.parametrize(("size", "is_broken"), [(4096, False), (4095, True), (0, False)])
def test_a_file_has_whole_pages(
    size: int,
    is_broken: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    with closing(opened(image_of(SOUND))) as db:
        assert bool(broken_size(db, size)) is is_broken
