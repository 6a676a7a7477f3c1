"""Which backup is put back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.choose_backup import ChosenBackup, choose_backup, newer_backups
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.batches import record_backup
from pytest_bbmigrate.history.identity import Identity, write_identity
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import note_for, with_digest, write_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.sqlite_files.notes import Note

NEWEST = "budget_buddy.db.backup.20260102_080000"
OLDER = "budget_buddy.db.backup.20251231_235959"
MINE, ANOTHER = "4f1c", "7a2e"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make(tmp_path / "budget_buddy.db")


def make(path: Path, identity: str = MINE) -> Path:
    """Make a database that has an id, unless that is ''."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE goals (title TEXT)")
        db.execute("INSERT INTO goals VALUES ('A bike')")
        if identity:
            write_identity(db, Identity(identity))
    return path


def back_up(database: Path, name: str = NEWEST, folder: Path | None = None) -> Path:
    """Return a copy of ``database`` as it is, without a note."""
    backup = (folder or database.parent) / name
    with closing(sqlite3.connect(database)) as db, closing(sqlite3.connect(backup)) as copy:
        db.backup(copy)
    return backup


def note(backup: Path, of: Path, identity: str = MINE) -> Note:
    """Write the note on ``backup``, made of the database ``of`` with that id; return it."""
    written = with_digest(note_for(of, identity), backup)
    note_beside(backup).unlink(missing_ok=True)
    write_note(written, note_beside(backup), backup.parent)
    return written


def knows(database: Path, *backups: Path, digest: str = "") -> None:
    """Have the history of ``database`` know ``backups``, and the ``digest`` of each, if given."""
    with closing(sqlite3.connect(database)) as db, db:
        record(db, Applied("001", "c", "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
        for backup in backups:
            record_backup(db, 1, backup.name)
        if digest:
            write_identity(db, Identity(MINE, {backup.name: digest for backup in backups}))


def refused(database: Path, named: str = "", *, discard: bool = False) -> str:
    with pytest.raises(StepFailed) as raised:
        choose_backup(database, database.parent, named, discard=discard)
    return str(raised.value)


# ---- none is named


def test_the_newest_backup_of_this_database_is_chosen(database: Path, tmp_path: Path) -> None:
    older, newest = back_up(database, OLDER), back_up(database)
    written = note(older, database), note(newest, database)

    assert choose_backup(database, tmp_path) == ChosenBackup(newest, written[1])
    newest.unlink()
    note_beside(newest).unlink()
    assert choose_backup(database, tmp_path) == ChosenBackup(older, written[0])


def test_a_backup_of_another_database_of_the_same_name_is_not_chosen(
    database: Path, tmp_path: Path
) -> None:
    other = make(tmp_path / "other" / "budget_buddy.db", ANOTHER)
    theirs = back_up(other, folder=tmp_path)
    note(theirs, other, ANOTHER)
    without_note = back_up(other, f"{NEWEST}_2", tmp_path)

    assert refused(database) == (
        f"{tmp_path}: no backup of budget_buddy.db is there; nothing tells of which database "
        f"{without_note.name} is; name one with --bb-restore=BACKUP, or the folder they are in "
        "with --bb-backup-dir=DIR"
    )
    mine = back_up(database, OLDER)
    note(mine, database)
    assert choose_backup(database, tmp_path).backup == mine
    assert newer_backups(database, tmp_path, mine) == ()


def test_before_there_is_an_id_the_path_tells_whose_a_backup_is(tmp_path: Path) -> None:
    one, other = (make(tmp_path / name / "budget_buddy.db", "") for name in ("one", "other"))
    mine, theirs = back_up(one, OLDER, tmp_path), back_up(other, NEWEST, tmp_path)
    note(mine, one, "")
    note(theirs, other, "")

    assert choose_backup(one, tmp_path).backup == mine
    assert choose_backup(other, tmp_path).backup == theirs


def test_a_backup_that_the_history_knows_goes_before_a_newer_one(
    database: Path, tmp_path: Path
) -> None:
    left, known = back_up(database), back_up(database, OLDER)
    for backup in (left, known):
        note(backup, database)
    knows(database, known)

    assert choose_backup(database, tmp_path).backup == known
    assert newer_backups(database, tmp_path, known) == (left,)
    known.unlink()
    note_beside(known).unlink()
    assert choose_backup(database, tmp_path).backup == left
    assert newer_backups(database, tmp_path, left) == ()


def test_a_backup_from_before_there_were_notes_is_told_by_the_history(tmp_path: Path) -> None:
    database = make(tmp_path / "budget_buddy.db", "")
    known, _ = back_up(database, OLDER), back_up(database)
    knows(database, known)

    assert choose_backup(database, tmp_path) == ChosenBackup(
        known, None, (f"{OLDER}: nothing tells what it was when it was made",)
    )


def test_backups_are_known_under_every_name_of_the_database(database: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(database)
    backup = back_up(database, "link.db.backup.20260102_080000")
    note(backup, database)

    assert choose_backup(database, tmp_path).backup == backup
    assert choose_backup(link, tmp_path).backup == backup


def test_what_is_not_named_like_a_backup_is_none(database: Path, tmp_path: Path) -> None:
    for name in (
        f"{NEWEST}.partial",
        "budget_buddy.db.backup.20260103",
        "budget_buddy.db.failed.20260103_080000",
    ):
        note(back_up(database, name), database)
    (tmp_path / "budget_buddy.db.backup.20270101_000000").mkdir()

    assert "no backup of budget_buddy.db is there" in refused(database)
    with pytest.raises(StepFailed, match=r"nowhere: no backup of budget_buddy.db is there; name"):
        choose_backup(database, tmp_path / "nowhere")


def test_two_backups_of_one_second_have_an_order(database: Path, tmp_path: Path) -> None:
    for name in (NEWEST, f"{NEWEST}_2", f"{NEWEST}_10", OLDER):
        note(back_up(database, name), database)

    assert choose_backup(database, tmp_path).backup.name == f"{NEWEST}_10"


def test_a_recorded_backup_that_is_gone_is_refused_by_name(database: Path, tmp_path: Path) -> None:
    older, newest = back_up(database, OLDER), back_up(database)
    written = note(older, database), note(newest, database)
    knows(database, older, newest)
    newest.unlink()

    assert refused(database) == (
        f"{newest}: it is not what it was when it was made ({written[1].made}, of {database}, "
        f"{written[1].size:,} bytes then): it is gone; name another backup with "
        f"--bb-restore=BACKUP: {OLDER}"
    )
    assert f"{newest}: it is not what it was" in refused(database, NEWEST)
    assert choose_backup(database, tmp_path, OLDER).backup == older


def test_where_the_database_is_gone_its_path_tells(database: Path, tmp_path: Path) -> None:
    backup = back_up(database)
    note(backup, database)
    database.unlink()

    assert choose_backup(database, tmp_path).backup == backup

    second = back_up(make(database, ANOTHER), f"{NEWEST}_2")
    note(second, database, ANOTHER)
    database.unlink()
    assert "are of 2 databases that were there one after the other; name another" in refused(
        database
    )


# ---- one is named


def test_a_named_backup_may_lie_anywhere(database: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    backup = back_up(database, OLDER)
    written = note(backup, database)
    mine = back_up(database, "before the move.db", elsewhere)

    assert choose_backup(database, tmp_path, OLDER, elsewhere) == ChosenBackup(backup, written)
    assert choose_backup(database, tmp_path, str(backup)) == ChosenBackup(backup, written)
    assert choose_backup(database, tmp_path, mine.name, elsewhere) == ChosenBackup(
        mine, None, (f"{mine.name}: nothing tells what it was when it was made",)
    )


@pytest.mark.parametrize("has_note", [True, False])
def test_another_id_is_refused_unless_what_is_there_may_be_discarded(
    database: Path, tmp_path: Path, *, has_note: bool
) -> None:
    other = make(tmp_path / "other" / "budget_buddy.db", ANOTHER)
    theirs = back_up(other, folder=tmp_path)
    if has_note:
        note(theirs, other, ANOTHER)
    whose = f", {other}" if has_note else ""

    assert refused(database, NEWEST) == (
        f"{theirs}: a backup of another database{whose}{',' if whose else ''} and not of "
        f"{database}; name the one that it belongs to with --bb-db=FILE, or put it into this one "
        "all the same with --bb-discard-changes"
    )
    chosen = choose_backup(database, tmp_path, NEWEST, discard=True)
    assert chosen.backup == theirs
    assert chosen.notes == (f"{NEWEST} is a backup of another database{whose}",)


def test_the_same_id_at_another_path_is_allowed_and_said(database: Path, tmp_path: Path) -> None:
    backup = back_up(database)
    note(backup, tmp_path / "before the move" / "budget_buddy.db")

    (said,) = choose_backup(database, tmp_path).notes
    assert said == (
        f"{NEWEST} was made of {tmp_path}/before the move/budget_buddy.db: the database was moved "
        "since, or one is a copy of the other"
    )


def test_what_nothing_tells_of_is_taken_for_what_its_name_says(tmp_path: Path) -> None:
    database = make(tmp_path / "budget_buddy.db", "")
    back_up(database)
    back_up(database, "other.db.backup.20260101_000000")

    chosen = choose_backup(database, tmp_path, NEWEST)
    assert chosen.notes == (
        f"{NEWEST}: nothing tells of which database it is, nor what it was when it was made",
    )
    assert "a backup of other.db, not of budget_buddy.db, as its name tells; name the" in refused(
        database, "other.db.backup.20260101_000000"
    )


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
    ],
)
def test_what_is_no_backup_is_refused(
    database: Path, tmp_path: Path, named: str, message: str
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    (tmp_path / "link.db").symlink_to(database)

    with pytest.raises(StepFailed) as raised:
        choose_backup(database, tmp_path, named, start)

    assert str(raised.value).startswith(message.format(folder=tmp_path, start=start))


def test_the_newest_backups_are_named_to_who_mistyped_one(database: Path, tmp_path: Path) -> None:
    note(back_up(database), database)

    with pytest.raises(StepFailed, match=rf"; the newest there are: {NEWEST}$"):
        choose_backup(database, tmp_path, f"{NEWEST}_2")


# ---- it is not what it was


def flip(whole: bytes) -> bytes:
    at = whole.index(b"A bike")
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [flip, lambda whole: whole[:4096], lambda whole: whole[:0], lambda whole: whole + bytes(4096)],
    ids=["a bit", "cut off", "emptied", "added to"],
)
@pytest.mark.parametrize("recorded", ["beside it", "in the history", "in both"])
@pytest.mark.parametrize("named", ["", NEWEST])
def test_a_backup_that_is_not_what_it_was_is_refused_by_name(
    database: Path, recorded: str, named: str, change: Callable[[bytes], bytes]
) -> None:
    backup = back_up(database)
    written = note(backup, database)
    if recorded == "in the history":
        note_beside(backup).unlink()
    knows(database, backup, digest=written.digest if recorded != "beside it" else "")
    backup.write_bytes(change(backup.read_bytes()))

    message = refused(database, named, discard=True)

    assert message.startswith(f"{backup}: it is not what it was when it was made (")
    assert f"its SHA-256 was {written.digest}, and is " in message
    assert "name another backup with --bb-restore=BACKUP" in message


def test_a_note_that_was_written_anew_does_not_hide_what_the_history_knows(
    database: Path,
) -> None:
    backup = back_up(database)
    knows(database, backup, digest=note(backup, database).digest)
    backup.write_bytes(flip(backup.read_bytes()))
    note(backup, database)

    assert refused(database).startswith(f"{backup}: it is not what it was when it was made (")


def test_what_sqlite_would_read_beside_a_backup_is_no_part_of_it(
    database: Path, tmp_path: Path
) -> None:
    backup = back_up(database)
    written = note(backup, database)
    wal = tmp_path / f"{NEWEST}-wal"
    wal.write_bytes(b"")
    assert choose_backup(database, tmp_path) == ChosenBackup(backup, written)

    wal.write_bytes(b"frames")
    assert f"{NEWEST}-wal is beside it: a program has opened it and written" in refused(database)
    note_beside(backup).unlink()
    assert f"{NEWEST}-wal is beside it: a program has opened it and" in refused(database, NEWEST)


def test_a_note_that_does_not_read_keeps_a_backup_from_being_put_back(
    database: Path, tmp_path: Path
) -> None:
    backup = back_up(database)
    digest = note(backup, database).digest
    note_beside(backup).write_text('{"database": "4f1c"')

    assert refused(database, NEWEST) == (
        f"{note_beside(backup)}: the note does not say what a note says; remove the note, if what "
        "it is beside is yours and sound"
    )
    knows(database, backup, digest=digest)
    assert choose_backup(database, tmp_path).backup == backup


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda whole: b"date,amount\n" + whole[:0], "cannot be read as an SQLite database"),
        (lambda whole: whole[:4096], "is cut off: 4096 bytes are left of 12288"),
        (lambda whole: whole[:4096] + bytes(4096) + whole[8192:], "damaged"),
        (lambda whole: whole[:0], "the file is empty"),
    ],
    ids=["text", "cut off", "damaged", "empty"],
)
def test_a_backup_that_nothing_is_known_of_has_to_be_sound(
    database: Path, content: Callable[[bytes], bytes], message: str
) -> None:
    backup = back_up(database)
    backup.write_bytes(content(backup.read_bytes()))

    said = refused(database, NEWEST)

    assert said.startswith(f"{backup}: ")
    assert message in said
    assert said.endswith("name another backup with --bb-restore=BACKUP")


def test_a_backup_with_old_violations_is_no_damaged_one(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.executescript(
            "CREATE TABLE plans (week TEXT CHECK (week <> ''), goal REFERENCES goals (title));"
            "PRAGMA ignore_check_constraints = ON;"
            "INSERT INTO plans VALUES ('', 'nowhere');"
        )

    assert choose_backup(database, tmp_path, back_up(database).name).backup == tmp_path / NEWEST


def test_nothing_is_changed_by_looking(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    backup = back_up(database)
    note(backup, database)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert choose_backup(database, tmp_path).backup == backup
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_size_is_told_where_it_is_another(database: Path) -> None:
    backup = back_up(database)
    written = replace(note(backup, database))
    backup.write_bytes(backup.read_bytes()[:4096])

    assert f"of {database}, {written.size:,} bytes then, 4,096 now): its SHA" in refused(database)
