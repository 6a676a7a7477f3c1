"""When a Ctrl-C or SIGTERM takes effect: not in the middle of what is to come to its end."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, so that nothing of it is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told of signals
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Let the block come to its end before a first Ctrl-C or SIGTERM takes effect.

    What is published is to be verified as well; a second one is obeyed at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told of signals
        return
    caught: list[int] = []

    def note(number: int, _: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    earlier = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if caught:
        raise KeyboardInterrupt


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Have a Ctrl-C that comes while the block runs take effect at its end."""
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
