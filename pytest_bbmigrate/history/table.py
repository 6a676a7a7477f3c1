"""The table in the user's database that records its migrations, and what it held after them."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

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
    columns = _columns(db)
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
    columns = _columns(db)
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
    _row_of(db, old)
    db.execute(f"UPDATE {TABLE} SET name = ? WHERE name = ?", (new, old))


def remove(db: sqlite3.Connection, name: str) -> None:
    """Remove a migration that was rolled back.

    The backups recorded in its row move to the batch before it, or else after it, so that they can
    still be pruned.

    Raises: LookupError when ``db`` does not have it.
    """
    make_history(db)
    row, batch = _row_of(db, name)
    backups = _backups_in(db, row)
    db.execute(f"DELETE FROM {TABLE} WHERE id = ?", (row,))
    # Its own batch if that has a row left, else the nearest batch, an earlier one first.
    heir = db.execute(
        f"SELECT batch FROM {TABLE} ORDER BY batch <> ?, id > ?, abs(id - ?) LIMIT 1",
        (batch, row, row),
    ).fetchone()
    if backups and heir:
        first = _edge_of(db, heir[0], "min")
        _write_backups(db, first, [*_backups_in(db, first), *backups])


def record_contents(
    db: sqlite3.Connection,
    batch: int,
    contents: Iterable[tuple[str, int, str]],
    objects: Mapping[str, str] | None = None,
) -> None:
    """Record what ``db`` holds after ``batch``: each table's name, row count and content hash.

    ``objects`` are its tables, indexes, triggers and views, each with the hash of its definition.
    What the batch had recorded is replaced.

    Raises: LookupError when the history has no such batch.
    """
    make_history(db)
    text = json.dumps({table: [rows, digest] for table, rows, digest in contents})
    last = _edge_of(db, batch, "max")
    defined = None if objects is None else json.dumps(dict(objects))
    db.execute(f"UPDATE {TABLE} SET contents = NULL, objects = NULL WHERE batch = ?", (batch,))
    db.execute(f"UPDATE {TABLE} SET contents = ?, objects = ? WHERE id = ?", (text, defined, last))


def contents_of(db: sqlite3.Connection, batch: int) -> Mapping[str, tuple[int, str]]:
    """Return each table's row count and content hash after ``batch``; {} when none are recorded.

    They are of the whole batch: none are left once one of its migrations was rolled back.

    Raises: BBMigrateError when the history does not read.
    """
    text = _written_last(db, batch, "contents")
    if text is None:
        return {}
    try:
        tables = dict(json.loads(text))
        return {table: (int(rows), str(digest)) for table, (rows, digest) in tables.items()}
    except NOT_OUR_JSON as error:
        raise _unreadable("contents") from error


def objects_of(db: sqlite3.Connection, batch: int) -> Mapping[str, str] | None:
    """Return the hash of the definition of each object after ``batch``; None when not recorded.

    Raises: BBMigrateError when the history does not read.
    """
    text = _written_last(db, batch, "objects")
    if text is None:
        return None
    try:
        return {str(name): str(digest) for name, digest in dict(json.loads(text)).items()}
    except NOT_OUR_JSON as error:
        raise _unreadable("objects") from error


def _written_last(db: sqlite3.Connection, batch: int, column: str) -> str | None:
    """Return the value of ``column`` in the last row of a batch; older tables lack the column."""
    if not has_history(db) or column not in _columns(db):
        return None
    row = db.execute(
        f"SELECT {column} FROM {TABLE} WHERE batch = ? ORDER BY id DESC LIMIT 1", (batch,)
    ).fetchone()
    return None if row is None else row[0]


def record_backup(db: sqlite3.Connection, batch: int, file_name: str) -> None:
    """Record the name of a backup that was made before ``batch``, or before a rollback to it.

    Raises: LookupError when the history has no such batch.
    """
    make_history(db)
    first = _edge_of(db, batch, "min")
    backups = _backups_in(db, first)
    if file_name not in backups:
        _write_backups(db, first, [*backups, file_name])


def backups_of(db: sqlite3.Connection) -> Mapping[int, tuple[str, ...]]:
    """Return the file names of the recorded backups, by batch, oldest first.

    Raises: BBMigrateError when the history does not read.
    """
    if not has_history(db) or "backups" not in _columns(db):
        return {}
    by_batch: dict[int, tuple[str, ...]] = {}
    for row, batch in db.execute(f"SELECT id, batch FROM {TABLE} ORDER BY id").fetchall():
        if names := _backups_in(db, row):
            by_batch[batch] = (*by_batch.get(batch, ()), *names)
    return by_batch


def _columns(db: sqlite3.Connection) -> frozenset[str]:
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
            raise _unreadable(column)
    return Applied(*row)  # type: ignore[arg-type] # the types are checked above


def _row_of(db: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Return the id and the batch of an applied migration. Raises: LookupError."""
    row: tuple[int, int] | None = None
    if has_history(db):
        row = db.execute(f"SELECT id, batch FROM {TABLE} WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise LookupError(f"the history has no migration {name}")
    return row


def _edge_of(db: sqlite3.Connection, batch: int, which: str) -> int:
    """Return the id of the first ('min') or last ('max') row of a batch. Raises: LookupError."""
    query = f"SELECT {which}(id) FROM {TABLE} WHERE batch = ?"
    row: int | None = db.execute(query, (batch,)).fetchone()[0]
    if row is None:
        raise LookupError(f"the history has no batch {batch}")
    return row


def _backups_in(db: sqlite3.Connection, row: int) -> list[str]:
    """Return the backups recorded in a row."""
    (text,) = db.execute(f"SELECT backups FROM {TABLE} WHERE id = ?", (row,)).fetchone()
    try:
        return [] if text is None else [str(name) for name in json.loads(text)]
    except NOT_OUR_JSON as error:
        raise _unreadable("backups") from error


def _write_backups(db: sqlite3.Connection, row: int, names: list[str]) -> None:
    db.execute(f"UPDATE {TABLE} SET backups = ? WHERE id = ?", (json.dumps(names), row))


def _foreign(reason: str) -> BBMigrateError:
    return BBMigrateError(
        f"the table {HISTORY_TABLE} is not a history that this version can read: {reason}; "
        "rename the table if it is yours, or use the version of pytest-bbmigrate that made it"
    )


def _unreadable(column: str) -> BBMigrateError:
    return BBMigrateError(
        f"the history in the table {HISTORY_TABLE} does not read: a value in its column {column} "
        "is none that was written there; correct it by hand, or put a backup in place of the file"
    )
