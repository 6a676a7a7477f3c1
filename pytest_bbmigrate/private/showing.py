"""Whether what others say of rows may be told as it is: not, unless somebody has said so."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TELLING: ContextVar[bool] = ContextVar("bb_telling", default=False)


@contextmanager
def telling(*, everything: bool) -> Iterator[None]:
    """Have errors told word for word in the block, where ``everything`` may be shown.

    That is so where every row is generated, or with --bb-show-values.
    """
    token = _TELLING.set(everything)
    try:
        yield
    finally:
        _TELLING.reset(token)


def is_telling() -> bool:
    """Return whether errors may be told word for word."""
    return _TELLING.get()


class Session:
    """What is known of the session of tests that this process is."""

    hides_own_rows = False


def note_own_rows(*, hidden: bool) -> None:
    """Note whether this session works on somebody's own rows, whose values are not to be shown."""
    Session.hides_own_rows = hidden


def own_rows_are_hidden() -> bool:
    """Return whether rows of this session may be somebody's own, not to be shown."""
    return Session.hides_own_rows
