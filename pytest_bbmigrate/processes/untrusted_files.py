"""Files that a process has left that ran somebody's code: anything may be in their place."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 256 << 20


def read_left(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what is in a file, ``most`` bytes of it.

    Raises: OSError when there is none, or a link, a pipe or the like in its place.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would wait
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def read_text_left(path: Path) -> str:
    """Return the text that is in a file; '' where it cannot be read."""
    try:
        return read_left(path).decode("utf-8", "replace")
    except OSError:
        return ""
