"""Images: databases as values."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.errors import DatabaseError, SettingsError
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.sqlite_files import (
    app_connections,
    marked_rollback_mode,
    open_contents,
    open_image,
    page_size,
    read_image,
    take_image,
)
from pytest_bbmigrate.sqlite_files import images as database
from pytest_bbmigrate.sqlite_files.images import copy_file, same_image

if TYPE_CHECKING:
    from pathlib import Path


def make_file(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for sql in statements:
            db.execute(sql)
    return path


def test_an_image_gives_back_what_was_taken() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES ('x')")
        image = take_image(db)

    with closing(open_image(image)) as again:
        assert again.execute("SELECT a FROM t").fetchall() == [("x",)]


def test_an_opened_image_is_a_copy_of_its_own() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (a)")
        image = take_image(db)
    with closing(open_image(image)) as one:
        one.execute("DROP TABLE t")

    with closing(open_image(image)) as other:
        assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_an_empty_database_is_an_empty_image() -> None:
    with closing(open_image(b"")) as db:
        assert take_image(db) == b""


def test_foreign_keys_are_off_and_nothing_is_begun_by_itself() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (1)")

        assert db.execute("PRAGMA foreign_keys").fetchone() == (0,)
        assert not db.in_transaction


class AsBuiltByApple(sqlite3.Connection):
    """A connection to an SQLite that is built with its old way of renaming, as that of macOS is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA legacy_alter_table = ON")


def test_a_rename_is_followed_whatever_sqlite_was_built_with() -> None:
    with closing(open_image(b"", AsBuiltByApple)) as db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TABLE tags (account REFERENCES accounts)")
        db.execute("CREATE VIEW ids AS SELECT id FROM accounts")
        db.execute("ALTER TABLE accounts RENAME TO places")

        assert db.execute("PRAGMA foreign_key_list(tags)").fetchone()[2] == "places"
        assert db.execute("SELECT count(*) FROM ids").fetchone() == (0,)


def test_text_that_is_not_utf_8_is_read_all_the_same() -> None:
    with closing(open_image(b"")) as db:
        assert db.execute("SELECT CAST(x'61ff62' AS TEXT)").fetchone() == ("a\udcffb",)


def test_a_pair_has_what_was_before_beside_what_is_after() -> None:
    images = []
    for value in ("before", "after"):
        with closing(open_image(b"")) as db:
            db.execute("CREATE TABLE t (a)")
            db.execute("INSERT INTO t VALUES (?)", [value])
            images.append(take_image(db))

    with closing(open_contents(*images)) as pair:
        assert pair.execute("SELECT a FROM main.t").fetchall() == [("after",)]
        assert pair.execute("SELECT a FROM before.t").fetchall() == [("before",)]


def test_a_pair_may_begin_with_nothing() -> None:
    with closing(open_contents(b"", b"")) as pair:
        assert pair.execute("SELECT count(*) FROM before.sqlite_schema").fetchone() == (0,)


def test_the_apps_hook_is_called_with_every_connection_and_changes_none_of_our_settings() -> None:
    def hook(db: sqlite3.Connection) -> None:
        db.create_function("norm", 1, str.lower, deterministic=True)
        db.row_factory = sqlite3.Row
        db.text_factory = bytes
        db.execute("PRAGMA foreign_keys = ON")

    with app_connections(hook), closing(open_image(b"")) as db:
        assert db.execute("SELECT norm('A')").fetchall() == [("a",)]
        assert db.execute("PRAGMA foreign_keys").fetchone() == (0,)
    with closing(open_image(b"")) as db, pytest.raises(sqlite3.OperationalError, match="norm"):
        db.execute("SELECT norm('A')")


def test_a_hook_that_raises_is_named() -> None:
    def prepare(db: sqlite3.Connection) -> None:
        db.execute("SELECT absent")

    message = r"bb_connection: prepare\(\) raised OperationalError: no such column: absent"
    told = showing_values(everything=True)
    with told, app_connections(prepare), pytest.raises(SettingsError, match=message):
        open_image(b"")


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_is_read_and_left_as_it_was(tmp_path: Path, mode: str) -> None:
    path = make_file(
        tmp_path / "money #1.db",
        f"PRAGMA journal_mode = {mode}",
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (42)",
    )
    before = path.read_bytes()
    image = read_image(path)

    with closing(open_image(image)) as db:
        assert db.execute("SELECT a FROM t").fetchall() == [(42,)]
    assert path.read_bytes() == before


def test_nothing_is_left_beside_a_file_that_was_read(tmp_path: Path) -> None:
    path = make_file(tmp_path / "money.db", "PRAGMA journal_mode = wal", "CREATE TABLE t (a)")

    read_image(path)

    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_somebody_opened_meanwhile_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file(tmp_path / "money.db", "PRAGMA journal_mode = wal", "CREATE TABLE t (a)")
    asked: list[str] = []

    def copy_and_be_interrupted(path: Path, parameters: str) -> bytes:
        image = copy_file(path, parameters)
        if not asked:
            make_file(path, "CREATE TABLE u (a)")
        asked.append(parameters)
        return image

    monkeypatch.setattr("pytest_bbmigrate.sqlite_files.images.copy_file", copy_and_be_interrupted)
    image = read_image(path)

    with closing(open_image(image)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("t",), ("u",)]
    assert asked == ["mode=ro&immutable=1"] * 2


def test_rows_that_are_only_in_the_wal_are_read(tmp_path: Path) -> None:
    path = tmp_path / "money.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("CREATE TABLE t (a)")
        writer.execute("INSERT INTO t VALUES (42)")
        image = read_image(path)

    with closing(open_image(image)) as db:
        assert db.execute("SELECT a FROM t").fetchall() == [(42,)]


def test_a_file_that_another_program_is_writing_is_said_to_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    path = make_file(tmp_path / "money.db", "CREATE TABLE t (a)")
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match=r"money\.db: .*database is locked"):
            read_image(path)


def test_a_missing_file_is_named_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "money.db"
    with pytest.raises(DatabaseError, match="no such database file"):
        read_image(path)

    assert not path.exists()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="not a database file"):
        read_image(tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "money.db"
    path.write_text("not a database, but long enough to be looked at by SQLite " * 20)

    with pytest.raises(DatabaseError, match=r"money\.db: cannot be read as an SQLite database"):
        read_image(path)


def test_an_image_in_wal_mode_is_marked_as_one_in_rollback_mode(tmp_path: Path) -> None:
    path = make_file(tmp_path / "money.db", "PRAGMA journal_mode = wal", "CREATE TABLE t (a)")
    raw = path.read_bytes()

    assert raw[18:20] == b"\x02\x02"
    assert marked_rollback_mode(raw)[18:20] == b"\x01\x01"


@pytest.mark.parametrize("size", [512, 4096, 65536])
def test_the_page_size_is_read_from_the_header(size: int) -> None:
    with closing(open_image(b"")) as db:
        db.execute(f"PRAGMA page_size = {size}")
        db.execute("CREATE TABLE t (a)")
        image = take_image(db)

    assert page_size(image) == size


def image_after(image: bytes, *statements: str) -> bytes:
    with closing(open_image(image)) as db:
        for sql in statements:
            db.execute(sql)
        return take_image(db)


def test_a_table_that_is_dropped_and_made_again_is_the_same_content() -> None:
    once = image_after(b"", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "CREATE TABLE u (a)")
    again = image_after(once, "DROP TABLE u", "CREATE TABLE u (a)")

    assert once != again
    assert same_image(once, again)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = 2",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 1",
        "CREATE TABLE u (a)",
        "DELETE FROM t",
    ],
)
def test_content_settings_and_free_pages_are_not_the_same_content(statement: str) -> None:
    image = image_after(b"", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")

    assert not same_image(image, image_after(image, statement))
    assert same_image(image, bytes(bytearray(image)))
