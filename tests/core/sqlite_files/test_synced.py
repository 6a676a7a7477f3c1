"""Folders that a program keeps the same on several machines, by their names and attributes."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_bbmigrate.sqlite_files import synced
from pytest_bbmigrate.sqlite_files.synced import attributes_of, synchronised_by


@pytest.mark.parametrize(
    ("folder", "program"),
    [
        ("Library/Mobile Documents/com~apple~CloudDocs/money", "iCloud Drive"),
        ("Library/CloudStorage/GoogleDrive-me@example.org/My Drive", "Google Drive"),
        ("Library/CloudStorage/OneDrive-Personal", "OneDrive"),
        ("Library/CloudStorage/Dropbox/money", "Dropbox"),
        ("Library/CloudStorage/Box-Box", "Box"),
        ("Dropbox/money", "Dropbox"),
        ("Dropbox (Personal)", "Dropbox"),
        ("OneDrive - A Company", "OneDrive"),
        ("Google Drive/money", "Google Drive"),
        ("iCloudDrive", "iCloud Drive"),
        ("Nextcloud", "Nextcloud"),
        ("Library/Application Support", ""),
        ("Library/CloudStorage", ""),
        ("my dropbox notes", ""),
        ("Documents", ""),
    ],
)
def test_a_folder_that_is_synchronised_is_known_by_its_name(
    tmp_path: Path, folder: str, program: str
) -> None:
    assert synchronised_by(tmp_path / folder / "money.db") == program


def test_the_name_of_the_file_itself_tells_nothing(tmp_path: Path) -> None:
    assert synchronised_by(tmp_path / "Dropbox") == ""


def test_a_link_into_such_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "Dropbox" / "money.db").touch()
    (tmp_path / "money.db").symlink_to(tmp_path / "Dropbox" / "money.db")

    assert synchronised_by(tmp_path / "money.db") == "Dropbox"


@pytest.mark.parametrize("name", ["Desktop", "Documents"])
def test_desktop_and_documents_are_synchronised_where_icloud_has_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    database = tmp_path / name / "money" / "money.db"
    database.parent.mkdir(parents=True)
    before = synchronised_by(database)
    (tmp_path / "Library" / "Mobile Documents" / "com~apple~CloudDocs" / name).mkdir(parents=True)

    assert (before, synchronised_by(database)) == ("", "iCloud Drive")


@pytest.mark.parametrize(
    ("attribute", "program"),
    [
        ("com.apple.fileprovider.fpfs#P", "a file provider such as iCloud Drive"),
        (
            "com.apple.file-provider-domain-id#N",
            "a file provider such as iCloud Drive",
        ),
        ("com.apple.icloud.desktop", "iCloud Drive"),
        ("com.dropbox.attrs", "Dropbox"),
        ("user.com.dropbox.attributes", "Dropbox"),
        ("com.google.drivefs.item-id#S", "Google Drive"),
        ("user.drive.id", "Google Drive"),
        ("com.microsoft.OneDrive.RecycleBin", "OneDrive"),
        ("com.apple.quarantine", ""),
        ("user.xdg.origin.url", ""),
    ],
)
def test_a_folder_that_is_synchronised_is_known_by_its_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str, program: str
) -> None:
    monkeypatch.setattr(
        synced, "attributes_of", lambda path: (attribute,) if path == tmp_path else ()
    )

    assert synchronised_by(tmp_path / "money" / "money.db") == program


@pytest.mark.parametrize(("mark", "program"), [(".dropbox", "Dropbox"), (".stfolder", "Syncthing")])
def test_a_folder_that_is_synchronised_is_known_by_what_its_program_keeps_there(
    tmp_path: Path, mark: str, program: str
) -> None:
    (tmp_path / mark).mkdir()

    assert synchronised_by(tmp_path / "money" / "money.db") == program


def test_the_attributes_of_a_file_are_read_without_opening_it(tmp_path: Path) -> None:
    file = tmp_path / "money.db"
    file.touch()
    try:
        os.setxattr(file, "user.drive.id", b"1")
        os.setxattr(file, "user.note", b"2")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    file.chmod(0)

    assert sorted(attributes_of(file)) == ["user.drive.id", "user.note"]
    assert synchronised_by(file) == "Google Drive"


@pytest.mark.parametrize("library", [SimpleNamespace(), None])
def test_where_attributes_cannot_be_read_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: object
) -> None:
    def load(_: None) -> object:
        if library is None:
            raise TypeError("there is no C library to look in")
        return library

    monkeypatch.setattr(ctypes, "CDLL", load)

    assert attributes_of(tmp_path) == ()
    assert synchronised_by(tmp_path / "money.db") == ""


def test_a_file_that_is_not_there_has_no_attributes(tmp_path: Path) -> None:
    assert attributes_of(Path(tmp_path / "nowhere")) == ()
