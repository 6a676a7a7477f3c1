"""Who has a database open."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.sqlite_files import openers
from pytest_bbmigrate.sqlite_files.openers import Opener, command_name, is_open_here, openers_of
from tests.core.real_databases import MODES, make, other_program

if TYPE_CHECKING:
    from pathlib import Path

READ = "SELECT count(*) FROM money"
KEEP_OPEN = "import sys; file = open(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "statements",
    [(READ,), ("BEGIN", READ), ("BEGIN IMMEDIATE",)],
    ids=["idle", "reading", "writing"],
)
def test_a_program_that_has_it_open_is_seen(
    tmp_path: Path, mode: str, statements: tuple[str, ...]
) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    with other_program(real, *statements) as other:
        name = psutil.Process(other.pid).name()
        assert openers_of(real) == (Opener(other.pid, name, "real.db"),)

    assert openers_of(real) == ()


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_file_beside_it_counts(tmp_path: Path, suffix: str) -> None:
    real = make(tmp_path / "real.db", "old")
    beside = tmp_path / f"real.db{suffix}"
    beside.touch()
    assert files_seen(beside, real) == [f"real.db{suffix}"]


def test_a_program_that_uses_another_name_of_the_file_is_seen(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    (tmp_path / "hard.db").hardlink_to(real)
    (tmp_path / "soft.db").symlink_to(real)

    assert files_seen(tmp_path / "hard.db", real) == ["real.db"]
    assert files_seen(real, tmp_path / "soft.db") == ["soft.db"]
    assert files_seen(make(tmp_path / "another.db", "old"), real) == []


def test_this_process_is_left_out(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with real.open("rb"):
        assert openers_of(real) == ()


def test_whether_this_process_has_it_open_is_a_question_of_its_own(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with real.open("rb"):
        assert is_open_here(real)

    assert not is_open_here(real)


def test_nobody_has_open_what_is_not_there(tmp_path: Path) -> None:
    assert openers_of(tmp_path / "typo.db") == ()


def test_where_the_system_does_not_show_files_psutil_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    monkeypatch.setattr(openers, "PROC", tmp_path)

    assert files_seen(real, real) == ["real.db"]


def test_a_process_that_may_not_be_seen_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(openers, "PROC", tmp_path)
    monkeypatch.setattr(psutil.Process, "open_files", refuse)
    real = make(tmp_path / "real.db", "old")

    assert files_seen(real, real) == []


def files_seen(opened: Path, database: Path) -> list[str]:
    """Return which file of ``database`` a program is seen to have open that opened ``opened``."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", KEEP_OPEN, os.fspath(opened)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        found = openers_of(database)
        program.communicate(b"")
    assert {opener.pid for opener in found} <= {program.pid}
    return [opener.file for opener in found]


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        ("python3.11", ["/venv/bin/python3.11", "-m", "uvicorn", "app:app"], "uvicorn"),
        ("python3", ["python3", "/venv/bin/uvicorn", "app:app", "--reload"], "uvicorn"),
        ("python3", ["python3", "-X", "dev", "-u", "manage.py", "runserver"], "manage.py"),
        ("python3", ["python3", "-c", "import app"], "python3"),
        ("python3", ["python3", "-m"], "python3"),
        ("python3", ["python3"], "python3"),
        ("python3", [], "python3"),
        ("uvicorn", ["/venv/bin/python3", "/venv/bin/uvicorn", "app:app"], "uvicorn"),
        ("sqlite3", ["sqlite3", "budget_buddy.db"], "sqlite3"),
        ("", [], "a program"),
    ],
)
def test_a_process_is_called_what_a_person_calls_it(
    name: str, arguments: list[str], shown: str
) -> None:
    assert command_name(name, arguments) == shown
