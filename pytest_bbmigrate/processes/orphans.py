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
    folder: Path, patience: float = 0.0, *, variable: str = FOLDER, group: int = 0
) -> tuple[str, ...]:
    """End every process whose temporary files go to ``folder`` or beneath it, also a daemon.

    Each has ``patience`` seconds to end by itself. Return the names of those that had to be killed.
    With another ``variable`` of the environment it is that one that tells whose a process is; and
    the process ``group``, or the session of that number, where it does not.
    """
    end = time.monotonic() + patience
    while (running := started_in(folder, variable, group)) and time.monotonic() < end:
        time.sleep(PAUSE)
    names = tuple(sorted({name_of(process) for process in running}))
    end = time.monotonic() + KILL_SECONDS
    while running and time.monotonic() < end:
        for process in running:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(PAUSE)
        running = started_in(folder, variable, group)
    return names


def started_in(folder: Path, variable: str = FOLDER, group: int = 0) -> list[psutil.Process]:
    """Return the other processes whose ``variable`` names ``folder`` or what is beneath it.

    One that is dead has no environment any more, though it may stay in the list of processes. macOS
    shows none of a program that it protects, such as those in /bin: of these, those in ``group``.
    """
    wanted = folder.resolve()
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error):  # it is gone, or somebody else's
            named = variable_of(process, variable)
            if Path(named).resolve().is_relative_to(wanted) if named else is_in(process, group):
                found.append(process)
    return found


def variable_of(process: psutil.Process, variable: str) -> str:
    """Return a variable of the environment of ``process``; '' where it is not to be seen."""
    try:
        return process.environ().get(variable, "")
    except psutil.AccessDenied:
        return ""


def is_in(process: psutil.Process, group: int) -> bool:
    """Return whether ``process``, which is not dead, is in a process group or session."""
    with suppress(ProcessLookupError, PermissionError):
        if group and group in (os.getpgid(process.pid), os.getsid(process.pid)):
            return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def name_of(process: psutil.Process) -> str:
    """Return the name of the program that ``process`` runs."""
    with suppress(psutil.Error):
        return process.name()
    return "a program"
