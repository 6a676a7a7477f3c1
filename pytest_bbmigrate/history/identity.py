"""The table in the user's database that identifies it, wherever the file is moved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.own_tables import IDENTITY_TABLE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

TABLE = quote_name(IDENTITY_TABLE)

# Not part of the history, whose rows are all gone after a rollback of everything: the database
# is still the same one.
CREATE_IDENTITY = f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    id TEXT NOT NULL,
    digests TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Identity:
    """Which database this is, and which bytes its backups had when they were made.

    ``id`` is '' until the first apply, rollback or adoption gives it one; copies of the file keep
    it. ``digests`` has the SHA-256 (hexadecimal) of each backup made before one of those, by its
    file name.
    """

    id: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def new_id() -> str:
    """Return an id that no other database has."""
    return uuid4().hex


def read_identity(db: sqlite3.Connection) -> Identity:
    """Return which database ``db`` is; nothing is created.

    Raises: BBMigrateError when a table of that name is not ours, or does not read.
    """
    if not _has_table(db):
        return Identity()
    return _identity(db.execute(f"SELECT id, digests FROM main.{TABLE}").fetchall())


def write_identity(db: sqlite3.Connection, identity: Identity) -> None:
    """Write ``identity`` into ``db``, in its transaction, in place of the one that it has.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    if not _has_table(db):
        db.execute(CREATE_IDENTITY)
    db.execute(f"DELETE FROM main.{TABLE}")
    digests = json.dumps(dict(identity.digests))
    db.execute(f"INSERT INTO main.{TABLE} (id, digests) VALUES (?, ?)", (identity.id, digests))


def record_emptied(
    db: sqlite3.Connection, contents: Iterable[tuple[str, int, str]], objects: Mapping[str, str]
) -> None:
    """Write what ``db`` holds after a rollback of every migration, in its transaction.

    That is what the history records of a batch (each table's name, row count and content hash, and
    the hash of each object's definition), but the history has no row left.
    ``write_identity`` removes it.

    Raises: BBMigrateError when a table of that name is not ours.
    """
    if "emptied" not in _columns(db):
        db.execute(f"ALTER TABLE main.{TABLE} ADD COLUMN emptied TEXT")
    tables = {table: [rows, digest] for table, rows, digest in contents}
    text = json.dumps({"contents": tables, "objects": dict(objects)})
    db.execute(f"UPDATE main.{TABLE} SET emptied = ?", (text,))


def read_emptied(
    db: sqlite3.Connection,
) -> tuple[dict[str, tuple[int, str]], dict[str, str]] | None:
    """Return contents and objects as ``record_emptied`` wrote them, None if it has not.

    Raises: BBMigrateError when that does not read.
    """
    if "emptied" not in _columns(db):
        return None
    (text,) = db.execute(f"SELECT emptied FROM main.{TABLE}").fetchone() or (None,)
    if text is None:
        return None
    try:
        recorded = json.loads(text)
        contents = {
            str(name): (int(n), str(digest)) for name, (n, digest) in recorded["contents"].items()
        }
        return contents, {str(name): str(digest) for name, digest in recorded["objects"].items()}
    except (
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BBMigrateError(
            f"the table {IDENTITY_TABLE} does not say what the last rollback has left; empty its "
            "column emptied: a restore tells the more carefully then what would be lost"
        ) from error


def _columns(db: sqlite3.Connection) -> set[str]:
    """Return the columns of the table, none when it is not there. Raises: BBMigrateError."""
    if not _has_table(db):
        return set()
    return {row[1] for row in db.execute(f"PRAGMA main.table_info({TABLE})")}


def _has_table(db: sqlite3.Connection) -> bool:
    """Return whether the table is there. Raises: BBMigrateError when it is not ours."""
    entry = db.execute(
        "SELECT type, rootpage FROM main.sqlite_schema "
        "WHERE lower(name) = ? AND type IN ('table', 'view')",
        (IDENTITY_TABLE,),
    ).fetchone()
    if entry is None:
        return False
    columns = {row[1] for row in db.execute(f"PRAGMA main.table_info({TABLE})")}
    if entry[0] != "table" or not entry[1] or not {"id", "digests"} <= columns:
        raise BBMigrateError(
            f"the table {IDENTITY_TABLE} is not one that this version can read; rename the table "
            "if it is yours, or use the version of pytest-bbmigrate that made it"
        )
    return True


def _identity(rows: list[tuple[object, ...]]) -> Identity:
    """Return what the one row of the table says. Raises: BBMigrateError when it does not read."""
    try:
        ((identity, text),) = rows
        digests = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        identity, digests = None, None
    if (
        not isinstance(identity, str)
        or not isinstance(digests, dict)
        or not all(isinstance(digest, str) for digest in digests.values())
    ):
        raise BBMigrateError(
            f"the table {IDENTITY_TABLE} does not say which database this is: it is to have one "
            "row, as pytest-bbmigrate has written it; correct it by hand, or delete the table: the "
            "next apply makes it again, and backups from before are then another database's"
        )
    return Identity(identity, digests)
