"""Start a keeper, forked from this process or as a new one, and hear from it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.processes.messages import Unreadable, read_message
from pytest_bbmigrate.processes.orphans import KILL_SECONDS, PAUSE_SECONDS, end_orphans
from pytest_bbmigrate.processes.pipes import read_all
from pytest_bbmigrate.processes.untrusted_files import read_untrusted_text
from pytest_bbmigrate.sandbox.fresh import FAULT
from pytest_bbmigrate.sandbox.keep_order import KeepOrder
from pytest_bbmigrate.sandbox.keeper import Ending, be_keeper
from pytest_bbmigrate.sandbox.passed_limits import GRACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.runner.model import RunEnvironment

# For processes that a migration has started to end after it, as helpers of Python's do.
ORPHAN_SECONDS = 2.0
USE_LANDLOCK = True  # where the kernel has it; without, the sandbox is weaker


@dataclass(frozen=True)
class Keeper:
    """A keeper that runs: its process id, and our ends of the pipes to it.

    ``program`` is the process as ``subprocess`` has it, where it was not forked.
    """

    pid: int
    report: int
    lifeline: int
    program: subprocess.Popen[bytes] | None = None

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        if self.program is not None:
            return self.program.poll()
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None


def keep_order(environment: RunEnvironment, folder: Path) -> KeepOrder:
    """Return how a process of a migration is kept that may write to ``folder``."""
    return KeepOrder(
        folder,
        environment.real,
        environment.seconds,
        environment.memory,
        ORPHAN_SECONDS,
        confined=USE_LANDLOCK,
    )


def most_seconds(order: KeepOrder) -> float | None:
    """Return how long a keeper may take until it has ended everything; None for any time."""
    if order.seconds is None:
        return None
    return order.seconds + GRACE_SECONDS + order.patience + 2 * KILL_SECONDS


def run_kept(order: KeepOrder, work: Callable[[], int], *command: str) -> Ending:
    """Have a process do ``work`` and return how it came to its end; Ctrl-C ends it as well.

    Where this process cannot be forked, one is started to run ``command``, the name of a module and
    its arguments: its ``main`` is given the descriptors of two pipes besides, and does the same.

    Raises: RuntimeError when the keeper itself fails.
    """
    with started_keeper(order, work, command) as keeper:
        try:
            said = read_all(keeper.report, most_seconds(order))
        finally:
            os.close(keeper.lifeline)  # so it ends, if it has not
            os.close(keeper.report)
            code = end_keeper(keeper, KILL_SECONDS)
            if code:
                end_orphans(order.temporary, group=keeper.pid)
    if code > 0:
        raise RuntimeError(f"a process of ours has failed: {read_untrusted_text(order.errors)}")
    try:
        return read_message(said, {"ending": Ending}, {})
    except Unreadable:
        return Ending(code or FAULT)  # it was killed


@contextmanager
def started_keeper(
    order: KeepOrder, work: Callable[[], int], command: tuple[str, ...]
) -> Iterator[Keeper]:
    """Start the keeper for the block."""
    report, its_report = os.pipe()
    its_lifeline, lifeline = os.pipe()
    try:
        if not forking.can_fork():
            pipes = (its_report, its_lifeline)
            with order.errors.open("wb") as errors:
                program = subprocess.Popen(  # noqa: S603 - our own program
                    command_with_packages(*command, *map(str, pipes)),
                    pass_fds=pipes,
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                )
            keeper = Keeper(program.pid, report, lifeline, program)
        else:
            pid = os.fork()
            if not pid:
                os.close(lifeline)  # or it would never be seen that the other one is gone
                be_keeper(order, work, its_report, its_lifeline)
            keeper = Keeper(pid, report, lifeline)
    except BaseException:
        os.close(report)
        os.close(lifeline)
        raise
    finally:
        os.close(its_report)
        os.close(its_lifeline)
    yield keeper


def end_keeper(keeper: Keeper, seconds: float) -> int:
    """Wait for the keeper to end, which it does, or kill it after ``seconds``; return its code."""
    deadline = time.monotonic() + seconds
    while (code := keeper.poll()) is None:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(keeper.pid, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS / 100)
    return code
