"""Read files left by a process that ran somebody's code: anything may be in their place."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 256 << 20  # of a message
LARGEST_IMAGE = 4 << 30  # bytes: more than is kept in memory
# So opening does not wait for a pipe and follows no link; Windows has neither flag.
ONLY_FILES = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


def read_untrusted(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of the file ``path``, at most its first ``most`` bytes.

    Raises: OSError, as ``open_untrusted`` does.
    """
    with open_untrusted(path) as file:
        return file.read(most)


def open_untrusted(path: Path) -> BinaryIO:
    """Open the file ``path`` to be read.

    Raises: OSError when there is none, or a link, a pipe or the like in its place.
    """
    descriptor = os.open(path, os.O_RDONLY | ONLY_FILES)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no file", str(path))
    return open(descriptor, "rb")  # noqa: PTH123 - a descriptor


def read_untrusted_text(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text in the first ``most`` bytes of the file ``path``; '' if it cannot be read."""
    try:
        return read_untrusted(path, most).decode("utf-8", "replace")
    except OSError:
        return ""
