"""Which journal mode migrations ask for: the one setting of a database that no copy of it shows.

Whether a database is in WAL mode stays with its file, and copies of it are always in rollback mode.
See https://sqlite.org/wal.html#persistence_of_wal_mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.sql import UnreadableSql, folded
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import Part

WAL = "wal"
ROLLBACK = "delete"
PRAGMA = ("pragma", "journal_mode")


def asked_mode(part: Part, executed: Iterable[str]) -> str:
    """Return the mode that ``part``, which has ``executed`` SQL, leaves; '' when it asks for none.

    It is 'wal' or 'delete': every other one is a connection's and not the file's. In a transaction
    the mode cannot change.
    """
    if not isinstance(part, ScriptPart) and part.in_transaction:
        return ""
    asked = [mode for sql in executed for mode in modes_in(sql)]
    return (WAL if asked[-1] == WAL else ROLLBACK) if asked else ""


def modes_in(sql: str) -> list[str]:
    """Return the modes that the statements in ``sql`` set, in their order, case-folded."""
    if PRAGMA[1] not in fold_name(sql):
        return []
    try:
        tokens = [token for token in folded(sql) if token not in {"main", "."}]
    except UnreadableSql:  # of a script's, SQLite may have run only the beginning
        return []
    return [
        tokens[at + 3].strip("'")
        for at in range(len(tokens) - 3)
        if tuple(tokens[at : at + 2]) == PRAGMA and tokens[at + 2] in {"=", "("}
    ]
