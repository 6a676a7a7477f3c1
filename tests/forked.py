"""A process that was forked, as ``subprocess.Popen`` has one that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack
    from typing import IO, Any, BinaryIO, Self

PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
TimeoutExpired = subprocess.TimeoutExpired
PAUSE_SECONDS = 0.002
STANDARD = (0, 1, 2)


class Forked:
    """A fork, as ``subprocess.Popen`` has the process that it has started."""

    def __init__(self, pid: int, stdin: BinaryIO | None, stdout: BinaryIO | None) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self.returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        for pipe in (self.stdin, self.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.wait()

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code. Raises: TimeoutExpired when it still runs after ``timeout``."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutExpired("a fork", timeout or 0.0)
            time.sleep(PAUSE_SECONDS)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[bytes, None]:
        """Return what it has said at its end, where its errors have gone as well, if anywhere."""
        assert self.stdout is not None
        said = b"" if self.stdout.closed else self.stdout.read()
        self.stdout.close()
        self.wait(timeout)
        return said, None

    def kill(self) -> None:
        """Kill it, if it runs."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def standard_of(
    stack: ExitStack, *wanted: int | IO[Any] | None
) -> tuple[list[int], tuple[BinaryIO | None, BinaryIO | None]]:
    """Return descriptors for a process that are ``wanted`` as subprocess.Popen has them.

    They are closed with ``stack``. With them comes our end of its input and of its output, where
    that is a pipe.
    """
    its: list[int] = []
    ours: list[BinaryIO | None] = []
    for number, each in enumerate(wanted):
        pipe: BinaryIO | None = None
        if each == PIPE:
            read, write = os.pipe()
            theirs, our = (write, read) if number else (read, write)
            pipe = os.fdopen(our, "rb" if number else "wb")
            stack.callback(os.close, theirs)
        elif each == DEVNULL:
            theirs = os.open(os.devnull, os.O_RDWR)
            stack.callback(os.close, theirs)
        elif each == STDOUT:
            theirs = its[1]
        else:
            theirs = number if each is None else each if isinstance(each, int) else each.fileno()
        its.append(theirs)
        ours.append(pipe)
    return its, (ours[0], ours[1])
