"""Pipes to other processes, read to their end and closed."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

PIECE_BYTES = 1 << 16


def close_pipes(child: subprocess.Popen[bytes]) -> None:
    """Close the pipes to a process that has ended."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # what it has not read is lost
                pipe.close()


def read_all(descriptor: int, seconds: float | None) -> bytes:
    """Return what comes through a pipe until its other end is closed, or ``seconds`` are over.

    A keeper has its own watch. But where the kernel lets a process stop another, it may be stopped.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    pieces: list[bytes] = []
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            return b""
        piece = os.read(descriptor, PIECE_BYTES)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
