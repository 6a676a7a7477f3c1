"""Processes that a migration has started and not waited for: found, waited for a little, ended."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

FOLDER = "TMPDIR"  # the variable by which a process tells whose it is: every child inherits it
PAUSE = 0.02
KILL_SECONDS = 10.0  # a killed process that waits for a disk may take its time


def kill_group(group: int) -> None:
    """Kill the process group ``group``, or what is left of it."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def end_leftovers(
    folder: Path, patience: float = 0.0, *, variable: str = FOLDER
) -> tuple[str, ...]:
    """End every process whose temporary files go to ``folder`` or beneath it, also a daemon.

    Each has ``patience`` seconds to end by itself. Return the names of those that had to be killed.
    With another ``variable`` of the environment it is that one that tells whose a process is.
    """
    end = time.monotonic() + patience
    while (running := started_in(folder, variable)) and time.monotonic() < end:
        time.sleep(PAUSE)
    names = tuple(sorted({name_of(process) for process in running}))
    end = time.monotonic() + KILL_SECONDS
    while running and time.monotonic() < end:
        for process in running:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(PAUSE)
        running = started_in(folder, variable)
    return names


def started_in(folder: Path, variable: str = FOLDER) -> list[psutil.Process]:
    """Return the other processes whose ``variable`` names ``folder`` or what is beneath it.

    One that is dead has no environment any more, though it may stay in the list of processes.
    """
    wanted = folder.resolve()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it is gone, or somebody else's
            named = process.environ().get(variable, "")
            if process.pid != os.getpid() and Path(named).resolve().is_relative_to(wanted):
                found.append(process)
    return found


def name_of(process: psutil.Process) -> str:
    """Return the name of the program that ``process`` runs."""
    with suppress(psutil.Error):
        return process.name()
    return "a program"
