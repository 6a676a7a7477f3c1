"""What the end of a process that ran somebody's code means for its migration."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.untrusted_files import read_untrusted_text
from pytest_bbmigrate.runner.limits import overdue, oversized, too_loud
from pytest_bbmigrate.runner.model import Failure
from pytest_bbmigrate.sandbox.passed_limits import TOO_LARGE, TOO_LONG, TOO_LOUD
from pytest_bbmigrate.sqlite_files import open_private, written_content

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.runner.model import PartResult, Record
    from pytest_bbmigrate.sandbox.keep_order import KeepOrder
    from pytest_bbmigrate.sandbox.keeper import Ending

PART_END = "its process ended with exit code {} before the migration had come back"
MOST_SHOWN = 4000  # bytes of what one has printed that printed too much
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
    """Return the failure of a part that took too long, or held or printed too much; else None."""
    if ending.over == TOO_LONG:
        return Failure(path, None, "", overdue(order.seconds))
    if ending.over == TOO_LARGE:
        return Failure(path, None, "", oversized(order.memory))
    if ending.over == TOO_LOUD:
        return Failure(path, None, "", too_loud())
    return None


def printed_by(order: KeepOrder, ending: Ending) -> str:
    """Return what a process has printed; the beginning of it where that was too much."""
    if ending.over != TOO_LOUD:
        return read_untrusted_text(order.printed)
    return f"{read_untrusted_text(order.printed, MOST_SHOWN)}\n[..]\n"


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


def how_it_ended(code: int, by_itself: str = PART_END) -> str:
    """Return in words how a process has ended that has left no report; ``by_itself`` has a code."""
    if code < 0:
        return f"its process was ended by {name_of_signal(-code)}"
    return by_itself.format(code)


def name_of_signal(number: int) -> str:
    """Return the name of a signal, 'SIGSEGV'."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def recorded(result: PartResult, path: Path, record: Record) -> PartResult:
    """Return ``result`` with what ``record`` writes into its content, or with why that fails."""
    try:
        with closing(open_private(result.content)) as db:
            db.execute("BEGIN IMMEDIATE")
            record(db, result.statements)
            db.execute("COMMIT")
            content = written_content(db, result.content)
    except sqlite3.Error as error:
        return replace(result, failure=Failure(path, None, "COMMIT", str(error)))
    return replace(result, content=content)
