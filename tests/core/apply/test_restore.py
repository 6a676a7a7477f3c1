from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.apply.restore import (
    WrittenSince,
    choose_backup,
    find_backups,
    newer_backups,
    written_since,
)
from pytest_bbmigrate.history import Applied, record, record_backup, record_contents, remove
from pytest_bbmigrate.rows import content_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEWEST = "budget_buddy.db.backup.20260102_080000"
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


def write(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"BEGIN;{sql};COMMIT;")


def back_up(database: Path, name: str = NEWEST) -> Path:
    """Return a backup of ``database`` as it is."""
    backup = database.parent / name
    with closing(sqlite3.connect(database)) as db, closing(sqlite3.connect(backup)) as copy:
        db.backup(copy)
    return backup


def apply(database: Path, batch: int, sql: str, backup: str = "", *, records: bool = True) -> None:
    """Change ``database`` as an apply does that made ``backup`` first."""
    write(database, sql)
    with closing(sqlite3.connect(database)) as db, db:
        record(db, Applied(f"{batch:03}_step", "sum", "2026-01-02T08:00:00+00:00", 0.1, batch, 5))
        if backup:
            record_backup(db, batch, backup)
        if records:
            record_contents(db, batch, content_of(db))


def test_backups_are_known_by_their_names_newest_first(database: Path, tmp_path: Path) -> None:
    for name in (
        "budget_buddy.db.backup.20260102_080000",
        "budget_buddy.db.backup.20260102_080000_2",
        "budget_buddy.db.backup.20260102_080000_10",
        "budget_buddy.db.backup.20251231_235959",
        "budget_buddy.db.backup.20260103_080000.partial",
        "budget_buddy.db.backup.20260103",
        "budget_buddy.db.failed.20260103_080000",
        "other.db.backup.20260103_080000",
    ):
        tmp_path.joinpath(name).touch()
    tmp_path.joinpath("budget_buddy.db.backup.20270101_000000").mkdir()

    assert [path.name.rpartition(".")[2] for path in find_backups(database, tmp_path)] == [
        "20260102_080000_10",
        "20260102_080000_2",
        "20260102_080000",
        "20251231_235959",
    ]
    assert find_backups(database, tmp_path / "nowhere") == ()


def test_the_newest_backup_is_chosen_unless_one_is_named(database: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    newest, older = back_up(database), back_up(database, "budget_buddy.db.backup.20251231_235959")
    mine = back_up(database, "elsewhere/before the move.db")

    assert choose_backup(database, tmp_path) == newest
    assert choose_backup(database, tmp_path, older.name, elsewhere) == older
    assert choose_backup(database, tmp_path, str(older)) == older
    assert choose_backup(database, tmp_path, "before the move.db", elsewhere) == mine


def test_a_backup_that_the_history_knows_goes_before_a_newer_one(
    database: Path, tmp_path: Path
) -> None:
    left, known = back_up(database), back_up(database, "budget_buddy.db.backup.20251231_235959")
    with closing(sqlite3.connect(database)) as db, db:
        record(db, Applied("001", "c", "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
        record_backup(db, 1, known.name)

    assert choose_backup(database, tmp_path) == known
    assert newer_backups(database, tmp_path, known) == (left,)
    known.unlink()
    assert choose_backup(database, tmp_path) == left
    assert newer_backups(database, tmp_path, left) == ()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("", "{folder}: no backup of budget_buddy.db is there; name one with --bb-restore=BACKUP"),
        (
            "nowhere.db",
            "--bb-restore=nowhere.db: no such file, neither from {start} nor in {folder}",
        ),
        ("start", "--bb-restore=start: no such file"),
        ("budget_buddy.db", "--bb-restore=budget_buddy.db: that is the database itself"),
        ("link.db", "--bb-restore=link.db: that is the database itself"),
        (
            "other.db.backup.20260101_000000",
            "--bb-restore=other.db.backup.20260101_000000: a backup of other.db, not of budget_",
        ),
    ],
)
def test_what_cannot_be_put_back_is_refused(
    database: Path, tmp_path: Path, named: str, message: str
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    back_up(database, "other.db.backup.20260101_000000")
    (tmp_path / "link.db").symlink_to(database)

    with pytest.raises(StepFailed) as raised:
        choose_backup(database, tmp_path, named, start)

    assert str(raised.value).startswith(message.format(folder=tmp_path, start=start))


def test_the_newest_backups_are_named_to_who_mistyped_one(database: Path, tmp_path: Path) -> None:
    back_up(database)

    with pytest.raises(StepFailed, match=rf"; the newest there are: {NEWEST}$"):
        choose_backup(database, tmp_path, f"{NEWEST}_2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: b"date,amount\n" + whole[:0], "cannot be read as an SQLite database"),
        (lambda whole: whole[:4096], "is cut off: 4096 bytes are left of 16384"),
        (lambda whole: whole[:4096] + bytes(4096) + whole[8192:], "damaged"),
        (lambda whole: whole[:0], "the file is empty"),
    ],
    ids=["text", "cut off", "damaged", "empty"],
)
def test_a_backup_that_does_not_read_is_refused(
    database: Path, tmp_path: Path, content: Callable[[bytes], bytes], message: str
) -> None:
    backup = back_up(database)
    backup.write_bytes(content(backup.read_bytes()))

    with pytest.raises(StepFailed) as raised:
        choose_backup(database, tmp_path)

    assert str(raised.value).startswith(f"{backup}: ")
    assert message in str(raised.value)
    assert str(raised.value).endswith("name another backup with --bb-restore=BACKUP")


def test_a_backup_with_old_violations_is_no_damaged_one(database: Path, tmp_path: Path) -> None:
    write(
        database,
        "CREATE TABLE plans (week TEXT CHECK (week <> ''), goal REFERENCES goals (title));"
        "PRAGMA ignore_check_constraints = ON;"
        "INSERT INTO plans VALUES ('', 'nowhere');",
    )

    assert choose_backup(database, tmp_path, back_up(database).name) == tmp_path / NEWEST


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


def test_neither_file_is_changed_by_looking(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    backup = back_up(database)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert choose_backup(database, tmp_path) == backup
    assert written_since(database, backup) == ()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
