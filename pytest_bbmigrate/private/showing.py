"""Whether messages that may hold values of rows are shown in full; by default they are not."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWING: ContextVar[bool] = ContextVar("bb_telling", default=False)


@contextmanager
def showing_values(*, everything: bool) -> Iterator[None]:
    """Have errors shown word for word in the block, if ``everything`` may be shown.

    It may where every row is generated, or with --bb-show-values.
    """
    token = _SHOWING.set(everything)
    try:
        yield
    finally:
        _SHOWING.reset(token)


def is_showing_values() -> bool:
    """Return whether errors may be shown word for word."""
    return _SHOWING.get()


class SessionState:
    """What is known of the test session in this process."""

    hides_own_rows = False


def note_own_rows(*, hidden: bool) -> None:
    """Note whether this session works on somebody's own rows, whose values are not to be shown."""
    SessionState.hides_own_rows = hidden


def own_rows_are_hidden() -> bool:
    """Return whether rows of this session may be somebody's own, not to be shown."""
    return SessionState.hides_own_rows
