"""A process that starts the judge, and ends with it every process that comes from it.

It runs nobody's code and imports the standard library only. All that the judge's parts start stays
its descendant, daemons too, for on Linux it adopts those whose parent has ended.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from pytest_bbmigrate.judge.folder import ERRORS, OWNER
from pytest_bbmigrate.processes.parent import adopt_orphans

PAUSE_SECONDS = 0.01
SIGNALLED = 128  # and the signal's number: the exit code for a judge that a signal has ended


def main(life: str, folder: str, *command: str) -> int:
    """Run ``command``, the judge, on this process's standard input and output; return its code.

    It is given this process's id as its last argument. When nobody has the other end of the pipe
    ``life`` any more, the judge is killed and ``folder`` is removed. All that comes from the judge
    ends with it.
    """
    adopt_orphans()
    owner = os.open(Path(folder) / OWNER, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(owner, fcntl.LOCK_EX)
    read_end, write_end = os.pipe()
    for end in (read_end, write_end):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    judge = start((*command, str(os.getpid())), Path(folder) / ERRORS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # the judge's alone: so pytest sees when it has ended
        os.dup2(nothing, descriptor)
    code = follow(judge, int(life), read_end)
    end_descendants(judge)
    if is_over(int(life)):
        shutil.rmtree(folder, ignore_errors=True)
    return code


def start(command: tuple[str, ...], errors: Path) -> int:
    """Start the judge in a process group of its own; return its process id."""
    output = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output, 2)],
            setpgroup=0,
        )
    finally:
        os.close(output)


def follow(judge: int, life: int, woken: int) -> int:
    """Wait until the judge ends, and kill it when ``life`` is over; return its exit code."""
    while True:
        ready, _, _ = select.select([life, woken], [], [])
        if woken in ready:
            with suppress(BlockingIOError):
                os.read(woken, 4096)
        if life in ready:
            with suppress(ProcessLookupError):
                os.kill(judge, signal.SIGKILL)
        for process, status in ended_children():
            if process == judge:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else SIGNALLED - code
        if life in ready:
            time.sleep(PAUSE_SECONDS)  # until the judge that was killed has ended


def is_over(life: int) -> bool:
    """Return whether nobody has the other end of the pipe ``life`` any more."""
    return bool(select.select([life], [], [], 0)[0])


def ended_children() -> list[tuple[int, int]]:
    """Return the children that have ended since the last call, as (process id, status)."""
    ended = []
    with suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append(child)
    return ended


def end_descendants(judge: int) -> None:
    """Kill every process that comes from the judge, until there is none."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(judge, signal.SIGKILL)
    while children := living_children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
        ended_children()


def living_children() -> list[int]:
    """Return the ids of this process's children, as Linux lists them; elsewhere none.

    The parent is the second field after the name in brackets
    (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    """
    own, children = str(os.getpid()), []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = entry.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if parent == own and state != "Z":
                children.append(int(entry.parent.name))
    return children
