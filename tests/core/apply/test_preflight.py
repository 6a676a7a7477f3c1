"""What is looked at before anything is locked."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.file_checks import has_wal_bug
from pytest_bbmigrate.apply.preflight import preflight
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.table import Applied, make_history, record
from pytest_bbmigrate.sqlite_files import disk_space
from pytest_bbmigrate.sqlite_files import reading as reading_module
from tests.core.cataloguing import write
from tests.core.real_databases import in_use

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.apply.model import Preflight
    from pytest_bbmigrate.catalogue import Catalogue

FILES = {
    "001_accounts.sql": "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
    "002_trips.sql": "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);",
    "003_notes.sql": "ALTER TABLE trips ADD COLUMN note TEXT;",
}
MANY = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999) "
    "INSERT INTO accounts (name) SELECT randomblob(999) FROM n"
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "migrations"
    folder.mkdir()
    return read_catalogue(write(folder, FILES))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def make(
    path: Path, catalogue: Catalogue, *names: str, mode: str = "delete", more: str = ""
) -> Path:
    """Write a database that has the migrations called ``names``, and what ``more`` makes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        make_history(db)
        for batch, name in enumerate(names, 1):
            migration = next(m for m in catalogue.migrations if m.name == name)
            db.execute(FILES[f"{name}.sql"])
            record(
                db, Applied(name, migration.checksum, "2026-01-05T10:00:00+00:00", 0.1, batch, 1)
            )
        db.executescript(more)
    return path


def look(
    path: Path,
    catalogue: Catalogue,
    *,
    to: str = "",
    allow_late: bool = False,
    create: bool = False,
    backup_folder: Path | None = None,
    hook: Callable[[sqlite3.Connection], object] | None = None,
) -> Preflight:
    """Return what the preflight finds, backups being made beside the database."""
    return preflight(
        path,
        catalogue,
        to=to,
        allow_late=allow_late,
        create=create,
        backup_folder=backup_folder or path.parent,
        hook=hook,
    )


def refusal(path: Path, catalogue: Catalogue, *, create: bool = False) -> str:
    """Return why nothing may run; what is on disk is as it was."""
    before = on_disk(path.parent)
    with pytest.raises(StepFailed) as caught:
        look(path, catalogue, create=create)
    assert on_disk(path.parent) == before
    return str(caught.value)


def on_disk(folder: Path) -> dict[str, bytes]:
    """Return the content of every file but the index of a WAL."""
    return {
        path.name: path.read_bytes() if path.is_file() else b""
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
    }


def names_of(found: Preflight) -> list[str]:
    return [migration.name for migration in found.pending]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_what_is_pending_is_found_and_nothing_is_written(
    place: Path, catalogue: Catalogue, mode: str
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", mode=mode)
    before = on_disk(place)

    found = look(path, catalogue)

    assert names_of(found) == ["002_trips", "003_notes"]
    assert (found.batch, found.is_new) == (2, False)
    assert [m.name for m in found.statuses.applied] == ["001_accounts"]
    assert on_disk(place) == before
    assert len(list(place.iterdir())) == 1


def test_a_goal_ends_what_is_pending(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")

    assert names_of(look(path, catalogue, to="2")) == ["002_trips"]
    assert names_of(look(path, catalogue, to="001_accounts")) == []


def test_batches_go_on_from_the_last(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", "002_trips")

    assert look(path, catalogue).batch == 3


def test_a_history_that_is_empty_is_one(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, more="CREATE TABLE older (a);")

    found = look(path, catalogue)

    assert names_of(found) == ["001_accounts", "002_trips", "003_notes"]
    assert (found.batch, found.is_new) == (1, False)


def test_a_database_without_a_table_needs_no_history(place: Path, catalogue: Catalogue) -> None:
    path = place / "budget.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 7")

    assert len(look(path, catalogue).pending) == 3


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_where_nothing_is_pending_the_database_may_be_in_use(
    place: Path, catalogue: Catalogue, mode: str
) -> None:
    path = make(place / "budget.db", catalogue, *(m.name for m in catalogue.migrations), mode=mode)

    with in_use(path, "SELECT * FROM accounts"):
        found = look(path, catalogue, backup_folder=place / "absent")

    assert names_of(found) == []
    assert found.notes == ()


def test_a_missing_file_is_told_with_the_one_that_may_be_meant(
    place: Path, catalogue: Catalogue
) -> None:
    make(place / "budget_buddy.db", catalogue)

    assert refusal(place / "budget_budy.db", catalogue) == (
        f"{place}/budget_budy.db: no such database file; did you mean budget_buddy.db? name the "
        "right one with --bb-db (or bb_database), or have a new one made with --bb-create"
    )


@pytest.mark.parametrize("create", [False, True])
def test_a_missing_folder_is_told(place: Path, catalogue: Catalogue, create: bool) -> None:  # noqa: FBT001 - a parameter of the table
    with pytest.raises(StepFailed, match=r"no such database file; there is no folder .*/absent"):
        look(place / "absent" / "budget.db", catalogue, create=create)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_new_database_is_to_be_made_when_asked_for(
    place: Path,
    catalogue: Catalogue,
    is_there: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    path = place / "budget.db"
    if is_there:
        path.touch()

    found = look(path, catalogue, create=True)

    assert (found.is_new, found.batch, len(found.pending)) == (True, 1, 3)
    assert path.exists() is is_there


def test_create_changes_nothing_where_there_is_a_database(
    place: Path, catalogue: Catalogue
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")

    found = look(path, catalogue, create=True)

    assert (found.is_new, found.batch, len(found.pending)) == (False, 2, 2)


def test_an_empty_file_is_told(place: Path, catalogue: Catalogue) -> None:
    (place / "budget.db").touch()

    assert "budget.db: it is empty; name the right one" in refusal(place / "budget.db", catalogue)


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_an_emptied_file_with_its_journal_is_no_new_one(
    place: Path, catalogue: Catalogue, suffix: str
) -> None:
    (place / "budget.db").touch()
    (place / f"budget.db{suffix}").write_bytes(b"rows")

    message = refusal(place / "budget.db", catalogue, create=True)

    assert f"budget.db: it is empty, but budget.db{suffix} beside it is not" in message


def test_a_link_to_nothing_is_told(place: Path, catalogue: Catalogue) -> None:
    (place / "budget.db").symlink_to(place / "gone.db")

    message = refusal(place / "budget.db", catalogue, create=True)

    assert f"a symbolic link to {place}/gone.db, which is not there" in message


def test_a_link_to_a_database_is_followed(
    place: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(make(place / "budget.db", catalogue, "001_accounts"))

    assert len(look(link, catalogue).pending) == 2


def make_text(path: Path) -> None:
    path.write_text("Dear diary, " * 99)


def make_encrypted(path: Path) -> None:
    path.write_bytes(bytes(range(255, -1, -1)) * 64)


def make_one_byte(path: Path) -> None:
    path.write_bytes(b"\n")


@pytest.mark.parametrize(
    ("make_file", "message"),
    [
        (Path.mkdir, "not a database file but a folder"),
        (os.mkfifo, "not a database file but a pipe"),
        (make_text, "it is text: give the path of the database"),
        (make_encrypted, "it is an encrypted database, or of another program: decrypt it"),
        (make_one_byte, "it is cut off or added to: it has 1 bytes, which are not whole pages"),
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_what_is_no_database_is_told(
    place: Path,
    catalogue: Catalogue,
    make_file: Callable[[Path], object],
    message: str,
    create: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    path = place / "budget.db"
    make_file(path)

    assert message in refusal(path, catalogue, create=create)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (4096, "it is cut off: "),
        (5000, "it is cut off: "),
        (-1, "it is cut off or added to: it has "),
        (-4096, "it is cut off: "),
    ],
)
def test_a_file_that_is_cut_off_is_told(
    place: Path, catalogue: Catalogue, cut: int, message: str
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", more=f"{MANY};")
    path.write_bytes(path.read_bytes()[:cut])

    found = refusal(path, catalogue)

    assert message in found
    assert found.endswith(
        "put a backup in its place, or save what is left of it with sqlite3's .recover"
    )


def test_a_file_that_something_was_added_to_is_told(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")
    with path.open("ab") as file:
        file.write(b"x")

    assert "it is cut off or added to" in refusal(path, catalogue)


def test_a_damaged_file_is_told(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", more=f"{MANY};")
    content = bytearray(path.read_bytes())
    content[-4096:-4080] = b"\xff" * 16
    path.write_bytes(content)

    assert "it is damaged" in refusal(path, catalogue)


def test_a_file_whose_pages_do_not_add_up_is_told(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")
    content = bytearray(path.read_bytes())
    content[36:40] = (5).to_bytes(4, "big")  # pages in the freelist, which is empty
    path.write_bytes(content)

    assert "budget.db: it is damaged (" in refusal(path, catalogue)


def test_every_row_that_breaks_a_constraint_is_counted(place: Path, catalogue: Catalogue) -> None:
    broken = (
        "CREATE TABLE a (x TEXT) STRICT; INSERT INTO a SELECT 'x' FROM accounts; "
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'INTEGER') WHERE name = 'a'"
    )
    path = make(place / "budget.db", catalogue, "001_accounts", more=f"{MANY}; {broken};")

    (note,) = look(path, catalogue).notes

    assert ": 999 rows with a non-INTEGER value in a.x, against its type" in note


OLD = """
CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE costs (amount REAL CHECK (amount > 0), category REFERENCES categories (id));
CREATE TABLE labels (label REFERENCES categories (name));
CREATE TABLE strict_one (n INTEGER) STRICT;
PRAGMA ignore_check_constraints = ON;
INSERT INTO costs VALUES (-98765, 1), (-1, 2), (5, NULL);
INSERT INTO categories VALUES (1, 'Secret');
INSERT INTO labels VALUES ('Secret');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'categories';
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER', 'TEXT') WHERE name = 'strict_one';
PRAGMA writable_schema = RESET;
INSERT INTO categories VALUES (3, NULL);
INSERT INTO strict_one VALUES ('Private');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT', 'name TEXT NOT NULL')
WHERE name = 'categories';
UPDATE sqlite_schema SET sql = replace(sql, 'TEXT', 'INTEGER') WHERE name = 'strict_one';
PRAGMA writable_schema = RESET;
"""
MISMATCH = 'foreign key mismatch - "labels" referencing "categories"'


def test_rows_that_break_constraints_already_are_notes_without_values(
    place: Path, catalogue: Catalogue
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", more=OLD)

    found = look(path, catalogue)

    old = "old, and not held against the run: "
    assert sorted(found.notes) == sorted(
        [
            f"{old}1 row with NULL in categories.name, which is NOT NULL",
            f"{old}2 rows of costs breaking a CHECK constraint",
            f"{old}1 row with a non-INTEGER value in strict_one.n, against its type",
            f"{old}1 row of costs referring to a row of categories that is not there",
            f"{old}a foreign key of labels that refers to no key ({MISMATCH})",
        ]
    )


def test_a_function_that_only_the_app_has_is_asked_for(place: Path, catalogue: Catalogue) -> None:
    def hook(db: sqlite3.Connection) -> None:
        db.create_function("is_name", 1, lambda value: value != "", deterministic=True)

    path = make(place / "budget.db", catalogue, "001_accounts")
    with closing(sqlite3.connect(path)) as db:
        hook(db)
        db.execute("CREATE TABLE named (a CHECK (is_name(a)))")

    assert names_of(look(path, catalogue, hook=hook)) == ["002_trips", "003_notes"]
    message = refusal(path, catalogue)
    assert "its rows cannot be checked (" in message
    assert message.endswith(
        "have bb_connection register the functions and collations that its tables use"
    )


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_who_has_it_open_is_named(place: Path, catalogue: Catalogue, mode: str) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", mode=mode)

    with in_use(path, "SELECT * FROM accounts") as pid:
        message = refusal(path, catalogue)

        skipped = preflight(path, catalogue, backup_folder=place, skip_openers=True)
    assert "budget.db: it is open in python" in message
    assert f"(pid {pid}); stop that first" in message
    assert len(skipped.pending) == 2


def test_a_writer_that_holds_the_lock_is_named(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "LOCK_SECONDS", 0.1)
    path = make(place / "budget.db", catalogue, "001_accounts")

    with in_use(path, "BEGIN EXCLUSIVE") as pid:
        message = refusal(path, catalogue)

    assert "(database is locked); wait until the program that is writing to it is done" in message
    assert message.endswith(f"(pid {pid})")


def test_what_a_crashed_program_left_is_a_note(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")
    with in_use(path, "PRAGMA cache_size = 1", "BEGIN", MANY):
        pass
    before = on_disk(place)

    found = look(path, catalogue)

    assert "budget.db-journal" in before
    assert on_disk(place) == before
    assert names_of(found) == ["002_trips", "003_notes"]
    (note,) = found.notes
    assert note.startswith("the last program that wrote to it did not come to its end; SQLite ")


def test_rows_that_are_only_in_a_crashed_programs_wal_are_looked_at(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    path = make(place / "budget.db", catalogue, "001_accounts", mode="wal")
    with in_use(
        path,
        "PRAGMA wal_autocheckpoint = 0",
        "CREATE TABLE x (a REFERENCES accounts)",
        "INSERT INTO x VALUES (9)",
    ):
        pass
    before = on_disk(place)

    found = look(path, catalogue)

    assert on_disk(place) == before
    (note,) = found.notes
    assert note.endswith(": 1 row of x referring to a row of accounts that is not there")


def test_hard_links_are_a_note(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")
    (place / "other.db").hardlink_to(path)

    (note,) = look(path, catalogue).notes

    assert note.startswith("budget.db has 2 names (hard links): ")


@pytest.mark.parametrize(("mode", "notes"), [("delete", 0), ("wal", 1)])
def test_the_bug_in_wal_mode_is_a_note_where_it_can_strike(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, mode: str, notes: int
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 45, 1))
    path = make(place / "budget.db", catalogue, "001_accounts", mode=mode)

    found = look(path, catalogue).notes

    assert len(found) == notes
    assert all("can lose commits of two connections in WAL mode" in note for note in found)


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 3), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_bug_in_wal_mode_is_known_by_version(
    version: tuple[int, int, int],
    has_it: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    assert has_wal_bug(version) is has_it


def test_a_database_without_a_history_is_to_be_adopted_first(
    place: Path, catalogue: Catalogue
) -> None:
    path = place / "budget.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE accounts (a)")

    assert refusal(path, catalogue) == (
        f"{path}: it has tables and no history of migrations: --bb-adopt finds the version "
        "that it is at and records it; apply after that"
    )


def test_a_history_that_does_not_read_is_told(place: Path, catalogue: Catalogue) -> None:
    path = place / "budget.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE _bb_migrations (version)")

    assert refusal(path, catalogue).startswith(
        f"{path}: the table _bb_migrations is not a history that this version can read: "
    )


def test_where_history_and_files_disagree_is_told(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "002_trips")

    assert refusal(path, catalogue).startswith(f"{path}: 001_accounts is pending, and 002_trips, ")


def test_every_disagreement_is_told(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "002_trips")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        record(db, Applied("009_gone", "x", "2026-01-05T10:00:00+00:00", 0.1, 1, 1))

    lines = refusal(path, catalogue).splitlines()

    assert lines[0] == f"{path}: 2 things stand in the way"
    assert [line.split()[0] for line in lines[1:]] == ["009_gone", "001_accounts"]


def test_late_and_renamed_ones_are_notes(place: Path, catalogue: Catalogue) -> None:
    path = make(place / "budget.db", catalogue, "002_trips")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE _bb_migrations SET name = 'trips'")

    found = look(path, catalogue, allow_late=True)

    assert names_of(found) == ["001_accounts", "003_notes"]
    assert found.notes == (
        "002_trips is applied as trips: its file was renamed",
        "001_accounts is late: it comes after trips in this database",
    )


def test_a_missing_folder_for_backups_is_told(
    place: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")

    with pytest.raises(StepFailed, match=r"/backups: no such folder for backups; make it, or"):
        look(path, catalogue, backup_folder=tmp_path / "backups")


@pytest.mark.parametrize("name", ["budget.db", "", "budget.db-wal"])
def test_a_place_that_cannot_be_written_is_told(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", mode="wal")
    if name.endswith("-wal"):
        (place / name).touch()
    real_access = os.access

    def access(asked: Path, mode: int) -> bool:
        return asked != place / name and real_access(asked, mode)

    monkeypatch.setattr(os, "access", access)  # root may write everywhere

    message = refusal(path, catalogue)

    assert message.startswith(f"{place / name}: you may not write to it, or it is on a read-only")


def test_too_little_room_is_told(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts")
    asked = []

    def room_for(*paths: Path) -> tuple[str, ...]:
        asked.append(paths)
        return ("5 MB are needed", "7 MB are needed")

    monkeypatch.setattr(disk_space, "disk_space_faults", room_for)

    assert refusal(path, catalogue).splitlines() == [
        f"{path}: 2 things stand in the way",
        "5 MB are needed",
        "7 MB are needed",
    ]
    assert asked == [(path, place, place)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_file_system_that_does_not_lock_is_told(
    place: Path,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    is_there: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    path = place / "budget.db"
    if is_there:
        make(path, catalogue, "001_accounts")
    asked = []

    def fault(path: Path) -> str:
        asked.append(path)
        return "it is on nfs"

    monkeypatch.setattr(disk_space, "file_system_fault", fault)

    assert refusal(path, catalogue, create=True) == f"{path}: it is on nfs"
    assert asked == [path if is_there else place]


def test_every_page_is_looked_at_once(
    place: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(
        place / "budget.db",
        catalogue,
        "001_accounts",
        more="CREATE TABLE x (a REFERENCES accounts)",
    )
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*args: object, **options: object) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload] # as given
        db.set_trace_callback(statements.append)
        return db

    monkeypatch.setattr(sqlite3, "connect", traced)
    look(path, catalogue)

    assert sum("quick_check" in sql for sql in statements) == 1
    assert not [sql for sql in statements if "integrity_check" in sql]
    assert sum("foreign_key_check" in sql for sql in statements) == 1  # tables have any


def test_a_folder_that_is_synchronised_is_a_note(place: Path, catalogue: Catalogue) -> None:
    folder = place / "Dropbox"
    folder.mkdir()
    path = make(folder / "money.db", catalogue, "001_accounts")

    (note,) = look(path, catalogue).notes
    assert note.startswith("money.db is in a folder that Dropbox keeps the same on other machines,")


@pytest.mark.parametrize(
    ("table", "tool"),
    [
        ("schema_migrations (version varchar(128) primary key)", "dbmate"),
        ("d1_migrations (id INTEGER PRIMARY KEY, name TEXT)", "d1"),
    ],
)
def test_where_another_tool_keeps_its_record_nothing_is_applied_but_all_of_it_rehearsed(
    place: Path, catalogue: Catalogue, table: str, tool: str
) -> None:
    path = make(place / "budget.db", catalogue, "001_accounts", more=f"CREATE TABLE {table};")

    message = refusal(path, catalogue)
    rehearsed = preflight(path, catalogue, backup_folder=place, publishes=False)

    assert f": {tool} records in its table {table.partition(' ')[0]} what it has run" in message
    assert "rehearse with --bb-rehearse, then use that tool" in message
    assert names_of(rehearsed) == ["002_trips", "003_notes"]
