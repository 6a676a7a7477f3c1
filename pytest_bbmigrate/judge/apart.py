"""Answer in a process forked from the judge, which goes on to the next question meanwhile."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.lines import is_readable, write_all
from pytest_bbmigrate.processes.measured import save_measured
from pytest_bbmigrate.sandbox.fresh import end_process
from pytest_bbmigrate.sandbox.keeper import FAULT
from pytest_bbmigrate.sandbox.kept import read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Apart:
    """A process that answers: its id, and the pipe that all of its answer comes through at once."""

    pid: int
    pipe: int

    def is_ready(self) -> bool:
        """Return whether the answer comes, or the process has ended."""
        return is_readable(self.pipe)

    def take(self) -> bytes:
        """Wait for the answer and return it; b"" where the process has ended without one."""
        answer = read_all(self.pipe, None)
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        return b"" if status else answer


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
