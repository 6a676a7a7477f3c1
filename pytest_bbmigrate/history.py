"""The table in the user's database that says which migrations it has."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.statements import quote_name

if TYPE_CHECKING:
    import sqlite3

HISTORY_TABLE = "_bb_migrations"

# The id keeps the order: VACUUM may renumber rowids that no column is an alias of.
CREATE_HISTORY = f"""\
CREATE TABLE IF NOT EXISTS {quote_name(HISTORY_TABLE)} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    batch INTEGER NOT NULL,
    statements INTEGER NOT NULL
)"""


@dataclass(frozen=True)
class Applied:
    """A migration that a database has.

    ``applied_at`` is the time in UTC, ISO 8601; ``seconds`` how long it ran; ``batch`` counts the
    applies from 1; ``statements`` how many it ran.
    """

    name: str
    checksum: str
    applied_at: str
    seconds: float
    batch: int
    statements: int


COLUMNS = tuple(field.name for field in fields(Applied))


def read_history(db: sqlite3.Connection) -> tuple[Applied, ...]:
    """Return what is recorded in ``db``, in the order applied; () when there is no history.

    Nothing is created.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    there = {row[1] for row in db.execute(f"PRAGMA table_info({quote_name(HISTORY_TABLE)})")}
    if not there:
        return ()
    missing = [column for column in ("id", *COLUMNS) if column not in there]
    if missing:
        raise BBMigrateError(
            f"the table {HISTORY_TABLE} is not a history that this version can read: "
            f"it has no column {', '.join(missing)}; rename the table if it is yours, "
            "or use the version of pytest-bbmigrate that made it"
        )
    rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM {quote_name(HISTORY_TABLE)} ORDER BY id")
    return tuple(Applied(*row) for row in rows)


def record(db: sqlite3.Connection, applied: Applied) -> None:
    """Write that ``db`` has a migration, in the transaction that is open, making the table first.

    Raises: sqlite3.IntegrityError when it has it already.
    """
    db.execute(CREATE_HISTORY)
    db.execute(
        f"INSERT INTO {quote_name(HISTORY_TABLE)} ({', '.join(COLUMNS)}) "
        f"VALUES ({', '.join('?' * len(COLUMNS))})",
        astuple(applied),
    )
