from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.written_since import WrittenSince, written_since
from pytest_bbmigrate.history.batches import record_backup, record_contents, remove
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.rows import content_of
from tests.core.backed_up import NEWEST, back_up, write

if TYPE_CHECKING:
    from pathlib import Path

APPLY = """
    ALTER TABLE accounts ADD COLUMN kind TEXT;
    UPDATE accounts SET kind = 'checking';
    CREATE TABLE funds (name TEXT);
    INSERT INTO funds VALUES ('Roof'), ('Car');
    DROP TABLE old_notes;
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database without a history: two accounts, three goals, one old note."""
    path = tmp_path / "budget_buddy.db"
    write(
        path,
        """
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO accounts (name) VALUES ('Everyday'), ('Rainy day');
        CREATE TABLE goals (title TEXT);
        INSERT INTO goals VALUES ('A bike'), ('A boat'), ('A bike');
        CREATE TABLE old_notes (note TEXT);
        INSERT INTO old_notes VALUES ('gone soon');
        """,
    )
    return path


def apply(database: Path, batch: int, sql: str, backup: str = "", *, records: bool = True) -> None:
    """Change ``database`` as an apply does that made ``backup`` first."""
    write(database, sql)
    with closing(sqlite3.connect(database)) as db, db:
        record(db, Applied(f"{batch:03}_step", "sum", "2026-01-02T08:00:00+00:00", 0.1, batch, 5))
        if backup:
            record_backup(db, batch, backup)
        if records:
            record_contents(db, batch, content_of(db))


def test_right_after_an_apply_nothing_was_written(database: Path) -> None:
    backup = back_up(database)
    apply(database, 1, APPLY, NEWEST)

    assert written_since(database, backup) == ()


def test_each_table_that_was_written_to_since_the_apply_is_named(database: Path) -> None:
    backup = back_up(database)
    apply(database, 1, APPLY, NEWEST)
    write(
        database,
        """
        INSERT INTO accounts (name) VALUES ('Holiday'), ('Kids');
        UPDATE goals SET title = 'A barge' WHERE title = 'A boat';
        DELETE FROM funds WHERE name = 'Car';
        CREATE TABLE notes (note TEXT);
        """,
    )

    assert written_since(database, backup) == (
        WrittenSince("accounts", 2, 4, "2 rows more since the apply"),
        WrittenSince("funds", 2, 1, "1 row fewer since the apply"),
        WrittenSince("goals", 3, 3, "rows changed since the apply"),
        WrittenSince("notes", None, 0, "made since the apply"),
    )


def test_what_is_again_as_the_backup_has_it_is_not_lost(database: Path) -> None:
    backup = back_up(database)
    apply(database, 1, "UPDATE goals SET title = upper(title)", NEWEST)
    write(database, "UPDATE goals SET title = 'A ' || lower(substr(title, 3))")

    assert written_since(database, backup) == ()


def test_without_a_record_of_what_the_apply_left_every_difference_counts(database: Path) -> None:
    backup = back_up(database)
    apply(database, 1, APPLY, NEWEST, records=False)

    when = "by the last apply or since: the history does not tell"
    assert written_since(database, backup) == (
        WrittenSince("accounts", 2, 2, f"rows changed {when}"),
        WrittenSince("funds", None, 2, f"made {when}"),
        WrittenSince("old_notes", 1, None, f"dropped {when}"),
    )


def test_after_an_older_backup_every_apply_counts(database: Path) -> None:
    older = back_up(database, "budget_buddy.db.backup.20260101_080000")
    apply(database, 1, "UPDATE goals SET title = 'A ' || title", older.name)
    newest = back_up(database)
    apply(database, 2, "INSERT INTO accounts (name) VALUES ('Holiday')", NEWEST)

    assert written_since(database, newest) == ()
    assert written_since(database, older) == (
        WrittenSince("accounts", 2, 3, "1 row more since the backup"),
        WrittenSince("goals", 3, 3, "rows changed since the backup"),
    )


def test_what_was_written_before_the_apply_is_lost_with_a_backup_of_ones_own(
    database: Path,
) -> None:
    own = back_up(database, "budget_buddy.db.backup.20260101_080000")
    write(database, "INSERT INTO goals VALUES ('A house')")
    newest = back_up(database)
    apply(database, 1, "UPDATE accounts SET name = trim(name)", NEWEST)

    assert written_since(database, newest) == ()
    assert written_since(database, own) == (
        WrittenSince("goals", 3, 4, "1 row more since the backup"),
    )


def test_right_after_a_rollback_nothing_was_written(database: Path) -> None:
    apply(database, 1, "UPDATE accounts SET name = trim(name)", "earlier")
    apply(database, 2, "CREATE TABLE funds (name TEXT)", "before the second")
    backup = back_up(database)
    write(database, "DROP TABLE funds")
    with closing(sqlite3.connect(database)) as db, db:
        remove(db, "002_step")
        record_backup(db, 1, NEWEST)
        record_contents(db, 1, content_of(db))

    assert written_since(database, backup) == ()

    write(database, "DELETE FROM goals")
    assert written_since(database, backup) == (
        WrittenSince("goals", 3, 0, "3 rows fewer since the apply"),
    )


def test_a_database_without_history_is_compared_with_the_backup(database: Path) -> None:
    backup = back_up(database)
    write(database, "INSERT INTO goals VALUES ('A house')")

    assert written_since(database, backup) == (
        WrittenSince("goals", 3, 4, "1 row more since the backup"),
    )


def test_an_empty_database_has_nothing_to_lose(database: Path, tmp_path: Path) -> None:
    empty = tmp_path / "new.db"
    empty.touch()

    assert written_since(empty, back_up(database)) == ()


def test_a_copy_of_the_backup_is_known_by_its_name(database: Path, tmp_path: Path) -> None:
    backup = back_up(database)
    apply(database, 1, APPLY, NEWEST)
    copy = backup.replace(tmp_path / "copy.db")

    assert written_since(database, copy, name=NEWEST) == ()
    assert written_since(database, copy) != ()


def test_neither_file_is_changed_by_looking(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    backup = back_up(database)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert written_since(database, backup) == ()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
