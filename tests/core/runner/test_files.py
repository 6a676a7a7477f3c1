"""Running a part on a database in a file: the file stays, what it becomes is a new one."""

from __future__ import annotations

import textwrap
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart, ScriptPart, SqlPart
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.runner import Run, RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql import split_statements
from pytest_bbmigrate.sqlite_files import open_content
from tests.core.running import FILE, image_of, migration_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part

TRIPS = (
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO trips VALUES (1, 'Rome')"
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "before.db"
    path.write_bytes(image_of(TRIPS))
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def note_applied(db: sqlite3.Connection, statements: int) -> None:
    """Write a row as a history does."""
    db.execute("CREATE TABLE IF NOT EXISTS applied (statements INTEGER)")
    db.execute("INSERT INTO applied VALUES (?)", (statements,))


def sql_part(sql: str, *, in_transaction: bool = True) -> SqlPart:
    return SqlPart(FILE, split_statements(sql), in_transaction)


def run_recorded(part: Part, database: Path, scratch: Path) -> tuple[Run, Path]:
    """Run ``part`` and note in its transaction that it was."""
    environment = RunEnvironment(scratch.parent / "real.db", scratch.parent, scratch=scratch)
    return run_part(migration_of(part), part, database, environment, record=note_applied)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(open_content(path)) as db:
        return db.execute(sql).fetchall()


PARTS = ["sql", "sql without a transaction", "python", "python without a transaction", "script"]


def part_of(kind: str, folder: Path, end: str = "") -> Part:
    """Return a part of that kind that updates a row and ends with ``end``."""
    in_transaction = "without" not in kind
    path = folder / "step.py"
    if kind.startswith("sql"):
        return sql_part(f"UPDATE trips SET name = 'Oslo';{end}", in_transaction=in_transaction)
    if kind == "script":
        script = f"""\
        import sqlite3
        db = sqlite3.connect("real.db")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE trips SET name = 'Oslo'")
        db.commit()
        {end}
        """
        path.write_text(textwrap.dedent(script))
        return ScriptPart(path)
    update = "db.conn.execute(\"UPDATE trips SET name = 'Oslo'\")"
    path.write_text(f"def up(db):\n    {update}\n    {end or 'pass'}\n")
    return PythonPart(path, "up", 1, in_transaction)


@pytest.mark.parametrize("kind", PARTS)
def test_what_a_file_becomes_is_a_new_file_in_rollback_mode(
    kind: str, database: Path, scratch: Path, tmp_path: Path
) -> None:
    was = database.read_bytes()
    run, after = run_recorded(part_of(kind, tmp_path), database, scratch)

    assert run.failure is None
    assert database.read_bytes() == was
    assert list(scratch.iterdir()) == [after]
    assert after.read_bytes()[18:20] == b"\x01\x01"
    assert rows(after, "SELECT name FROM trips") == [("Oslo",)]
    assert rows(after, "SELECT count(*), min(statements) FROM applied") == [(1, run.statements)]


@pytest.mark.parametrize("kind", PARTS)
def test_of_a_run_that_fails_nothing_is_left(
    kind: str, database: Path, scratch: Path, tmp_path: Path
) -> None:
    was = database.read_bytes()
    end = "SELECT nothing" if kind.startswith("sql") else "raise ValueError('no')"
    run, after = run_recorded(part_of(kind, tmp_path, end), database, scratch)

    assert run.failure is not None
    assert after == database
    assert database.read_bytes() == was
    assert list(scratch.iterdir()) == []


def test_a_migration_and_its_record_are_one_transaction(database: Path, scratch: Path) -> None:
    def fail(db: sqlite3.Connection, _: int) -> None:
        assert db.in_transaction
        raise BBMigrateError("the history cannot be written")

    part = sql_part("UPDATE trips SET name = 'Oslo'")
    with pytest.raises(BBMigrateError, match="history cannot be written"):
        run_part(migration_of(part), part, database, RunEnvironment(scratch=scratch), record=fail)

    assert list(scratch.iterdir()) == []


def test_a_record_that_sqlite_refuses_fails_the_run(database: Path, scratch: Path) -> None:
    part = sql_part("CREATE TABLE applied (statements CHECK (statements > 9))")
    run, after = run_recorded(part, database, scratch)

    assert run.failure is not None
    assert "CHECK constraint failed" in run.failure.message
    assert after == database


def test_a_part_without_a_transaction_may_leave_none_open(database: Path, scratch: Path) -> None:
    part = sql_part("BEGIN; UPDATE trips SET name = 'Oslo'", in_transaction=False)
    run, after = run_recorded(part, database, scratch)

    assert run.failure is not None
    assert after == database
    assert list(scratch.iterdir()) == []


def test_vacuum_and_a_change_of_the_journal_mode_are_kept_apart(
    database: Path, scratch: Path
) -> None:
    part = sql_part("DELETE FROM trips; VACUUM; PRAGMA journal_mode = WAL", in_transaction=False)
    run, after = run_recorded(part, database, scratch)

    assert run.failure is None
    assert list(scratch.iterdir()) == [after]
    assert after.read_bytes()[18:20] == b"\x01\x01"
    assert rows(after, "SELECT count(*) FROM trips") == [(0,)]


def test_a_file_that_nobody_needs_is_used_up(database: Path, scratch: Path) -> None:
    part = sql_part("ALTER TABLE trips RENAME TO journeys")
    run, after = run_part(
        migration_of(part), part, database, RunEnvironment(scratch=scratch), move=True
    )

    assert run.renamed_tables == (("trips", "journeys"),)
    assert not database.exists()
    assert rows(after, "SELECT name FROM journeys") == [("Rome",)]


def test_a_record_sees_plain_rows_whatever_the_migration_set(
    database: Path, scratch: Path, tmp_path: Path
) -> None:
    end = "db.conn.row_factory = lambda *_: 1 / 0"
    run, after = run_recorded(part_of("python", tmp_path, end), database, scratch)

    assert run.failure is None
    assert rows(after, "SELECT count(*) FROM applied") == [(1,)]


def test_in_memory_the_record_is_made_as_well() -> None:
    part = sql_part("UPDATE trips SET name = 'Oslo'")
    _, image = run_part(
        migration_of(part, Contract()), part, image_of(TRIPS), RunEnvironment(), record=note_applied
    )
    with closing(open_content(image)) as db:
        assert db.execute("SELECT statements FROM applied").fetchall() == [(1,)]
