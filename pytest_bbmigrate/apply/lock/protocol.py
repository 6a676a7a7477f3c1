"""How the lock process hears its parent, and knows whether that is still there."""

from __future__ import annotations

import os
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.orders import KIND_OF, NAMES, ORDERS, Progress
from pytest_bbmigrate.processes.messages import encode_message, read_message
from pytest_bbmigrate.processes.parent import LOOK_SECONDS, is_gone

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.lock.orders import Answer, Order

TELL_SECONDS = 0.05  # between two reports of progress


class Abandoned(Exception):
    """Raised when the parent is gone, or this process has been told to end."""


class Channel:
    """The orders that come in on one descriptor, and the answers that go out on another.

    Each is a message on a line. A thread of its own reads, so that the end of the orders is seen
    while one is obeyed. ``parent`` is the process that gives them: a descriptor alone may be kept
    open by some other child of it.
    """

    def __init__(self, orders: int, answers: int, parent: int) -> None:
        self.orders = orders
        self.answers = answers
        self.parent = parent
        self.gone = threading.Event()
        self.waiting: SimpleQueue[bytes] = SimpleQueue()
        self.told = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        while data := os.read(self.orders, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.waiting.put(line)
        self.hang_up()

    def hang_up(self, *_: object) -> None:
        """Have the next look find that nobody is there; a handler of signals, too."""
        self.gone.set()
        self.waiting.put(b"")

    def next_order(self) -> Order:
        """Return the next order when it comes.

        Raises: Abandoned; Unreadable when it is none of ours.
        """
        while True:
            self.still_wanted()
            try:
                line = self.waiting.get(timeout=LOOK_SECONDS)
            except Empty:
                continue
            self.still_wanted()
            return read_message(line, ORDERS, NAMES)

    def still_wanted(self) -> None:
        """Raise Abandoned when the parent is gone, or this process is to end."""
        if self.gone.is_set() or is_gone(self.parent):
            raise Abandoned

    def tell(self, part: float) -> None:
        """Report that ``part`` of 1 is done, if somebody wants the rest.

        Raises: Abandoned.
        """
        self.still_wanted()
        now = time.monotonic()
        if now - self.told >= TELL_SECONDS:
            self.told = now
            self.say(Progress(round(part, 3)))

    def say(self, answer: Answer) -> None:
        """Send ``answer``.

        Raises: Abandoned when nobody is there to read it.
        """
        line = memoryview(encode_message(KIND_OF[type(answer)], answer) + b"\n")
        try:
            while line:
                line = line[os.write(self.answers, line) :]
        except BrokenPipeError as error:
            raise Abandoned from error
