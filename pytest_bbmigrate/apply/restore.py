"""Which backup to put back, and what would be lost by that: what was written or defined since."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.database.reading import read_database, reading
from pytest_bbmigrate.database.soundness import examine
from pytest_bbmigrate.errors import BBMigrateError, DatabaseError
from pytest_bbmigrate.history import (
    backups_of,
    contents_of,
    last_batch,
    objects_of,
    read_history,
)
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import objects_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from pytest_bbmigrate.database import Hook

    Contents = Mapping[str, tuple[int, str]]

NAME = re.compile(
    r"(?P<database>.+)\.backup\.(?P<time>\d{8}_\d{6})(?:_(?P<number>\d+))?", re.DOTALL
)
MOST_NAMED = 5
SINCE_BACKUP = "since the backup"
SINCE_APPLY = "since the apply"
UNTOLD = "by the last apply or since: the history does not tell"
OTHER_BACKUP = "name another backup with --bb-restore=BACKUP"


@dataclass(frozen=True)
class WrittenSince:
    """What is not as it was: a restore would lose what was written to it, or that it is there.

    ``table`` is a table whose rows are others, or an object by kind and name ('view totals') whose
    definition is another. ``rows_then`` and ``rows_now`` count a table's rows, None where it was or
    is not there; ``how`` says in a few words what happened to them, and since when.
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
    """Return what of ``current`` would be lost if ``backup`` were put back, tables' rows first.

    ``current`` is a copy of the database as it is. What is equal in both is not lost. What the last
    apply or rollback did is not lost either, for it can be done again: when ``backup`` is the one
    made before that, what counts is what that has not left so, as the history has it. After any
    other backup more has happened than can be told apart, and every difference counts.

    Raises: DatabaseError when either cannot be read; BBMigrateError when a history cannot.
    """
    with reading(backup, hook) as db:
        then = Held(_contents(db), objects_in(db))
    with reading(current, hook) as db:
        now = Held(_contents(db), objects_in(db))
        batch = last_batch(read_history(db))
        is_latest = backups_of(db).get(batch, ())[-1:] == (backup.name,)
        left = Held(contents_of(db, batch), objects_of(db, batch)) if is_latest else None
    if not now.tables and not now.objects:
        return ()  # a database with nothing in it has nothing to lose
    rows = _rows_written(then, now, left)
    return (*rows, *_defined(then, now, left, frozenset(table.table for table in rows)))


@dataclass(frozen=True)
class Held:
    """What a database holds: of each table the rows, and what it and other objects are defined as.

    ``tables`` is empty, and ``objects`` None, where a history does not tell.
    """

    tables: Contents
    objects: Mapping[str, str] | None


def _rows_written(then: Held, now: Held, left: Held | None) -> tuple[WrittenSince, ...]:
    """Return the tables whose rows would be lost."""
    lost = _differing(then.tables, now.tables)
    if left is None:
        return _written(lost, then.tables, now.tables, SINCE_BACKUP)
    if not left.tables:
        return _written(lost, then.tables, now.tables, UNTOLD)
    since = [table for table in _differing(left.tables, now.tables) if table in lost]
    return _written(since, left.tables, now.tables, SINCE_APPLY)


def _defined(
    then: Held, now: Held, left: Held | None, named: frozenset[str]
) -> tuple[WrittenSince, ...]:
    """Return the objects whose definition would be lost, but for the tables that are ``named``."""
    assert then.objects is not None  # noqa: S101 - they were read
    assert now.objects is not None  # noqa: S101 - likewise
    before, when = then.objects, SINCE_BACKUP
    lost = _differing(then.objects, now.objects)
    if left is not None and left.objects is not None:
        before, when = left.objects, SINCE_APPLY
        lost = [name for name in _differing(left.objects, now.objects) if name in lost]
    elif left is not None:
        # Of a table, the rows that the history tells of have told what matters.
        lost, when = [name for name in lost if not name.startswith("table ")], UNTOLD
    return tuple(
        WrittenSince(name, None, None, f"{_how(name, before, now.objects)} {when}")
        for name in lost
        if name.removeprefix("table ") not in named
    )


def _how(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return in words what has become of an object."""
    if name not in before or name not in now:
        return "dropped" if name in before else "made"
    return "defined otherwise"


def _contents(db: sqlite3.Connection) -> Contents:
    return {table: (rows, digest) for table, rows, digest in content_of(db)}


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """Return what is not the same in both, or not in both, by name."""
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


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
