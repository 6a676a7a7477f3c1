"""Contents: databases in memory and in files, worked on in one way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.sqlite_files import (
    app_connections,
    attach_content,
    changed_pages,
    contents,
    digest_of,
    discard,
    equal_contents,
    open_content,
    open_contents,
    open_private,
    private_copy,
    require_bytes,
    same_content,
    temporary_copy,
    written_content,
)
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.sqlite_files import Content

FILLED = (
    "CREATE TABLE t (a); CREATE TABLE u (a);"
    "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 400)"
    "    INSERT INTO t SELECT hex(zeroblob(500)) || n FROM c;"
    "INSERT INTO u VALUES ('x')"
)
ROW = "UPDATE t SET a = replace(a, '0', '1') WHERE rowid = 200"


@pytest.fixture(params=["memory", "file"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """Give a function that makes a content, named, by scripts."""

    def make(name: str, *scripts: str) -> Content:
        image = image_of(*scripts)
        if request.param == "memory":
            return image
        path = tmp_path / f"{name} #1?.db"
        path.write_bytes(image)
        return path

    return make


def file_of(path: Path, *scripts: str) -> Path:
    path.write_bytes(image_of(*scripts))
    return path


def rows(content: Content, sql: str) -> list[tuple[object, ...]]:
    with closing(open_content(content)) as db:
        return db.execute(sql).fetchall()


class TestReading:
    def test_a_content_is_read(self, made: type) -> None:
        assert rows(made("one", FILLED), "SELECT count(*) FROM t") == [(400,)]
        assert rows(made("two"), "SELECT count(*) FROM sqlite_schema") == [(0,)]

    def test_both_contents_are_read_on_one_connection(self, made: type) -> None:
        before, after = made("before", FILLED), made("after", FILLED, "DELETE FROM t")

        with closing(open_contents(before, after)) as db:
            attach_content(db, before)  # which it is already

            assert db.execute("SELECT count(*) FROM before.t").fetchone() == (400,)
            assert db.execute("SELECT count(*) FROM main.t").fetchone() == (0,)

    def test_text_that_is_not_utf_8_is_read(self, made: type) -> None:
        made_of = "CREATE TABLE t (a); INSERT INTO t VALUES (CAST(x'ff' AS TEXT))"

        assert rows(made("one", made_of), "SELECT a FROM t") == [("\udcff",)]

    def test_a_file_cannot_be_written_through_it_and_nothing_is_made_beside_it(
        self, tmp_path: Path
    ) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        was = path.read_bytes()
        with (
            closing(open_content(path)) as db,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            db.execute("DELETE FROM t")

        assert path.read_bytes() == was
        assert list(tmp_path.iterdir()) == [path]

    def test_a_file_in_wal_mode_without_a_wal_is_read(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")

        assert rows(path, "SELECT a FROM u") == [("x",)]
        assert list(tmp_path.iterdir()) == [path]

    def test_the_apps_functions_are_there(self, made: type) -> None:
        content = made("one", FILLED)
        with app_connections(lambda db: db.create_function("seven", 0, lambda: 7)):
            assert rows(content, "SELECT seven()") == [(7,)]

    def test_a_hook_that_raises_is_told(self, made: type) -> None:
        content = made("one", FILLED)
        with app_connections(lambda _: [][0]), pytest.raises(SettingsError, match="IndexError"):
            open_content(content)


class TestWriting:
    def test_what_a_private_copy_becomes_is_a_new_content(self, made: type, tmp_path: Path) -> None:
        content = made("one", FILLED)
        copy = private_copy(content, tmp_path)
        with closing(open_private(copy)) as db:
            db.execute("DELETE FROM t")
            new = written_content(db, copy)

        assert rows(new, "SELECT count(*) FROM t") == [(0,)]
        assert rows(content, "SELECT count(*) FROM t") == [(400,)]

    def test_a_copy_of_a_file_is_ours_alone(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        path.chmod(0o644)
        copy = private_copy(path, tmp_path)

        assert isinstance(copy, type(path))
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert copy.read_bytes() == path.read_bytes()

    def test_a_file_that_nobody_needs_is_moved(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        was = path.read_bytes()
        copy = private_copy(path, tmp_path, move=True)

        assert isinstance(copy, type(path))
        assert copy.read_bytes() == was
        assert list(tmp_path.iterdir()) == [copy]

    def test_where_the_kernel_cannot_copy_the_bytes_are_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> int:
            raise OSError("not between these")

        path = file_of(tmp_path / "t.db", FILLED)
        monkeypatch.setattr(os, "copy_file_range", refuse)
        copy = private_copy(path, tmp_path)

        assert isinstance(copy, type(path))
        assert copy.read_bytes() == path.read_bytes()

    def test_a_copy_that_cannot_be_written_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fill(*_: object) -> None:
            raise OSError("No space left on device")

        path = file_of(tmp_path / "t.db", FILLED)
        monkeypatch.setattr(os, "copy_file_range", fill)
        monkeypatch.setattr(shutil, "copyfile", fill)

        with pytest.raises(OSError, match="No space left"):
            private_copy(path, tmp_path)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_file_is_out_of_wal_mode_when_it_is_kept(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        with closing(open_private(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("DELETE FROM t")
            written_content(db, path)

        assert path.read_bytes()[18:20] == b"\x01\x01"
        assert list(tmp_path.iterdir()) == [path]
        assert rows(path, "SELECT count(*) FROM t") == [(0,)]

    def test_a_discarded_copy_is_gone_with_what_lies_beside_it(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)
        (tmp_path / "t.db-journal").write_bytes(b"")
        discard(path)
        discard(b"an image")

        assert list(tmp_path.iterdir()) == []

    def test_a_throwaway_takes_what_is_written_with_it(
        self, made: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
        content = made("one", FILLED)
        there = sorted(tmp_path.iterdir())
        with temporary_copy(content) as db:
            db.execute("DELETE FROM t")

        assert rows(content, "SELECT count(*) FROM t") == [(400,)]
        assert sorted(tmp_path.iterdir()) == there


class TestComparing:
    def test_contents_are_equal_to_the_byte_or_not(self, made: type) -> None:
        one, same, other = made("one", FILLED), made("same", FILLED), made("other", FILLED, ROW)

        assert equal_contents(one, one)
        assert equal_contents(one, same)
        assert not equal_contents(one, other)
        assert not equal_contents(one, made("short", "CREATE TABLE t (a)"))
        assert equal_contents(made("none"), made("nothing"))

    def test_how_often_a_database_was_written_makes_no_difference(self, made: type) -> None:
        one = made("one", FILLED)
        again = made("again", FILLED, "PRAGMA schema_version = 77")

        assert not equal_contents(one, again)
        assert same_content(one, again)
        assert not same_content(one, made("other", FILLED, ROW))
        assert not same_content(one, made("none"))
        assert same_content(made("no"), made("nothing"))

    @pytest.mark.parametrize("at_once", [4096, 1 << 16, 1 << 20])
    def test_pages_that_differ_are_told_and_the_first_is_not(
        self, made: type, monkeypatch: pytest.MonkeyPatch, at_once: int
    ) -> None:
        monkeypatch.setattr(contents, "PIECE_BYTES", at_once)
        before, after = made("before", FILLED), made("after", FILLED, ROW)
        one, other = image_of(FILLED), image_of(FILLED, ROW)
        expected = [
            number + 1
            for number in range(1, len(one) // 4096)
            if one[number * 4096 :][:4096] != other[number * 4096 :][:4096]
        ]
        changed = changed_pages(before, after)

        assert len(changed) == len(one) // 4096 + 1
        assert [page for page, differs in enumerate(changed) if differs] == expected
        assert expected

    def test_pages_that_are_gone_differ(self, made: type) -> None:
        before = made("before", FILLED)
        after = made("after", FILLED, "DROP TABLE t; VACUUM")
        pages = len(image_of(FILLED, "DROP TABLE t; VACUUM")) // 4096

        assert all(changed_pages(before, after)[pages + 1 :])
        assert not any(changed_pages(after, after))

    def test_an_image_is_not_a_file(self, tmp_path: Path) -> None:
        path = file_of(tmp_path / "t.db", FILLED)

        assert not equal_contents(path, image_of(FILLED))
        assert require_bytes(b"image") == b"image"
        with pytest.raises(TypeError, match=r"t\.db is a file"):
            require_bytes(path)


def test_a_content_is_attached_whose_views_and_triggers_say_main(made: type) -> None:
    named = (
        "CREATE VIEW v AS SELECT a FROM main.t; CREATE TRIGGER g AFTER INSERT ON t BEGIN"
        " INSERT INTO u SELECT a FROM main.t; END;"
    )
    before = made("before", FILLED, named)
    after = made("after", FILLED, named, "DELETE FROM t")
    with closing(open_contents(before, after)) as db:
        assert db.execute("SELECT count(*) FROM before.t").fetchall() == [(400,)]
        assert db.execute("SELECT count(*) FROM main.v").fetchall() == [(0,)]
        with pytest.raises(sqlite3.OperationalError):  # the schema is not left open to writing
            db.execute("DELETE FROM sqlite_schema")


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(256)) * 9000)

    assert digest_of(path) == blake2b(path.read_bytes(), digest_size=32).hexdigest()
