"""What a Python part is given: a database, a plain connection, or what can be awaited."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, read_catalogue
from pytest_bbmigrate.catalogue.model import Call
from pytest_bbmigrate.runner.model import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from tests.core.cataloguing import migration, write
from tests.core.running import image_of, rows, run_python

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO trips VALUES (1, 'a');"
YOYO = """\
from yoyo import group, step

def go(conn):
    cursor = conn.cursor()
    cursor.execute("INSERT INTO trips VALUES (2, 'go')")
    conn.commit()

def back(conn):
    conn.execute("DELETE FROM trips WHERE id = 2")

steps = [
    step(go, back),
    step("INSERT INTO trips VALUES (1, 'is there')", "DELETE FROM nowhere", ignore_errors="all"),
    group([step("INSERT INTO trips VALUES (3, 'c')", "DELETE FROM trips WHERE id = 3"),
           step("UPDATE trips SET name = 'd' WHERE id = 3", "UPDATE trips SET name = 'c'")]),
    group(step("INSERT INTO trips VALUES (4, 'e')"), step("INSERT INTO nowhere VALUES (1)"),
          ignore_errors="apply"),
]
"""


@pytest.mark.parametrize(
    ("parameter", "body", "expected"),
    [
        ("connection", "connection.execute('x')", Call.CONNECTION),
        ("db", "db.cursor().execute('x')", Call.CONNECTION),
        ("db", "db.execute('x')", Call.DATABASE),
        ("db: sqlite3.Connection", "db.execute('x')", Call.CONNECTION),
        ("conn: 'Database'", "conn.execute('x')", Call.DATABASE),
        ("conn", "conn['t'].transform()", Call.DATABASE),
        ("conn", "conn.conn.execute('x')", Call.DATABASE),
        ("conn", "helper(conn)", Call.CONNECTION),
    ],
)
def test_what_a_function_does_with_it_says_what_it_takes(
    tmp_path: Path, parameter: str, body: str, expected: Call
) -> None:
    parsed = migration(tmp_path, {"1_a.py": f"def upgrade({parameter}):\n    {body}"})

    assert isinstance(parsed.up, PythonPart)
    assert parsed.up.call is expected


@pytest.mark.parametrize(
    ("body", "has_down"),
    [
        ("pass", False),
        ("# add your downgrade step here\n    pass", False),
        ("# nothing to undo\n    pass", True),
    ],
)
def test_pass_alone_is_no_way_back(tmp_path: Path, body: str, *, has_down: bool) -> None:
    text = f"def upgrade(db): db.x()\ndef downgrade(db):\n    {body}"

    assert (migration(tmp_path, {"1_a.py": text}).down is not None) is has_down


def part_of(folder: Path, text: str, *, down: bool = False) -> tuple[bool, bytes]:
    """Run the part of a file with ``text``; return whether it ran, and the image afterwards."""
    (found,) = read_catalogue(write(folder, {"1_a.py": text})).migrations
    part: Part | None = found.down if down else found.up
    assert part is not None
    run, after = run_part(found, part, image_of(TRIPS), RunEnvironment())
    return run.succeeded, after


def test_a_plain_connection_is_given_where_it_is_wanted(tmp_path: Path) -> None:
    text = """\
def upgrade(connection):
    with connection:
        connection.executemany("INSERT INTO trips VALUES (?, ?)", [(2, "b"), (3, "c")])
    connection.commit()
"""

    succeeded, after = part_of(tmp_path, text)

    assert succeeded
    assert rows(after, "SELECT id FROM trips") == [1, 2, 3]


def test_an_async_function_is_awaited_and_what_it_awaits_is_there(tmp_path: Path) -> None:
    source = """
        async def up(db):
            cursor = await db.execute("INSERT INTO trips VALUES (2, 'b')")
            assert cursor.rowcount == 1
            async with db.execute("SELECT id FROM trips") as found:
                assert [row[0] async for row in found] == [1, 2]
            rows = await (await db.execute("SELECT name FROM trips")).fetchall()
            assert rows == [("a",), ("b",)]
            assert [row[0] for row in db.execute("SELECT 1")] == [1]
            db["trips"].insert({"id": 3})
            await db.conn.commit() if False else await db.commit()
            return 1
    """

    run, after = run_python(tmp_path, source, image_of(TRIPS))

    assert run.failure is None
    assert rows(after, "SELECT id FROM trips") == [1, 2, 3]


def test_an_async_function_may_give_the_text_of_sqlalchemy(tmp_path: Path) -> None:
    source = """
        from sqlalchemy import text

        async def up(c):
            await c.execute(text("INSERT INTO trips VALUES (:id, 'b')"), {"id": 2})
            found = await c.execute(text("SELECT id, name FROM trips"))
            assert [(row.id, row._mapping["name"], row[0]) for row in found] == [
                (1, "a", 1), (2, "b", 2)
            ]
            assert not hasattr((await c.execute(text("SELECT 1 AS one"))).fetchone(), "two")
            await c.commit()
    """

    run, after = run_python(tmp_path, source, image_of(TRIPS))

    assert run.failure is None
    assert rows(after, "SELECT id FROM trips") == [1, 2]


def test_steps_of_yoyo_run_where_yoyo_is_not_installed(tmp_path: Path) -> None:
    succeeded, after = part_of(tmp_path, YOYO)

    assert succeeded
    assert rows(after, "SELECT id FROM trips") == [1, 2, 3]


def test_steps_of_yoyo_are_undone_last_first(tmp_path: Path) -> None:
    succeeded, after = part_of(tmp_path, YOYO, down=True)

    assert succeeded
    assert rows(after, "SELECT id FROM trips") == [1]


def test_a_step_that_fails_fails_the_migration(tmp_path: Path) -> None:
    text = "from yoyo import step\ndef go(conn): ...\nstep(go)\nstep('SELECT nope FROM trips')"

    succeeded, after = part_of(tmp_path, text)

    assert (succeeded, after) == (False, image_of(TRIPS))


def test_a_set_of_sqlite_migrate_runs_where_that_is_not_installed(tmp_path: Path) -> None:
    text = """\
from sqlite_migrate import Migrations

trips = Migrations("trips")


@trips()
def more(db):
    db["trips"].insert({"id": 2})
"""

    succeeded, after = part_of(tmp_path, text)

    assert succeeded
    assert rows(after, "SELECT id FROM trips") == [1, 2]


def test_an_installed_yoyo_is_there_again_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = ModuleType("yoyo")
    monkeypatch.setitem(sys.modules, "yoyo", installed)

    succeeded, _ = part_of(tmp_path, YOYO)

    assert succeeded
    assert sys.modules["yoyo"] is installed
