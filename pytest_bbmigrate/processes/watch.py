"""A process beside one that runs somebody's programs: it kills these when ours is gone."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.orphans import end_orphans, kill_group
from pytest_bbmigrate.processes.parent import LOOK_SECONDS, is_gone
from pytest_bbmigrate.processes.pipes import close_pipes
from pytest_bbmigrate.processes.signals import defer_first_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
    A Ctrl-C while they are started takes effect when they are there.
    """
    with ExitStack() as started:
        with defer_first_interrupt():  # nobody would know of a process that is half started
            # It is there before the process is, and finds that by its environment until it is told.
            watch = subprocess.Popen(  # noqa: S603 - our own program
                command_with_packages(__name__, str(os.getpid()), str(folder), variable),
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            started.enter_context(watch)
            started.callback(watch.kill)
            child = start()
            started.callback(_end, child, folder, variable)
            _tell(watch, Watched(child.pid))
        yield child


def _end(child: subprocess.Popen[bytes], folder: Path, variable: str) -> None:
    kill_group(child.pid)
    child.wait()
    close_pipes(child)
    end_orphans(folder, variable=variable, group=child.pid)


def _tell(watch: subprocess.Popen[bytes], watched: Watched) -> None:
    assert watch.stdin is not None  # noqa: S101 - a pipe was asked for
    with suppress(BrokenPipeError):  # somebody has killed it
        watch.stdin.write(encode_message("watched", watched))
        watch.stdin.flush()


def main(parent: str, folder: str, variable: str) -> int:
    """Be the watch of ``parent``: kill what it is told, once that is gone; return 0."""
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
