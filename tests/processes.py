"""Other processes, as tests see them: one that is dead is over, whoever has not asked about it yet.

What a killed parent leaves is inherited by PID 1, which may take seconds to ask, or never does.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.fork_server import pids

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 30.0
PAUSE_SECONDS = 0.02  # to ask costs something, too
ROOT = Path(__file__).resolve().parents[1]


def is_running(pid: int) -> bool:
    """Return whether there is a process ``pid`` that is not dead and only kept in the list."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def started_here() -> list[psutil.Process]:
    """Return the processes that come from this one, but for the judge of this very session.

    Regression tests of migrations share that: it is started in the repository's own folder. Nor is
    there what all tests share that have processes forked.
    """
    children = psutil.Process().children(recursive=True)
    return [each for each in children if each.pid not in pids and not _is_own_judge(each)]


def lock_processes() -> list[psutil.Process]:
    """Return the processes that hold a lock for this one."""
    return [each for each in started_here() if "apply.lock.server" in " ".join(each.cmdline())]


def judge_of(pid: int) -> psutil.Process:
    """Return the judge of a whole pytest ``pid``, which is below its session and a supervisor."""
    (session,) = psutil.Process(pid).children()
    (judge,) = [below for each in session.children() for below in each.children()]
    return judge


def _is_own_judge(process: psutil.Process) -> bool:
    try:
        is_judge = any("pytest_bbmigrate.judge" in word for word in process.cmdline())
        return is_judge and Path(process.cwd()) == ROOT
    except psutil.Error:
        return False


def wait_for_end(*pids: int, seconds: float = WAIT_SECONDS) -> None:
    """Return once none of the processes runs any more.

    Raises: AssertionError when one does after so many seconds.
    """
    wait_until(lambda: not any(map(is_running, pids)), seconds)


def wait_until(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Return once ``condition`` holds.

    Raises: AssertionError when it does not after so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(PAUSE_SECONDS)
