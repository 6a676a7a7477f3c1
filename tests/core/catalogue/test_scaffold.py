"""Writing the next migration from a template."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.catalogue.scaffold import write_new
from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.visible import visible
from tests.core.cataloguing import complaints, migration, write

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_migration_makes_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "backend" / "migrations"

    assert write_new(folder, "add trip tags") == folder / "001_add_trip_tags.sql"


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (["001_a.sql", "002_b.py"], "003_x.sql"),
        (["0009_a.sql"], "0010_x.sql"),
        (["999_a.sql"], "1000_x.sql"),
        (["2_a.up.sql", "2_a.down.sql", "1_b.sql"], "3_x.sql"),
        (["0001-a.sql"], "0002-x.sql"),
        (["v7_a.sql"], "v8_x.sql"),
        (["001.sql"], "002_x.sql"),
        (["0001-2-a.sql"], "0002-x.sql"),
        (["003_a/up.sql", "002_b.sql"], "004_x.sql"),
        (["004_README.md", "a.sql"], "001_x.sql"),
        (["a.py"], "001_x.sql"),
        (["V1__a.sql", "V1.09__b.sql", "U3__b.sql", "002_c.sql"], "V1.10__x.sql"),
        (["V009__a.sql", "V008.7__b.sql"], "V010__x.sql"),
    ],
)
def test_the_next_number_is_in_the_style_of_the_last(
    tmp_path: Path, there: list[str], expected: str
) -> None:
    folder = write(tmp_path, dict.fromkeys(there, ""))

    assert write_new(folder, "x").name == expected


@pytest.mark.parametrize(
    ("last", "form"),
    [
        ("20200101120000_a.sql", "%Y%m%d%H%M%S_x.sql"),
        ("2020-01-01-120000_a.sql", "%Y-%m-%d-%H%M%S_x.sql"),
        ("2020_01_01_120000_a.sql", "%Y_%m_%d_%H%M%S_x.sql"),
        ("2020-01-01_a.sql", "%Y-%m-%d_x.sql"),
    ],
)
def test_timestamps_stay_timestamps_in_utc(tmp_path: Path, last: str, form: str) -> None:
    before = datetime.now(UTC)
    path = write_new(write(tmp_path, {last: ""}), "x")
    after = datetime.now(UTC)

    assert f"{before:{form}}" <= path.name <= f"{after:{form}}"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("20991231235959_a.sql", "20991231235960_x.sql"),
        ("2099-12-31-235959_a.sql", "2099-12-31-235960_x.sql"),
        ("2099_12_09_a.sql", "2099_12_10_x.sql"),
    ],
)
def test_the_next_timestamp_is_later_than_the_last_whatever_the_clock_says(
    tmp_path: Path, last: str, expected: str
) -> None:
    assert write_new(write(tmp_path, {last: ""}), "x").name == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Add Trip-Tags!", "001_add_trip_tags.sql"),
        ("merge_categories.py", "001_merge_categories.py"),
        ("Merge.PY", "001_merge.py"),
        ("trips.sql", "001_trips.sql"),
        ("2026 budget", "001_2026_budget.sql"),
        ("größe", "001_größe.sql"),
        ("a.b", "001_a_b.sql"),
    ],
)
def test_the_name_becomes_words_with_underscores(tmp_path: Path, name: str, expected: str) -> None:
    assert write_new(tmp_path, name).name == expected


def test_the_header_says_what_when_and_who(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    write_new(tmp_path, "add_trip_tags")
    text = (tmp_path / "001_add_trip_tags.sql").read_text()

    text = text.replace("up\n", "up\nSELECT 1;\n").replace("down\n", "down\n-- nothing to do\n")
    written = migration(tmp_path, {"001_add_trip_tags.sql": text})

    assert written.contract.headers == {
        "Migration": "Add trip tags",
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Author": "ada",
    }
    assert "-- Purpose:\n" in text


def test_the_author_is_whom_git_knows(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "config", "user.name", "Ada Lovelace"], check=True)

    assert "# Author: Ada Lovelace\n" in write_new(tmp_path, "a.py").read_text()


def test_the_author_is_the_login_where_git_knows_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in (("HOME", str(tmp_path)), ("XDG_CONFIG_HOME", str(tmp_path))):
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "ada")

    assert "-- Author: ada\n" in write_new(tmp_path, "a").read_text()


def test_a_login_without_a_name_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(getpass, "getuser", fail)

    assert "-- Author: unknown\n" in write_new(tmp_path, "a").read_text()


@pytest.mark.parametrize(("name", "parts"), [("trips", 1), ("trips.py", 2)])
def test_what_is_written_is_told_to_be_empty_still(tmp_path: Path, name: str, parts: int) -> None:
    path = write_new(tmp_path, name)

    found = complaints(tmp_path, {})

    assert len(found) == parts
    for complaint in found:
        assert re.match(rf"{path.name}:\d+: the .* of this migration is still empty; ", complaint)


def test_a_python_migration_that_is_written_to_its_end_reads(tmp_path: Path) -> None:
    path = write_new(tmp_path, "trips.py")
    path.write_text(path.read_text().replace("    ...\n", "    db.execute('SELECT 1')\n"))

    (only,) = read_catalogue(tmp_path).migrations

    assert only.contract.headers["Migration"] == "Trips"
    assert only.down is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "there is no letter or digit in the name"),
        ("  ", "there is no letter or digit in the name"),
        (".sql", "there is no letter or digit in the name"),
        ("_-_.py", "there is no letter or digit in the name"),
        ("a/b", "a name, not a path"),
        ("..\\b", "a name, not a path"),
        ("a\0b", "a name, not a path"),
    ],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"--bb-new={visible(name)}: {message}")):
        write_new(tmp_path / "migrations", name)

    assert not (tmp_path / "migrations").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"migrations": ""})

    with pytest.raises(SettingsError, match=r"migrations cannot be written \(File exists\)"):
        write_new(tmp_path / "migrations", "a")


def test_a_file_that_is_there_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, {"001_a.sql": "SELECT 1"}) / "001_a.sql"
    monkeypatch.setattr(type(tmp_path), "iterdir", lambda _: iter(()))

    with pytest.raises(SettingsError, match=r"001_a.sql cannot be written \(File exists\)"):
        write_new(tmp_path, "a")

    assert path.read_text() == "SELECT 1"
