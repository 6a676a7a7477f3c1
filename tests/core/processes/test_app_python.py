"""The interpreter that ``bb_python`` names: asked which it is, and refused where it is no use."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.processes import app_python as app_python_module
from pytest_bbmigrate.processes.app_python import (
    MARK,
    AppPython,
    app_python,
    own_packages,
    unreadable_here,
)

if TYPE_CHECKING:
    from collections.abc import Callable

UNREADABLE = 'malformed database schema (v) - near "ORDER": syntax error'


@pytest.fixture
def says(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes a program that answers as a Python would."""

    def make(text: str = "", **found: object) -> Path:
        answer = {"python": [3, 13, 1], "path": ["/app"], "sqlite": "3.45.1"}
        answer.update({"driver": "", "fault": "", **found})
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text or MARK + json.dumps(answer)}\nEND\n")
        program.chmod(0o700)
        return program

    return make


def test_a_python_is_known_by_what_it_says(says: Callable[..., Path]) -> None:
    found = app_python(says())

    assert (found.version, found.sqlite, found.path) == ("3.13.1", "3.45.1", ("/app",))
    assert str(found) == "app's Python 3.13.1, SQLite 3.45.1 (bb_python)"


def test_what_site_prints_is_passed_over(says: Callable[..., Path]) -> None:
    answer = {"python": [3, 12, 0], "path": [], "sqlite": "3.45.1", "driver": "", "fault": ""}

    assert app_python(says(f"welcome\n{MARK}{json.dumps(answer)}\nbye")).version == "3.12.0"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"python": [3, 10, 9]}, "Python 3.10.9 is too old; name one of 3.11 or newer"),
        ({"sqlite": "", "fault": "no _sqlite3"}, "that Python 3.13.1 has no sqlite3 (no _sqlite3)"),
        (
            {"sqlite": "3.37.2"},
            "its SQLite 3.37.2 is too old to rely on; name one with SQLite 3.38",
        ),
        ({"driver": "pysqlite3"}, "its sqlite3 is another module, pysqlite3, which has not all"),
        (
            {"fault": "ImportError: psutil"},
            "pytest-bbmigrate cannot run by that Python 3.13.1 (ImportError: psutil); is it made",
        ),
    ],
)
def test_a_python_that_is_of_no_use_is_refused(
    says: Callable[..., Path], found: dict[str, object], message: str
) -> None:
    program = says(**found)

    with pytest.raises(SettingsError) as caught:
        app_python(program)

    assert str(caught.value).startswith(f"bb_python = {program}: {message}")


def test_a_program_that_is_no_python_is_refused(says: Callable[..., Path]) -> None:
    with pytest.raises(SettingsError, match="it is no Python: it ended with exit code 0, and did"):
        app_python(says("hello"))


def test_a_file_that_cannot_be_started_is_refused(tmp_path: Path) -> None:
    (tmp_path / "python").write_bytes(b"\x7fELF")
    (tmp_path / "python").chmod(0o700)

    with pytest.raises(SettingsError, match=r"it cannot be started \(Exec format error\); is it a"):
        app_python(tmp_path / "python")


def test_a_program_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\nexec sleep 100\n")
    (tmp_path / "python").chmod(0o700)
    monkeypatch.setattr(app_python_module, "ANSWER_SECONDS", 0.2)

    with pytest.raises(SettingsError, match=r"it gave no answer within 0\.2 seconds"):
        app_python(tmp_path / "python")


def test_this_python_can_run_all_that_is_needed() -> None:
    found = app_python(Path(sys.executable))

    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.sqlite == sqlite3.sqlite_version


def test_our_packages_come_with_all_that_they_need() -> None:
    folders = json.loads(own_packages())

    assert {"faker", "psutil", "sqlite_utils", "click", "pluggy", "dateutil"} <= set(folders)
    assert not {"pip", "pytest", "pytest_bbmigrate"} & set(folders)
    assert all((Path(folder) / "faker").is_dir() for folder in {folders["faker"]})


@pytest.mark.parametrize(
    ("sqlite", "said", "is_told"),
    [
        ("3.99.1", UNREADABLE, True),
        ("3.99.1", "disk I/O error", False),
        (sqlite3.sqlite_version, UNREADABLE, False),
    ],
)
def test_both_versions_are_named_where_the_older_sqlite_does_not_read(
    sqlite: str, said: str, *, is_told: bool
) -> None:
    text = unreadable_here(AppPython("python", "3.13.1", sqlite, (), ""), said)

    assert ("SQLite 3.99.1 of the app's Python" in text) is is_told
    assert (f"SQLite {sqlite3.sqlite_version} of pytest's" in text) is is_told
    assert unreadable_here(None, said) == ""
