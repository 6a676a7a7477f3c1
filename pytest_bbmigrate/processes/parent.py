"""End processes together with the one that has started them, whatever ends that.

One thing tells that a parent is gone, on every system: its child has another parent then
(``is_gone``). On Linux the kernel kills the child at that moment; elsewhere a thread of the child
looks, or the child between two pieces of work. What runs somebody's programs has a watch beside it
as well (``watch``).

The lock process uses this module, and the judge's supervisor, which is to start at once: it imports
little, and nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

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
        import threading  # on few systems

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
