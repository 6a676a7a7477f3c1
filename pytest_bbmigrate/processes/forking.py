"""Whether this process can be forked."""

from __future__ import annotations

import sys
import threading
from pathlib import Path


def can_fork() -> bool:
    """Return whether a fork of this process is safe: on Linux, with one thread, C's included."""
    return (
        sys.platform == "linux"
        and threading.active_count() == 1
        and len([*Path("/proc/self/task").iterdir()]) == 1
    )
