"""Whether a process, or what it has started, has passed a limit: of time, memory or output."""

from __future__ import annotations

import os
import sys
import time

import psutil

from pytest_bbmigrate.runner.limits import MOST_PRINTED
from pytest_bbmigrate.sandbox.descendants import hold_more, resident_bytes

if sys.platform != "win32":
    import resource

LOOK_SECONDS = 0.05  # from one look at what it has printed, and holds, to the next
LOOKING_SHARE = 10  # so many times as long as a look at the memory takes, the next one waits
# A statement that is interrupted when the time is over says which it was; then it is too late.
# Its own clock begins later, when it has been started, and a busy machine hears it late.
GRACE_SECONDS = 2.0

PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes

IN_TIME, TOO_LONG, TOO_LARGE, TOO_LOUD = "", "time", "memory", "output"


class Limits:
    """The limits of a process that has just begun, whose output goes to the descriptor ``printed``.

    The file of it may be removed meanwhile, and still fill the disk. None is for no such limit.
    """

    def __init__(self, seconds: float | None, memory: int | None, printed: int) -> None:
        self._memory = memory
        self._printed = printed
        began = time.monotonic()
        self._deadline = None if seconds is None else began + seconds + GRACE_SECONDS
        self._memory_at = began + LOOK_SECONDS
        self._shared = resident_bytes(psutil.Process())

    def seconds_to_next(self) -> float:
        """Return how long nothing is to be looked at."""
        if self._deadline is None:
            return LOOK_SECONDS
        return max(0.0, min(LOOK_SECONDS, self._deadline - time.monotonic()))

    def is_too_loud(self) -> bool:
        """Return whether it has printed too much."""
        return os.fstat(self._printed).st_size > MOST_PRINTED

    def has_held_more(self) -> bool:
        """Return whether a process that has ended held more memory, be it between two looks.

        What it shared with this one, from which it was forked, does not count.
        """
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * PEAK_UNIT
        return self._memory is not None and peak - self._shared > self._memory

    def passed(self) -> str:
        """Return which limit is passed now, or IN_TIME."""
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            return TOO_LONG
        if self.is_too_loud():
            return TOO_LOUD
        if self._memory is None or now < self._memory_at:
            return IN_TIME
        is_too_large = hold_more(self._memory)
        cost = time.monotonic() - now
        self._memory_at = now + max(LOOK_SECONDS, cost * LOOKING_SHARE)
        return TOO_LARGE if is_too_large else IN_TIME
