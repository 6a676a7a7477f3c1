"""Pass signals that are sent to a process alone on to the child that does its work."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

TERMINAL = "/dev/tty"
RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Child(Protocol):
    """A process that this one has started."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal."""

    def wait(self) -> int:
        """Wait for it to end; return its exit code, negative for a signal."""


@dataclass(frozen=True)
class Forked:
    """A process that was forked from this one."""

    pid: int

    def send_signal(self, number: int, /) -> None:
        """Send it a signal; none where it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for it to end; return its exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class SignalRelay:
    """Passes signals that are sent to this process alone on to the child."""

    def __init__(self, *, has_terminal: bool) -> None:
        self.has_terminal = has_terminal
        self._child: Child | None = None
        self._early: list[int] = []

    def start(self, child: Child) -> None:
        """Pass on to ``child`` the signals received so far, and those to come."""
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def receive(self, number: int, _: object) -> None:
        """Pass on a signal; but a terminal sends its Ctrl-C to every process itself."""
        if self.has_terminal and number == signal.SIGINT:
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)


@contextmanager
def relayed_signals(*, has_terminal: bool) -> Iterator[SignalRelay]:
    """Yield a relay that receives the signals that end a program, while the block runs.

    At a terminal the child stays in this process group, to read from it and to be stopped with it.
    Elsewhere it gets one of its own, so that a signal to the group reaches it once, not twice.
    """
    relay = SignalRelay(has_terminal=has_terminal)
    handlers = {number: signal.getsignal(number) for number in RELAYED}
    for number, handler in handlers.items():
        if handler is not signal.SIG_IGN:  # nohup ignores it, and the child inherits that
            signal.signal(number, relay.receive)
    try:
        yield relay
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def in_foreground() -> bool:
    """Return whether a terminal sends its signals to this process."""
    try:
        terminal = os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
