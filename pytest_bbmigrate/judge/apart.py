"""Answer in a process forked from the judge, which goes on to the next question meanwhile."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.children import Stopped
from pytest_bbmigrate.processes.lines import PIECE, is_readable, write_all
from pytest_bbmigrate.processes.measured import save_measured
from pytest_bbmigrate.sandbox.fresh import FAULT, end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LOOK_SECONDS = 0.5  # between two looks at whether a process that is waited for was stopped


class Apart:
    """A process that answers: its id, and the ``pipe`` that all of its answer comes through."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self._pieces: list[bytes] = []
        self._stopped = Stopped(pid)

    def is_ready(self) -> bool:
        """Return whether all of the answer has come, or the process has ended.

        One that was stopped, and is not continued, is killed.
        """
        if self._stopped.is_for_good():
            os.kill(self.pid, signal.SIGKILL)
        while is_readable(self.pipe):
            piece = os.read(self.pipe, PIECE)
            if not piece:
                return True
            self._pieces.append(piece)
        return False

    def take(self) -> bytes:
        """Wait for the answer and return it; b"" where the process has ended without one."""
        while not self.is_ready():
            select.select([self.pipe], [], [], LOOK_SECONDS)
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        return b"" if status else b"".join(self._pieces)


def answer_apart(work: Callable[[], bytes], unshared: Iterable[int]) -> Apart:
    """Fork a process whose answer is what ``work`` returns; it closes the pipes ``unshared``.

    It runs until it has answered: a supervisor that ends the judge ends it, too.
    """
    ours, its = os.pipe()
    pid = os.fork()
    if pid:
        os.close(its)
        return Apart(pid, ours)
    code = FAULT
    try:
        gc.freeze()  # what nobody needs any more stays: to free it would copy the pages it is in
        for descriptor in (ours, *unshared):
            os.close(descriptor)
        write_all(its, work())
        code = 0
    except BaseException:  # noqa: BLE001 - it must not come to what the judge does next
        traceback.print_exc(file=sys.stderr)
    finally:
        save_measured()
        end_process(code)
