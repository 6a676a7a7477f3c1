"""What the history records of each batch: its backups, and what the database held after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_bbmigrate.history.table import (
    NOT_OUR_JSON,
    TABLE,
    has_history,
    history_columns,
    make_history,
    row_of,
    unreadable,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping


def remove(db: sqlite3.Connection, name: str) -> None:
    """Remove a migration that was rolled back.

    The backups recorded in its row move to the batch before it, or else after it, so that they can
    still be pruned.

    Raises: LookupError when ``db`` does not have it.
    """
    make_history(db)
    row, batch = row_of(db, name)
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
        raise unreadable("contents") from error


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
        raise unreadable("objects") from error


def _written_last(db: sqlite3.Connection, batch: int, column: str) -> str | None:
    """Return the value of ``column`` in the last row of a batch; older tables lack the column."""
    if not has_history(db) or column not in history_columns(db):
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
    if not has_history(db) or "backups" not in history_columns(db):
        return {}
    by_batch: dict[int, tuple[str, ...]] = {}
    for row, batch in db.execute(f"SELECT id, batch FROM {TABLE} ORDER BY id").fetchall():
        if names := _backups_in(db, row):
            by_batch[batch] = (*by_batch.get(batch, ()), *names)
    return by_batch


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
        raise unreadable("backups") from error


def _write_backups(db: sqlite3.Connection, row: int, names: list[str]) -> None:
    db.execute(f"UPDATE {TABLE} SET backups = ? WHERE id = ?", (json.dumps(names), row))
