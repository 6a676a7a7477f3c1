"""Which backup to put back, and what would be lost by that: rows that were written since."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.database.reading import read_database, reading
from pytest_bbmigrate.database.soundness import examine
from pytest_bbmigrate.errors import BBMigrateError, DatabaseError
from pytest_bbmigrate.history import backups_of, contents_of, last_batch, read_history
from pytest_bbmigrate.rows import content_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from pytest_bbmigrate.database import Hook

    Contents = Mapping[str, tuple[int, str]]

NAME = re.compile(
    r"(?P<database>.+)\.backup\.(?P<time>\d{8}_\d{6})(?:_(?P<number>\d+))?", re.DOTALL
)
MOST_NAMED = 5
OTHER_BACKUP = "name another backup with --bb-restore=BACKUP"


@dataclass(frozen=True)
class WrittenSince:
    """A table whose rows are not what they were: a restore would lose what was written to it.

    ``rows_then`` and ``rows_now`` count its rows, None where it was or is not there; ``how`` says
    in a few words what happened to them, and since when.
    """

    table: str
    rows_then: int | None
    rows_now: int | None
    how: str


def find_backups(database: Path, folder: Path) -> tuple[Path, ...]:
    """Return the backups of ``database`` in ``folder`` as their names tell them, newest first."""
    if not folder.is_dir():
        return ()
    found = []
    for path in folder.iterdir():
        match = NAME.fullmatch(path.name)
        if match and match["database"] == database.name and path.is_file():
            found.append((match["time"], int(match["number"] or 1), path))
    return tuple(path for *_, path in sorted(found, reverse=True))


def choose_backup(
    database: Path, folder: Path, named: str = "", start: Path = Path(), hook: Hook | None = None
) -> Path:
    """Return the backup that ``named`` means; when it is '', the newest in ``folder``.

    That is the newest of those that the history knows: another may be what a run has left that was
    killed. Where it knows none that is there, or does not read, the newest of all is taken.

    ``named`` is a path that counts from ``start``, or the name of a file in ``folder``. The backup
    is read from its first page to its last before it is returned.

    Raises: StepFailed when there is none, it is no backup of this database, it does not read as a
        database, or it is damaged.
    """
    backups = find_backups(database, folder)
    if named:
        backup = _named_backup(database, folder, named, start, backups)
    elif backups:
        known = _recorded(database)
        backup = next((path for path in backups if path.name in known), backups[0])
    else:
        raise StepFailed(
            f"{folder}: no backup of {database.name} is there; name one with --bb-restore=BACKUP, "
            "or the folder they are in with --bb-backup-dir=DIR"
        )
    if not backup.stat().st_size:  # which SQLite reads as a database with nothing in it
        raise StepFailed(f"{backup}: the file is empty; {OTHER_BACKUP}")
    try:
        with reading(backup, hook) as db:
            damage = examine(db).damage
    except DatabaseError as error:
        raise StepFailed(f"{error}; or {OTHER_BACKUP}") from error
    if damage:
        raise StepFailed(f"{backup}: the backup is damaged ({damage[0]}); {OTHER_BACKUP}")
    return backup


def newer_backups(database: Path, folder: Path, backup: Path) -> tuple[Path, ...]:
    """Return the backups in ``folder`` that are newer than ``backup``, newest first."""
    backups = find_backups(database, folder)
    return backups[: backups.index(backup)] if backup in backups else ()


def _recorded(database: Path) -> frozenset[str]:
    """Return the names of the backups that the history of ``database`` knows."""
    try:
        batches = read_database(database, backups_of)
    except BBMigrateError:  # it is gone or damaged, which a restore is there for
        return frozenset()
    return frozenset(name for names in batches.values() for name in names)


def _named_backup(
    database: Path, folder: Path, named: str, start: Path, backups: tuple[Path, ...]
) -> Path:
    candidates = [path for path in (start / named, folder / named) if path.is_file()]
    if not candidates:
        there = [path.name for path in backups[:MOST_NAMED]]
        others = f"; the newest there are: {', '.join(there)}" if there else ""
        raise StepFailed(
            f"--bb-restore={named}: no such file, neither from {start} nor in {folder}{others}"
        )
    backup = candidates[0]
    if database.exists() and backup.samefile(database):
        raise StepFailed(f"--bb-restore={named}: that is the database itself, not a backup of it")
    match = NAME.fullmatch(backup.name)
    if match and match["database"] != database.name:
        raise StepFailed(
            f"--bb-restore={named}: a backup of {match['database']}, not of {database.name}; "
            "name the database that it belongs to with --bb-db=FILE, or rename it if it is one "
            f"of {database.name}"
        )
    return backup


def written_since(
    current: Path, backup: Path, hook: Hook | None = None
) -> tuple[WrittenSince, ...]:
    """Return the tables of ``current`` whose rows would be lost if ``backup`` were put back.

    ``current`` is a copy of the database as it is. What is equal in both is not lost. What the last
    apply or rollback did is not lost either, for it can be done again: when ``backup`` is the one
    made before that, a table counts when it is not what that left, as the history has it. After any
    other backup more has happened than can be told apart, and every difference counts.

    Raises: DatabaseError when either cannot be read; BBMigrateError when a history cannot.
    """
    with reading(backup, hook) as db:
        then = _contents(db)
    with reading(current, hook) as db:
        now = _contents(db)
        batch = last_batch(read_history(db))
        is_latest = backups_of(db).get(batch, ())[-1:] == (backup.name,)
        left = contents_of(db, batch) if is_latest else {}
    if not now:
        return ()  # a database without a table has nothing to lose
    lost = _differing(then, now)
    if not is_latest:
        return _written(lost, then, now, "since the backup")
    if not left:
        return _written(lost, then, now, "by the last apply or since: the history does not tell")
    return _written([t for t in _differing(left, now) if t in lost], left, now, "since the apply")


def _contents(db: sqlite3.Connection) -> Contents:
    return {table: (rows, digest) for table, rows, digest in content_of(db)}


def _differing(one: Contents, other: Contents) -> list[str]:
    """Return the tables that do not hold the same rows, or are not in both."""
    return [
        table for table in sorted(one.keys() | other.keys()) if one.get(table) != other.get(table)
    ]


def _written(
    tables: list[str], then: Contents, now: Contents, when: str
) -> tuple[WrittenSince, ...]:
    """Return ``tables`` with what became of their rows."""
    found = []
    for table in tables:
        rows_then, _ = then.get(table, (None, ""))
        rows_now, _ = now.get(table, (None, ""))
        found.append(
            WrittenSince(table, rows_then, rows_now, f"{_what(rows_then, rows_now)} {when}")
        )
    return tuple(found)


def _what(rows_then: int | None, rows_now: int | None) -> str:
    """Return in words what the two counts tell."""
    if rows_then is None or rows_now is None:
        return "made" if rows_then is None else "dropped"
    difference = rows_now - rows_then
    if not difference:
        return "rows changed"
    count = abs(difference)
    return f"{count} row{'s' * (count > 1)} {'more' if difference > 0 else 'fewer'}"
