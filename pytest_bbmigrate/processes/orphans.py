"""Find and end the processes that a migration has started and not waited for."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

FOLDER_VARIABLE = (
    "TMPDIR"  # the variable by which a process tells whose it is: every child inherits it
)
PAUSE_SECONDS = 0.02
KILL_SECONDS = 10.0  # a killed process that waits for a disk may take its time


def kill_group(group: int) -> None:
    """Kill what is left of the process group ``group``."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def end_orphans(
    folder: Path, patience: float = 0.0, *, variable: str = FOLDER_VARIABLE, group: int = 0
) -> tuple[str, ...]:
    """End every process whose ``variable`` names ``folder`` or a path beneath it, also daemons.

    Return the program names of those that had to be killed, sorted; all have ``patience`` seconds
    to end by themselves. ``variable`` is one of the environment. Where that cannot be read, the
    processes in the process group or session ``group`` are ended.
    """
    deadline = time.monotonic() + patience
    while (running := started_in(folder, variable, group)) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    names = tuple(sorted({program_name(process) for process in running}))
    deadline = time.monotonic() + KILL_SECONDS
    while running and time.monotonic() < deadline:
        for process in running:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(PAUSE_SECONDS)
        running = started_in(folder, variable, group)
    return names


def started_in(
    folder: Path, variable: str = FOLDER_VARIABLE, group: int = 0
) -> list[psutil.Process]:
    """Return the other processes whose ``variable`` names ``folder`` or a path beneath it.

    A dead process may stay in the list of processes, but has no environment any more. macOS hides
    the environment of programs that it protects, such as those in /bin: of these, those in
    ``group`` are returned.
    """
    root = folder.resolve()
    processes = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error):  # it is gone, or somebody else's
            named = variable_of(process, variable)
            if named:
                is_ours = Path(named).resolve().is_relative_to(root)
            else:
                is_ours = is_in_group(process, group)
            if is_ours:
                processes.append(process)
    return processes


def variable_of(process: psutil.Process, variable: str) -> str:
    """Return a variable of the environment of ``process``; '' when it cannot be read."""
    try:
        return process.environ().get(variable, "")
    except psutil.AccessDenied:
        return ""


def is_in_group(process: psutil.Process, group: int) -> bool:
    """Return whether ``process`` is alive and in the process group or session ``group``."""
    with suppress(ProcessLookupError, PermissionError):
        if group and group in (os.getpgid(process.pid), os.getsid(process.pid)):
            return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def program_name(process: psutil.Process) -> str:
    """Return the name of the program that ``process`` runs."""
    with suppress(psutil.Error):
        return process.name()
    return "a program"
