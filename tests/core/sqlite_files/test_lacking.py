"""What SQLite or Python may lack is taken away here, and there is a way round."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sqlite_files import contents as contents_module
from pytest_bbmigrate.sqlite_files import (
    images,
    open_content,
    open_contents,
    open_image,
    private_copy,
    take_image,
)
from pytest_bbmigrate.sqlite_files.contents import attach_content
from pytest_bbmigrate.sqlite_files.images import same_image

if TYPE_CHECKING:
    from pathlib import Path

FILL = (
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)",
    "INSERT INTO accounts (name) VALUES ('Everyday'), (CAST(x'61ff62' AS TEXT))",
    "CREATE VIEW names AS SELECT name FROM accounts",
)


@pytest.fixture
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what makes bytes of a database, as an SQLite without deserialize has it."""
    monkeypatch.setattr(images, "can_serialize", lambda: False)
    monkeypatch.setattr(contents_module, "can_serialize", lambda: False)


def image_of(*statements: str, size: int = 4096) -> bytes:
    with closing(open_image(b"")) as db:
        db.execute(f"PRAGMA page_size = {size}")
        for sql in statements:
            db.execute(sql)
        return take_image(db)


@pytest.mark.parametrize("size", [512, 4096, 65536])
@pytest.mark.usefixtures("no_images")
def test_without_serialize_an_image_is_the_same_content(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    image = image_of(*FILL, "PRAGMA user_version = 7", size=size)
    with closing(open_image(image)) as db:
        again = take_image(db)
        held = db.execute("SELECT name FROM accounts").fetchall()
    monkeypatch.undo()
    ours = image_of(*FILL, "PRAGMA user_version = 7", size=size)

    assert same_image(again, ours)
    assert same_image(image, ours)
    assert held == [("Everyday",), ("a\udcffb",)]


@pytest.mark.usefixtures("no_images")
def test_without_serialize_a_pair_can_be_read_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before, after = image_of(*FILL), image_of(*FILL, "DELETE FROM accounts WHERE id = 1")

    with closing(open_contents(before, after)) as pair:
        counts = [
            pair.execute(f"SELECT count(*) FROM {name}.accounts").fetchone()[0]
            for name in ("before", "main")
        ]
        left = list(tmp_path.iterdir())

    assert (counts, left) == ([2, 1], [])


@pytest.mark.usefixtures("no_images")
def test_without_serialize_nothing_can_be_attached_all_the_same() -> None:
    with closing(attach_content(open_content(image_of(*FILL)), b"")) as pair:
        assert pair.execute("SELECT count(*) FROM before.sqlite_schema").fetchone() == (0,)


def test_where_python_has_no_copy_in_the_kernel_the_bytes_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range")
    path = tmp_path / "money.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(FILL[0])

    copy = private_copy(path, tmp_path)

    assert not isinstance(copy, bytes)
    assert copy.read_bytes() == path.read_bytes()
