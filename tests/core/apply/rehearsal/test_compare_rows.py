"""What a process that has run no migration sees of the rows of a backup and a working copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.model import Rehearsal, TableChange
from pytest_bbmigrate.apply.rehearsal.check_copy import row_faults
from pytest_bbmigrate.apply.rehearsal.compare_rows import RowsSeen, compare_tables
from pytest_bbmigrate.apply.rehearsal.witness import WitnessReport, answer, side_of, witness

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = """
CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER, note TEXT);
INSERT INTO tx VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');
CREATE TABLE words (word TEXT);
INSERT INTO words VALUES ('one'), ('two'), ('two');
"""
REBUILD = """
CREATE TABLE new (id INTEGER PRIMARY KEY, cents INTEGER, note TEXT);
INSERT INTO new SELECT * FROM tx; DROP TABLE tx; ALTER TABLE new RENAME TO tx;
"""
KEYLESS = """
CREATE TABLE new (id, amount, note); INSERT INTO new SELECT id + 1, amount, note FROM tx;
DROP TABLE tx; ALTER TABLE new RENAME TO tx;
"""
LONG = """
CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER, note TEXT);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 6000)
INSERT INTO tx SELECT i, i, 'n' || i FROM n;
"""


def made(folder: Path, after: str, before: str = BEFORE) -> tuple[Path, Path]:
    """Return a database, and a copy of it that ``after`` was run on."""
    paths = folder / "before.db", folder / "after.db"
    for path, scripts in zip(paths, ((before,), (before, after)), strict=True):
        with closing(sqlite3.connect(path)) as db:
            for script in scripts:
                db.executescript(script)
    return paths


def change(**other: object) -> TableChange:
    return TableChange("tx", 3, 3, former="tx", **other)  # type: ignore[arg-type]


def faults(paths: tuple[Path, Path], *changes: TableChange) -> str:
    """Return what is wrong with ``changes`` as all that is said, '' for nothing."""
    before, after = paths
    found = compare_tables(before, after, changes)
    seen = WitnessReport(side_of(before), side_of(after), "", found)
    return "\n".join(row_faults(Rehearsal((), "", changes), seen))


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ("", ()),
        ("ALTER TABLE tx ADD COLUMN more TEXT DEFAULT 'x';", ()),
        ("CREATE INDEX i ON tx (note); VACUUM;", ()),
        (REBUILD, (change(columns_renamed=(("amount", "cents"),)),)),
        ("UPDATE tx SET note = 'x';", (change(columns_changed=("note",), values_changed=3),)),
        ("DELETE FROM tx WHERE id = 2;", (change(rows_lost=1),)),
        ("INSERT INTO tx VALUES (9, 9, '');", (change(rows_came=1),)),
        ("UPDATE tx SET note = 'x' WHERE id = 1;", (change(rows_lost=1, rows_came=1),)),
        (
            "UPDATE tx SET id = id + 10, note = 'x';",
            (change(columns_changed=("id", "note"), values_changed=6),),
        ),
        (
            KEYLESS,
            (change(columns_changed=("id",), values_changed=3),),
        ),
        ("DROP TABLE tx;", (TableChange("tx", 3, None, former="tx"),)),
        ("ALTER TABLE tx RENAME TO ty;", (TableChange("ty", 3, 3, former="tx"),)),
    ],
)
def test_what_is_said_as_it_is_holds(
    tmp_path: Path, after: str, changes: tuple[TableChange, ...]
) -> None:
    assert faults(made(tmp_path, after), *changes) == ""


@pytest.mark.parametrize(
    ("after", "changes", "fault"),
    [
        ("UPDATE tx SET amount = 0;", (), "values of the table tx have changed, unsaid"),
        ("UPDATE tx SET amount = 10.5 WHERE id = 1;", (), "tx have changed, unsaid"),
        ("UPDATE tx SET note = 'A' WHERE id = 1;", (), "tx have changed, unsaid"),
        ("UPDATE tx SET id = id + 1 WHERE id = 3;", (), "tx does not hold the rows that it held"),
        ("UPDATE words SET word = 'tw' WHERE rowid = 3;", (), "table words "),
        ("DELETE FROM tx WHERE id = 1; INSERT INTO tx VALUES (7, 10, 'a');", (), "the rows that"),
        (
            "ALTER TABLE tx ADD COLUMN more; UPDATE tx SET amount = 0;",
            (change(columns_added=("more",)),),
            "tx have changed, unsaid",
        ),
        (
            "UPDATE tx SET note = 'x', amount = 0;",
            (change(columns_changed=("note",), values_changed=3),),
            "tx have changed, unsaid",
        ),
        (
            "UPDATE tx SET note = 'x';",
            (change(columns_changed=("note",), values_changed=1),),
            "more values of the table tx have changed than is said",
        ),
        (
            "UPDATE tx SET note = 'x';",
            (change(columns_changed=("note",)),),
            "changed values and their columns do not go together",
        ),
        ("UPDATE tx SET note = 'x';", (change(rows_lost=1, rows_came=1),), "tx have changed"),
        ("DELETE FROM tx;", (change(rows_lost=2),), "tx does not hold the rows that it held"),
        ("INSERT INTO tx VALUES (9, 9, ''), (8, 8, '');", (change(rows_came=1),), "the rows that"),
        ("", (change(rows_lost=-1),), "a change counts less than no rows"),
        (
            "ALTER TABLE tx RENAME TO ty; UPDATE ty SET amount = 0;",
            (TableChange("ty", 3, 3, former="tx"),),
            "values of the table tx have changed, unsaid",
        ),
        (
            REBUILD + "UPDATE tx SET cents = 0;",
            (change(columns_renamed=(("amount", "cents"),)),),
            "tx have changed, unsaid",
        ),
        (
            REBUILD.replace("SELECT *", "SELECT id, amount + 1, note"),
            (change(columns_renamed=(("amount", "cents"),)),),
            "tx have changed, unsaid",
        ),
    ],
)
def test_what_is_not_said_is_found(
    tmp_path: Path, after: str, changes: tuple[TableChange, ...], fault: str
) -> None:
    assert fault in faults(made(tmp_path, after), *changes)


def test_one_value_of_a_long_table_is_found(tmp_path: Path) -> None:
    paths = made(tmp_path, "UPDATE tx SET amount = 0 WHERE id = 5000; VACUUM;", LONG)

    assert compare_tables(*paths, ()) == (RowsSeen("tx", 0, 0, (("amount", 1),)),)


def test_a_table_whose_key_has_a_collation_of_the_apps_is_compared(tmp_path: Path) -> None:
    paths = tmp_path / "before.db", tmp_path / "after.db"
    for path in paths:
        with closing(sqlite3.connect(path)) as db, db:
            db.create_collation("app", lambda one, other: (one > other) - (one < other))
            db.execute("CREATE TABLE tx (id TEXT COLLATE app PRIMARY KEY, amount)")
            rows = ((f"{number}", number) for number in range(6000))
            db.executemany("INSERT INTO tx VALUES (?, ?)", rows)
            if path.name == "after.db":
                db.execute("UPDATE tx SET amount = 'x' WHERE id = '5'")

    (found,) = compare_tables(*paths, ())

    assert found.values == (("amount", 1),)


def test_text_that_is_not_utf_8_is_compared_by_its_bytes(tmp_path: Path) -> None:
    broken = "UPDATE tx SET note = CAST(x'ff' AS TEXT) WHERE id = 1;"
    other = "UPDATE tx SET note = CAST(x'fe' AS TEXT) WHERE id = 1;"
    keyless = BEFORE.replace("INTEGER PRIMARY KEY", "INTEGER")

    found = [
        compare_tables(*made(folder(tmp_path, n), other, b + broken), ())
        for n, b in enumerate((BEFORE, keyless))
    ]
    same = made(
        folder(tmp_path, 3), "ALTER TABLE tx ADD COLUMN x; UPDATE tx SET x = 1;", BEFORE + broken
    )

    assert [seen.values for (seen,) in found] == [(("note", 1),), (("note", 1),)]
    assert compare_tables(*same, ()) == ()


def folder(inside: Path, number: int) -> Path:
    made = inside / str(number)
    made.mkdir()
    return made


def test_a_virtual_table_is_compared_where_it_can_be_read(tmp_path: Path) -> None:
    search = "CREATE VIRTUAL TABLE search USING fts5 (body);"
    search += "INSERT INTO search VALUES ('one'), ('two');"
    paths = made(tmp_path, "UPDATE search SET body = 'x' WHERE body = 'one';", search)

    (found,) = compare_tables(*paths, ())

    assert found.table == "search"


def test_the_witness_tells_what_it_has_seen_of_the_rows(tmp_path: Path) -> None:
    before, after = made(tmp_path, "UPDATE tx SET note = 'x' WHERE id = 1;")

    seen = witness(before, after, (change(columns_changed=("note",), values_changed=1),))

    assert seen.rows == (RowsSeen("tx", 0, 0, (("note", 1),)),)
    assert b"not seen" not in answer(before, after)
