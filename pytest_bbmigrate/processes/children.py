"""The children of this process: how it hears that one has ended, and which have.

The judge's supervisor uses this module, and nothing but the standard library.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress


def woken_by_children() -> int:
    """Return a descriptor that can be read as soon as a child has ended."""
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
