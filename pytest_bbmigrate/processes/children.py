"""The children of this process: how it hears that one has ended or was stopped, and which have.

The judge's supervisor uses this module, and nothing but the standard library.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

STOPPED_SECONDS = 10.0  # for a process that a signal has stopped to be continued by another


def woken_by_children() -> int:
    """Return a descriptor that can be read as soon as a child has ended, or was stopped."""
    readable, writable = os.pipe()
    for descriptor in (readable, writable):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return readable


def reap() -> dict[int, int]:
    """Return the exit codes of the children that have ended since the last call, by process id."""
    codes: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            codes[found[0]] = os.waitstatus_to_exitcode(found[1])
    return codes


class Stopped:
    """Watches whether a child stays stopped, as SIGSTOP leaves it: it would be waited for forever.

    A child in a debugger is not stopped in that sense.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._since: float | None = None

    def is_now(self) -> bool:
        """Return whether the child is stopped now."""
        try:
            found = os.waitid(os.P_PID, self._pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            found = None
        if found is None:
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()
        return self._since is not None

    def is_for_good(self) -> bool:
        """Return whether the child has been stopped for longer than it may be."""
        is_now = self.is_now()
        return is_now and time.monotonic() - (self._since or 0.0) > STOPPED_SECONDS
