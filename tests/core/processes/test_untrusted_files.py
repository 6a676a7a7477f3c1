"""What a process has left that ran somebody's program is looked at, and never waited for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.untrusted_files import read_untrusted_text
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.script_report import ScriptReport, read_report, write_report
from tests.core.running import run_script

if TYPE_CHECKING:
    from pathlib import Path

SOUND = {
    "executed": ["SELECT 1"],
    "refused": [],
    "lost": "",
    "error": "",
    "line": None,
    "statement": "",
    "note": "",
}


def message(**changes: object) -> str:
    """Return the report of a script, with fields that are others or that it does not have."""
    return json.dumps({"version": 1, "kind": "report", "value": {**SOUND, **changes}})


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    report = ScriptReport(("SELECT 1",), ("refused",), "lost", "error", 3, "SELECT 2", "note")
    write_report(tmp_path / "report.json", report)

    assert read_report(tmp_path / "report.json") == report


def test_a_report_may_be_short(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(message())

    assert read_report(tmp_path / "report.json") == ScriptReport(("SELECT 1",))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 200_000,
        "[]",
        "{}",
        json.dumps(SOUND),
        message(more=1),
        message(executed=[1]),
        message(executed="SELECT 1"),
        message(error=None),
        message(line="3"),
    ],
)
def test_what_is_no_report_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)

    assert read_report(tmp_path / "report.json") is None


@pytest.mark.parametrize("kind", ["missing", "pipe", "link", "folder"])
def test_what_is_put_in_the_place_of_a_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "left"
    (tmp_path / "other").write_text(message())
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "other")
    elif kind == "folder":
        path.mkdir()

    assert read_report(path) is None
    assert read_untrusted_text(path) == ""


def test_a_script_that_writes_its_own_report_has_not_come_to_its_end(tmp_path: Path) -> None:
    source = """
        import ctypes, os
        def migrate():
            folder = os.path.dirname(os.getcwd())
            open(os.path.join(folder, "report.json"), "w").write("well")
            os.unlink(os.path.join(folder, "printed"))
            os.mkfifo(os.path.join(folder, "printed"))
            ctypes.CDLL(None)._exit(0)
    """

    run, image = run_script(
        tmp_path, source, environment=RunEnvironment(tmp_path / "a.db", tmp_path)
    )

    assert run.failure is not None
    assert run.failure.message == "the program ended with exit code 0 before its end was reached"
    assert (run.printed, image) == ("", b"")
