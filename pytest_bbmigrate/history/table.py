"""The table in the user's database that records its migrations."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

TABLE = quote_name(HISTORY_TABLE)

# The id keeps the order: VACUUM may renumber rowids that no column is an alias of.
# A batch has its contents in its last row, which a rollback takes out first, for they are those
# after the whole batch; and its backups in its first row, which a rollback takes out last.
CREATE_HISTORY = f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    batch INTEGER NOT NULL,
    statements INTEGER NOT NULL,
    contents TEXT,
    backups TEXT,
    objects TEXT
)"""
NOT_OUR_JSON = (
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)  # raised where JSON is not of the shape that was written
ADDED_SINCE = ("contents", "backups", "objects")  # columns that older tables lack


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
STORED_TYPES = (str, str, str, float, int, int)


def utc_now() -> str:
    """Return the time as ``applied_at`` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def has_history(db: sqlite3.Connection) -> bool:
    """Return whether ``db`` has a history, even one without a migration.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    columns = history_columns(db)
    missing = [column for column in ("id", *COLUMNS) if column not in columns]
    if columns and missing:
        raise _foreign(f"it has no column {', '.join(missing)}")
    return bool(columns)


def lacks_history(db: sqlite3.Connection) -> bool:
    """Return whether ``db`` has tables or views and no history: it was migrated by hand, or never.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    if has_history(db):
        return False
    query = "SELECT count(*) FROM main.sqlite_schema WHERE lower(substr(name, 1, 7)) <> 'sqlite_'"
    return bool(db.execute(query).fetchone()[0])


def read_history(db: sqlite3.Connection) -> tuple[Applied, ...]:
    """Return what is recorded in ``db``, in the order applied; () when there is no history.

    Nothing is created.

    Raises: BBMigrateError when a table of that name is not ours, or a row in it does not read.
    """
    if not has_history(db):
        return ()
    rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM {TABLE} ORDER BY id")
    return tuple(_applied(row) for row in rows)


def last_batch(history: Iterable[Applied]) -> int:
    """Return the number of the last apply in ``history``, 0 when there was none."""
    return max((applied.batch for applied in history), default=0)


def make_history(db: sqlite3.Connection) -> None:
    """Make the table in ``db``, or give an older one the columns added since, in its transaction.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    if not has_history(db):
        db.execute(CREATE_HISTORY)
        return
    columns = history_columns(db)
    for column in ADDED_SINCE:
        if column not in columns:
            db.execute(f"ALTER TABLE {TABLE} ADD COLUMN {column} TEXT")


def record(db: sqlite3.Connection, applied: Applied) -> None:
    """Record a migration as applied, in the open transaction; the table is made if missing.

    Raises: sqlite3.IntegrityError when it has it already; BBMigrateError when a table of that name
        is not ours.
    """
    make_history(db)
    db.execute(
        f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",
        astuple(applied),
    )


def rename(db: sqlite3.Connection, old: str, new: str) -> None:
    """Record that the file of an applied migration has another name now.

    Raises: LookupError when ``old`` is not recorded; sqlite3.IntegrityError when ``new`` is.
    """
    row_of(db, old)
    db.execute(f"UPDATE {TABLE} SET name = ? WHERE name = ?", (new, old))


def history_columns(db: sqlite3.Connection) -> frozenset[str]:
    """Return the columns of the history; none when there is no such table.

    Raises: BBMigrateError when it is a view or a virtual table.
    """
    entry = db.execute(
        "SELECT type, rootpage FROM main.sqlite_schema "
        "WHERE lower(name) = ? AND type IN ('table', 'view')",
        (HISTORY_TABLE,),
    ).fetchone()
    if entry is None:
        return frozenset()
    if entry[0] != "table" or not entry[1]:
        raise _foreign("it is no ordinary table")
    return frozenset(row[1] for row in db.execute(f"PRAGMA main.table_info({TABLE})"))


def _applied(row: tuple[object, ...]) -> Applied:
    """Return a row of the history. Raises: BBMigrateError when a value is of another type."""
    for column, value, stored in zip(COLUMNS, row, STORED_TYPES, strict=True):
        if type(value) is not stored:
            raise unreadable(column)
    return Applied(*row)  # type: ignore[arg-type] # the types are checked above


def row_of(db: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Return the id and the batch of an applied migration. Raises: LookupError."""
    row: tuple[int, int] | None = None
    if has_history(db):
        row = db.execute(f"SELECT id, batch FROM {TABLE} WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise LookupError(f"the history has no migration {name}")
    return row


def _foreign(reason: str) -> BBMigrateError:
    return BBMigrateError(
        f"the table {HISTORY_TABLE} is not a history that this version can read: {reason}; "
        "rename the table if it is yours, or use the version of pytest-bbmigrate that made it"
    )


def unreadable(column: str) -> BBMigrateError:
    """Return the error that a value in ``column`` of the history is none that was written there."""
    return BBMigrateError(
        f"the history in the table {HISTORY_TABLE} does not read: a value in its column {column} "
        "is none that was written there; correct it by hand, or put a backup in place of the file"
    )
