"""Processes whose environment is not to be seen, as macOS has them, are found all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.processes.orphans import end_orphans, kill_group, started_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STARTS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
"""


def refuse(process: psutil.Process) -> dict[str, str]:
    raise psutil.AccessDenied(process.pid)


def show_none(_: psutil.Process) -> dict[str, str]:
    return {}


@pytest.fixture
def left_running() -> Iterator[Callable[..., tuple[int, int]]]:
    """Return what starts a program that leaves another one running: its group, and that one."""
    groups = []

    def start(*, session: bool) -> tuple[int, int]:
        with subprocess.Popen(
            [sys.executable, "-c", STARTS],
            stdout=subprocess.PIPE,
            start_new_session=session,
            process_group=None if session else 0,
        ) as program:
            assert program.stdout is not None
            left = int(program.stdout.readline())
        groups.append(program.pid)
        return program.pid, left

    yield start
    for group in groups:
        kill_group(group)


@pytest.mark.parametrize("session", [True, False])
@pytest.mark.parametrize("environ", [refuse, show_none])
def test_a_program_that_hides_its_environment_is_known_by_its_group(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_running: Callable[..., tuple[int, int]],
    environ: Callable[[psutil.Process], dict[str, str]],
    session: bool,  # noqa: FBT001 - a table's column
) -> None:
    group, left = left_running(session=session)
    monkeypatch.setattr(psutil.Process, "environ", environ)

    before = [process.pid for process in started_in(tmp_path, group=group)]
    names = end_orphans(tmp_path, group=group)

    assert before == [left]
    assert len(names) == 1
    assert started_in(tmp_path, group=group) == []
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_a_program_of_another_group_is_left_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_running: Callable[..., tuple[int, int]],
) -> None:
    _, left = left_running(session=True)
    monkeypatch.setattr(psutil.Process, "environ", refuse)

    assert end_orphans(tmp_path, group=os.getpid()) == ()
    assert psutil.pid_exists(left)
