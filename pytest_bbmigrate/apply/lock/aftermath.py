"""Look at a database through a process of its own, where none has the lock on it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.orders import Failed
from pytest_bbmigrate.apply.lock.process import LockProcess, LockProcessEnded
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import DatabaseSeen, unseen

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.lock.orders import Done, Recover


def look_afterwards(order: Recover) -> tuple[ContentState, DatabaseSeen]:
    """Have a process take the lock, look, and give it back; return what it has seen.

    The state is unknown where it has ended without an answer, which what was seen says.
    """
    process = LockProcess()
    try:
        answer = process.ask(order, None)
    except LockProcessEnded as ended:
        return ContentState.UNKNOWN, unseen(str(ended))
    finally:
        process.end()
    return answer.state, seen_in(answer)


def seen_in(answer: Done | Failed) -> DatabaseSeen:
    """Return what a process has seen that was to look at the database, or why it has not."""
    if isinstance(answer, Failed):
        return unseen(answer.why)
    if not isinstance(answer.result, DatabaseSeen):
        raise TypeError("a look has another result")
    return answer.result
