"""A process that starts the judge, and ends with it every process that comes from it.

It runs nobody's code and imports the standard library only, and little of that before the judge
has started. All that the judge's parts start stays its descendant, daemons too, for on Linux it
adopts those whose parent has ended.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

from pytest_bbmigrate.judge.folder import ERRORS, OWNER
from pytest_bbmigrate.processes.children import Stopped, reap, woken_by_children
from pytest_bbmigrate.processes.parent import adopt_orphans

PAUSE_SECONDS = 0.01
LOOK_SECONDS = 0.5  # between two looks at a judge that was stopped
SIGNALLED = 128  # and the signal's number: the exit code for a judge that a signal has ended


def main(life: str, folder: str, *command: str) -> int:
    """Run ``command``, the judge, on this process's standard input and output; return its code.

    It is given this process's id as its last argument. When nobody has the other end of the pipe
    ``life`` any more, the judge is killed and ``folder`` is removed. All that comes from the judge
    ends with it.
    """
    adopt_orphans()
    own(Path(folder))
    woken = woken_by_children()
    judge = start((*command, str(os.getpid())), Path(folder) / ERRORS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # the judge's alone: so pytest sees when it has ended
        os.dup2(nothing, descriptor)
    import shutil  # when the judge has started

    code = follow(judge, int(life), woken)
    end_descendants(judge)
    if is_over(int(life)):
        shutil.rmtree(folder, ignore_errors=True)
    return code


def own(folder: Path) -> None:
    """Say by a lock that ``folder`` is in use, for as long as this process lives.

    The file gets its name when it is locked: without a lock it would be taken for abandoned.
    """
    unnamed = folder / f"{OWNER}.new"
    fcntl.flock(os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)
    unnamed.rename(folder / OWNER)


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
    """Wait until the judge ends, and kill it when ``life`` is over; return its exit code.

    One that was stopped, and is not continued, is killed as well; its code is that of SIGSTOP.
    """
    stopped, was_stopped = Stopped(judge), False
    while True:
        seconds = LOOK_SECONDS if stopped.is_now() else None
        ready, _, _ = select.select([life, woken], [], [], seconds)
        if stopped.is_for_good():
            was_stopped = True
            os.kill(judge, signal.SIGKILL)
        if woken in ready:
            with suppress(BlockingIOError):
                os.read(woken, 4096)
        if life in ready:
            with suppress(ProcessLookupError):
                os.kill(judge, signal.SIGKILL)
        if (code := reap().get(judge)) is not None:
            if was_stopped:
                return SIGNALLED + signal.SIGSTOP
            return code if code >= 0 else SIGNALLED - code
        if life in ready:
            time.sleep(PAUSE_SECONDS)  # until the judge that was killed has ended


def is_over(life: int) -> bool:
    """Return whether nobody has the other end of the pipe ``life`` any more."""
    return bool(select.select([life], [], [], 0)[0])


def end_descendants(judge: int) -> None:
    """Kill every process that comes from the judge, until there is none."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(judge, signal.SIGKILL)
    while children := living_children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
        reap()


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
