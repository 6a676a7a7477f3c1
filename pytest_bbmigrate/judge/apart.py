"""Answer in a process forked from the judge, which goes on to the next question meanwhile."""

from __future__ import annotations

import gc
import os
import select
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.measured import save_measured
from pytest_bbmigrate.processes.pipes import read_all
from pytest_bbmigrate.sandbox.fresh import FAULT, end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PIECE = 1 << 16


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


def write_all(descriptor: int, content: bytes) -> None:
    """Write ``content`` to a pipe."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


class Lines:
    """The lines that come through a pipe, of which some may not be there yet."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._read = bytearray()

    def take(self, *, waits: bool = True) -> bytes | None:
        """Return the next line, b"" after the last; None where it is not there and none ``waits``.

        What comes without its end is no line.
        """
        searched = 0
        while (end := self._read.find(b"\n", searched)) < 0:
            searched = len(self._read)
            if not waits and not is_readable(self._pipe):
                return None
            piece = os.read(self._pipe, PIECE)
            if not piece:
                return b""
            self._read += piece
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return line


def is_readable(pipe: int) -> bool:
    """Return whether something comes through ``pipe`` now, or its other end is closed."""
    return bool(select.select([pipe], [], [], 0)[0])
