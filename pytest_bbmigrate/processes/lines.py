"""Read what comes through a pipe or a socket line by line, and write to it."""

from __future__ import annotations

import os
import select

PIECE = 1 << 16


class Lines:
    """The lines that come through a ``pipe``, of which some may not be there yet.

    One of more than ``most`` bytes is cut there: it is none of ours.
    """

    def __init__(self, pipe: int, most: int | None = None) -> None:
        self.pipe = pipe
        self._most = most
        self._read = bytearray()
        self._searched = 0

    def take(self, *, waits: bool = True) -> bytes | None:
        """Return the next line, b"" after the last; None where it is not there and none ``waits``.

        What comes without its end is no line.
        """
        while (end := self._read.find(b"\n", self._searched)) < 0:
            self._searched = len(self._read)
            if self._most is not None and self._searched > self._most:
                self._searched = 0
                return self._cut(self._most)
            if not waits and not is_readable(self.pipe):
                return None
            if not self._read_on():
                return b""
        self._searched = 0
        return self._cut(end + 1)[:-1]

    def take_bytes(self, count: int) -> bytes | None:
        """Return the next ``count`` bytes, which are no line; None where fewer come."""
        while len(self._read) < count:
            if not self._read_on():
                return None
        return self._cut(count)

    def _read_on(self) -> bool:
        """Wait for more, and keep it; return whether any came."""
        piece = os.read(self.pipe, PIECE)
        self._read += piece
        return bool(piece)

    def _cut(self, count: int) -> bytes:
        """Return the first ``count`` bytes of what was read, and drop them."""
        taken = bytes(memoryview(self._read)[:count])
        del self._read[:count]
        return taken


def is_readable(pipe: int) -> bool:
    """Return whether something comes through ``pipe`` now, or its other end is closed."""
    return bool(select.select([pipe], [], [], 0)[0])


def wait_for(pipe: int) -> None:
    """Wait until something comes through ``pipe``, or its other end is closed."""
    select.select([pipe], [], [])


def write_all(pipe: int, content: bytes) -> None:
    """Write ``content`` to a pipe."""
    left = memoryview(content)
    while left:
        left = left[os.write(pipe, left) :]
