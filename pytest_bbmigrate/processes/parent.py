"""End processes together with the one that has started them, whatever ends that.

One thing tells that a parent is gone, on every system: its child has another parent then
(``is_gone``). On Linux the kernel kills the child at that moment; elsewhere a thread of the child
looks, or the child between two pieces of work. What runs somebody's programs has a watch beside it
as well: a process that kills it and all that it has started.

The lock process uses this module, and nothing but the standard library: what finds the processes
that somebody's programs have started (``orphans``) is imported where it is needed.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
LOOK_SECONDS = 0.5  # between two looks at whether the parent is still there


def is_gone(parent: int) -> bool:
    """Return whether ``parent``, the process that has started this one, has ended."""
    return os.getppid() != parent


def killed_by_system(parent: int) -> bool:
    """Have the system kill this process when its ``parent`` ends; return whether it can do that.

    Raises: SystemExit when the parent is gone already.
    """
    is_asked = sys.platform == "linux" and not ctypes.CDLL(None).prctl(
        PR_SET_PDEATHSIG, signal.SIGKILL
    )
    if is_gone(parent):
        sys.exit(f"process {parent}, which has started this one, is gone")
    return is_asked


def end_with_parent(parent: int) -> None:
    """Have this process killed when its ``parent`` ends.

    Raises: SystemExit when the parent is gone already.
    """
    if not killed_by_system(parent):
        threading.Thread(target=_end_when_gone, args=(parent,), daemon=True).start()


def _end_when_gone(parent: int) -> None:
    while not is_gone(parent):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> bool:
    """Have all descendants of this process stay its descendants; return whether they do.

    On Linux the kernel makes a process whose parent has ended the child of the nearest ancestor
    that has asked for it (https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html),
    also one in a session of its own.
    """
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


@dataclass(frozen=True)
class Watched:
    """The process group that a watch is to kill."""

    group: int


@contextmanager
def ended_with_this_process(
    start: Callable[[], subprocess.Popen[bytes]], folder: Path, variable: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Give the process that ``start`` starts in a session of its own; it ends with the block.

    Whatever it has started is killed as well: its group, and what has left that and whose
    environment names ``folder`` in ``variable``. If this process is killed, a watch does all that.
    """
    from pytest_bbmigrate.processes.orphans import end_orphans, kill_group

    # It is there before the process is, and finds that by its environment until it is told.
    watch = subprocess.Popen(  # noqa: S603 - our own program
        command_with_packages(__name__, str(os.getpid()), str(folder), variable),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with watch:
        try:
            child = start()
            try:
                _tell(watch, Watched(child.pid))
                yield child
            finally:
                kill_group(child.pid)
                child.wait()
                close_pipes(child)
                end_orphans(folder, variable=variable, group=child.pid)
        finally:
            watch.kill()


def close_pipes(child: subprocess.Popen[bytes]) -> None:
    """Close the pipes to a process that has ended."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what it has not read is lost
                pipe.close()


def _tell(watch: subprocess.Popen[bytes], watched: Watched) -> None:
    assert watch.stdin is not None  # noqa: S101 - a pipe was asked for
    with suppress(BrokenPipeError):  # somebody has killed it
        watch.stdin.write(encode_message("watched", watched))
        watch.stdin.flush()


def main(parent: str, folder: str, variable: str) -> int:
    """Be the watch of ``parent``: kill what it is told, once that is gone; return 0."""
    from pytest_bbmigrate.processes.orphans import end_orphans, kill_group

    told = b""
    pipe = sys.stdin.fileno()
    os.set_blocking(pipe, False)
    while not is_gone(int(parent)):  # the pipe may be kept open by another child of it
        if select.select([pipe], [], [], LOOK_SECONDS)[0]:
            if not (read := os.read(pipe, 4096)):
                break
            told += read
    with suppress(BlockingIOError):
        told += os.read(pipe, 4096)
    group = 0
    with suppress(Unreadable):
        group = read_message(told, {"watched": Watched}, {}).group
        kill_group(group)
    end_orphans(Path(folder), variable=variable, group=group)
    return 0
