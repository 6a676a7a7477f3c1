"""Which journal mode migrations ask for: the one setting of a database that no copy of it shows.

Whether a database is in WAL mode stays with its file, and copies of it are always in rollback mode.
See https://sqlite.org/wal.html#persistence_of_wal_mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.sql.clauses import Pragma
from pytest_bbmigrate.sql.names import fold_name, fold_text
from pytest_bbmigrate.sql.reading import read_commands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import Part

WAL = "wal"
ROLLBACK = "delete"
JOURNAL_MODE = "journal_mode"


def requested_journal_mode(part: Part, executed: Iterable[str]) -> str:
    """Return the mode that ``part``, which has ``executed`` SQL, leaves; '' when it asks for none.

    It is 'wal' or 'delete': every other one is a connection's and not the file's. In a transaction
    the mode cannot change.
    """
    if not isinstance(part, ScriptPart) and part.in_transaction:
        return ""
    modes = [mode for sql in executed for mode in modes_in(sql)]
    return (WAL if modes[-1] == WAL else ROLLBACK) if modes else ""


def modes_in(sql: str) -> list[str]:
    """Return the modes that the statements in ``sql`` set, in their order, case-folded."""
    if JOURNAL_MODE not in fold_text(sql):
        return []
    return [
        fold_name(command.value)
        for command in read_commands(sql)  # of a script's, SQLite may have run only the beginning
        if isinstance(command, Pragma)
        and command.is_called(JOURNAL_MODE)
        and command.value is not None
        and not command.name.is_temporary
    ]
