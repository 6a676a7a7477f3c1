"""What every file of a session said, held against what it says later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import Fingerprint, fingerprint, read_catalogue
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "m/001_a.sql": "SELECT 1;",
    "m/002_b/up.sql": "SELECT 2;",
    "m/002_b/down.sql": "SELECT 3;",
    "m/lib/data.csv": "1",
    "settings.ini": "x",
    "m/app.db.backup.20260101_000000": "rows",
}


def taken(root: Path) -> Fingerprint:
    write(root, FILES)
    texts = read_catalogue(root / "m").texts
    others = [root / "settings.ini", root / "nowhere"]
    return fingerprint(root / "m", texts, others, database=root / "app.db")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("m/001_a.sql", "-- a comment\nSELECT 1;", "was changed"),
        ("m/002_b/down.sql", "SELECT 4;", "was changed"),
        ("m/lib/data.csv", "2", "was changed"),
        ("m/003_c.sql", "SELECT 5;", "was not there before"),
        ("settings.ini", "y", "was changed"),
        ("nowhere", "", "was not there before"),
        ("m/lib/data.csv", None, "is gone"),
    ],
)
def test_each_file_that_says_something_else_is_named(
    tmp_path: Path, name: str, content: str | None, what: str
) -> None:
    fixed = taken(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        write(tmp_path, {name: content})

    assert list(fixed.changes_to(fixed.read_again())) == [f"{(tmp_path / name).resolve()} {what}"]


@pytest.mark.parametrize(
    "name", ["m/.001_a.sql.swp", "m/001_a.sql~", "m/README", "m/x.md", "m/__pycache__/a.py"]
)
def test_what_is_never_a_migration_may_change(tmp_path: Path, name: str) -> None:
    fixed = taken(tmp_path)
    write(tmp_path, {name: "y", "m/app.db": "y", "m/app.db-wal": "y", "m/v/pyvenv.cfg": ""})

    assert list(fixed.changes_to(fixed.read_again())) == []
    assert fixed.read_again().key == fixed.key


def test_a_text_that_was_read_counts_and_not_the_file_of_later(tmp_path: Path) -> None:
    fixed = taken(tmp_path)
    write(tmp_path, {"m/001_a.sql": "SELECT 9;"})
    read = read_catalogue(tmp_path / "m").texts
    write(tmp_path, {"m/001_a.sql": FILES["m/001_a.sql"]})

    assert list(fixed.changes_to(fixed.read_again())) == []
    assert len(list(fixed.changes_to(fixed.read_again(read)))) == 1


def test_the_key_tells_the_texts_of_the_folder_apart_and_no_others(tmp_path: Path) -> None:
    fixed = taken(tmp_path)
    write(tmp_path, {"settings.ini": "y"})
    same = fixed.read_again()
    write(tmp_path, {"m/001_a.sql": "SELECT 9;"})

    assert same.key == fixed.key
    assert fixed.read_again().key != fixed.key
