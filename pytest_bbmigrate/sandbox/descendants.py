"""Every process that comes from this one, which has adopted orphans: found, measured and ended."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from pytest_bbmigrate.processes.children import reap
from pytest_bbmigrate.processes.orphans import KILL_SECONDS, PAUSE_SECONDS, program_name

if TYPE_CHECKING:
    from collections.abc import Callable


def has_children() -> bool:
    """Return whether this process has children, be it dead ones; none may be reaped meanwhile."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def living() -> list[psutil.Process]:
    """Return the descendants of this process that are alive."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_descendants(
    patience: float, is_enough: Callable[[], bool] = lambda: False
) -> tuple[str, ...]:
    """End every descendant of this process, which has adopted orphans.

    Return the program names of those that had to be killed, sorted; all have ``patience`` seconds
    to end by themselves, unless ``is_enough()`` before that.
    """
    deadline = time.monotonic() + patience
    while is_survived() and time.monotonic() < deadline and not is_enough():
        time.sleep(PAUSE_SECONDS)
    names: set[str] = set()
    deadline = time.monotonic() + KILL_SECONDS
    while is_survived() and time.monotonic() < deadline:
        for process in living():
            names.add(program_name(process))
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(PAUSE_SECONDS / 10)
    return tuple(sorted(names))


def is_survived() -> bool:
    """Return whether children are left once the dead ones are reaped."""
    reap()
    return has_children()


def hold_more(limit: int) -> bool:
    """Return whether the descendants of this process hold more than ``limit`` bytes in memory.

    What forked ones share with this process, from which they come, does not count.
    """
    processes = living()
    if sum(map(resident_bytes, processes)) <= limit:
        return False
    if sys.platform != "linux":
        return True
    shared = proportional_bytes(psutil.Process())  # all that this process has
    return sum(max(0, proportional_bytes(process) - shared) for process in processes) > limit


def resident_bytes(process: psutil.Process) -> int:
    """Return how many bytes of ``process`` are in memory, shared ones included."""
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def proportional_bytes(process: psutil.Process) -> int:
    """Return how many bytes of ``process`` are in memory; what n processes share counts 1/n."""
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0
