"""What the smoke tests' own pytest has written down, after something else has written there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.smoke.events import (
    KIND_OF,
    REPORT,
    Begun,
    Collected,
    Finished,
    Reported,
    Started,
    read_events,
)
from pytest_bbmigrate.plugin.smoke.result import OUTPUT, UNREADABLE, read_result
from pytest_bbmigrate.processes.messages import encode_message
from tests.depth import every
from tests.plugin.real_database import ask, backups, litter, run_sql, write_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.plugin.smoke.events import Event

EVENTS: tuple[Event, ...] = (
    Begun(),
    Collected("a"),
    Started("a"),
    Reported("a", "passed"),
    Finished(),
)


def lines(*events: Event) -> bytes:
    return b"".join(encode_message(KIND_OF[type(each)], each) + b"\n" for each in events)


SOUND = lines(*EVENTS)


def read(folder: Path, report: bytes) -> tuple[str, tuple[object, ...]]:
    (folder / REPORT).write_bytes(report)
    (folder / OUTPUT).touch()
    result = read_result(folder, 0, 5)
    return result.fault, result.tests


def test_events_come_back_as_they_were_recorded(tmp_path: Path) -> None:
    (tmp_path / REPORT).write_bytes(SOUND)

    assert tuple(read_events(tmp_path)) == EVENTS


@pytest.mark.parametrize(
    "report",
    [
        b"\xc1\xff",
        SOUND[:-9],
        SOUND[:-1],
        lines(*EVENTS[1:]),
        lines(*EVENTS[3:]),
        SOUND + b"\0\0",
        SOUND + b"\n",
        SOUND + b"[]\n",
        SOUND + b'{"test": "a"}\n',
        SOUND + b'{"version": 1, "kind": "reported", "value": {"test": "a"}}\n',
        SOUND.replace(b'"passed"', b"1"),
        SOUND.replace(b'"outcome"', b'"result"'),
        SOUND.replace(b'"reported"', b'"told"'),
        SOUND.replace(b'"version": 1', b'"version": 2'),
    ],
    ids=[
        *(
            "bytes",
            "cut",
            "no line end",
            "no beginning",
            "the end alone",
            "NUL",
            "an empty line",
            "a list",
            "no message",
        ),
        *("a field too few", "another type", "another field", "another kind", "another version"),
    ],
)
def test_a_report_that_does_not_read_is_no_success(tmp_path: Path, report: bytes) -> None:
    assert read(tmp_path, report) == (f"{UNREADABLE}: pytest ended with exit code 0", ())


def remove(path: Path) -> None:
    path.unlink()


def replace_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("name", [REPORT, OUTPUT])
@pytest.mark.parametrize("damage", [remove, replace_by_a_pipe, replace_by_a_link])
def test_what_is_no_file_any_more_is_not_waited_for_and_no_success(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    read(tmp_path, SOUND)
    damage(tmp_path / name)

    assert read_result(tmp_path, 0, 5).fault == f"{UNREADABLE}: pytest ended with exit code 0"


SPOILS = """
import os, pathlib, pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    report = pathlib.Path(os.environ["PYTEST_BBMIGRATE_SMOKE"], "report.jsonl")
    {}
"""
WITHOUT_FIELD = '{"version": 1, "kind": "reported", "value": {"test": "x"}}'


@pytest.mark.parametrize(
    "does",
    every(
        2,
        [
            f"report.open('a').write('{WITHOUT_FIELD}' + chr(10))",
            "report.unlink()",
            "os.truncate(report, 0)",
            "report.unlink(); os.mkfifo(report)",
            "report.unlink(); report.touch()",
        ],
    ),
)
def test_an_app_that_spoils_the_record_fails_the_step_and_publishes_nothing(
    project: pytest.Pytester, does: str
) -> None:
    write_steps(project, "CREATE TABLE accounts (id INTEGER PRIMARY KEY);\n")
    project.makepyfile(test_app=SPOILS.format(does))
    database = project.path / "budget_buddy.db"
    run_sql(database, "PRAGMA user_version = 1")
    before = database.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*not applied: smoke failed*", "FAILED *::smoke*"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert database.read_bytes() == before
    assert (ask(database, "PRAGMA user_version"), backups(project)) == ([(1,)], [])
    assert litter(project) == []
