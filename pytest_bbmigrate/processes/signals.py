"""When a Ctrl-C or SIGTERM takes effect: not in the middle of work that must be completed."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM raise KeyboardInterrupt in the block, as Ctrl-C does, so that it cleans up."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@contextmanager
def defer_first_interrupt() -> Iterator[None]:
    """Let the block finish before a first Ctrl-C or SIGTERM takes effect; obey a second at once.

    So what is published is verified as well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    caught: list[int] = []

    def note(number: int, _: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    obeyed = {number: each for number, each in handlers.items() if each is not signal.SIG_IGN}
    for number in obeyed:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in obeyed.items():
            signal.signal(number, handler)
    for first in caught:
        if callable(handler := handlers[signal.Signals(first)]):
            handler(first, None)  # which may defer it in turn
        else:
            raise KeyboardInterrupt


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Let the block finish before a Ctrl-C takes effect, however often it is pressed."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # no interrupt is raised here
        return
    caught: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if caught:
            handler(signal.SIGINT, None)
