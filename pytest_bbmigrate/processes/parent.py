"""End processes together with the one that has started them, whatever ends that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html


def end_with_parent(parent: int) -> None:
    """Have the system kill this process when its ``parent`` ends, where the system can do that.

    Raises: SystemExit when the parent is gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(f"process {parent}, which has started this one, is gone")


def main(group: str) -> int:
    """Kill the process ``group`` when whoever has the other end of standard input is gone."""
    os.read(sys.stdin.fileno(), 1)
    os.killpg(int(group), signal.SIGKILL)
    return 0
