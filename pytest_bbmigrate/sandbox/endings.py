"""What the end of a process that ran somebody's code means for its migration."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.runner.limits import overdue, oversized
from pytest_bbmigrate.runner.model import Failure
from pytest_bbmigrate.sandbox.keeper import TOO_LARGE, TOO_LONG

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.sandbox.keeper import Ending, KeepOrder

PUT_BACK = (
    "it was put back; a migration is given the database to change, and nothing of the file it is in"
)


def refuse_written(path: Path, order: KeepOrder, ending: Ending) -> None:
    """Make sure that the real database was not written while the part in ``path`` ran.

    Raises: DatabaseError when it was.
    """
    if how := ending.meanwhile.written:
        raise DatabaseError(
            order.real,
            f"was written while {path.name} ran on a copy of it ({how}); either the migration "
            "found a way around its guard, or another program has the database open: "
            "compare it with your backup, and stop the app before the next run",
        )


def failure_of_limit(path: Path, order: KeepOrder, ending: Ending) -> Failure | None:
    """Return the failure of a part that took too long or held too much; None where it did not."""
    if ending.over == TOO_LONG:
        return Failure(path, None, "", overdue(order.seconds))
    if ending.over == TOO_LARGE:
        return Failure(path, None, "", oversized(order.memory))
    return None


def failure_of_rest(path: Path, ending: Ending, name: str) -> Failure | None:
    """Return the failure of a part that has left something behind it; None where it has not.

    ``name`` is what it is called: 'the migration'.
    """
    if ending.meanwhile.changed:
        message = f"{name} changed the {', and the '.join(ending.meanwhile.changed)}"
        return Failure(path, None, "", message, note=PUT_BACK)
    if ending.running:
        message = f"{name} ended and left {' and '.join(ending.running)} running"
        note = "wait for what it starts: what that still writes reaches no database"
        return Failure(path, None, "", message, note=note)
    return None


def how_it_ended(code: int) -> str:
    """Return in words how a process has ended that has left no report."""
    if code < 0:
        return f"its process was ended by {name_of_signal(-code)}"
    return f"its process ended with exit code {code} before the migration had come back"


def name_of_signal(number: int) -> str:
    """Return the name of a signal, 'SIGSEGV'."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
