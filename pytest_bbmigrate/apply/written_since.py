"""What a restore of a backup would lose: what was written or defined since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.history.batches import backups_of, contents_of, objects_of
from pytest_bbmigrate.history.identity import read_emptied, read_identity
from pytest_bbmigrate.history.table import last_batch, read_history
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import object_digests
from pytest_bbmigrate.sqlite_files.reading import reading

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_bbmigrate.sqlite_files import Hook

    Contents = Mapping[str, tuple[int, str]]

SINCE_BACKUP = "since the backup"
SINCE_APPLY = "since the apply"
WHEN_UNKNOWN = "by the last apply or since: the history does not tell"


@dataclass(frozen=True)
class WrittenSince:
    """A table or object that differs: a restore would lose what was written to it, or itself.

    ``table`` is a table whose rows are others, or an object by kind and name ('view totals') whose
    definition is another. ``rows_then`` and ``rows_now`` count a table's rows, None where it was or
    is not there; ``how`` says in a few words what happened to them, and since when.
    """

    table: str
    rows_then: int | None
    rows_now: int | None
    how: str


def written_since(
    current: Path, backup: Path, hook: Hook | None = None, *, name: str = ""
) -> tuple[WrittenSince, ...]:
    """Return what of ``current`` a restore of ``backup`` would lose, tables' rows first.

    ``current`` is a copy of the database as it is, and ``name`` what the backup is called, where
    ``backup`` is a copy of it. What is equal in both is not lost. What the last apply or rollback
    did is not lost either, for it can be done again: when ``backup`` is the one made before that,
    only what differs from what that has left, by the history, counts. Since any other backup, what
    others wrote cannot be distinguished from what runs did, and every difference counts.

    Raises: DatabaseError when either cannot be read; BBMigrateError when a history cannot.
    """
    with reading(backup, hook) as db:
        then = DatabaseContents(_contents(db), object_digests(db))
    with reading(current, hook) as db:
        now = DatabaseContents(_contents(db), object_digests(db))
        expected = _left_by_last_batch(db, name or backup.name)
    if not now.tables and not now.objects:
        return ()  # a database with nothing in it has nothing to lose
    rows = _rows_written(then, now, expected)
    return (*rows, *_defined(then, now, expected, frozenset(table.table for table in rows)))


def _left_by_last_batch(db: sqlite3.Connection, backup: str) -> DatabaseContents | None:
    """Return what the last apply or rollback has left; None where ``backup`` is of an earlier one.

    Where no migration is left, what the last rollback has left is in the identity.
    """
    batch = last_batch(read_history(db))
    if batch:
        is_latest = backups_of(db).get(batch, ())[-1:] == (backup,)
        return (
            DatabaseContents(contents_of(db, batch), objects_of(db, batch)) if is_latest else None
        )
    emptied = read_emptied(db)
    is_latest = [*read_identity(db).digests][-1:] == [backup]
    return DatabaseContents(*emptied) if emptied is not None and is_latest else None


@dataclass(frozen=True)
class DatabaseContents:
    """What a database holds: the rows of each table, and the definition of each object.

    ``tables`` is empty, and ``objects`` None, where a history does not tell.
    """

    tables: Contents
    objects: Mapping[str, str] | None


def _rows_written(
    then: DatabaseContents, now: DatabaseContents, expected: DatabaseContents | None
) -> tuple[WrittenSince, ...]:
    """Return the tables whose rows would be lost."""
    lost = _differing(then.tables, now.tables)
    if expected is None:
        return _written(lost, then.tables, now.tables, SINCE_BACKUP)
    if not expected.tables:
        return _written(lost, then.tables, now.tables, WHEN_UNKNOWN)
    since = [table for table in _differing(expected.tables, now.tables) if table in lost]
    return _written(since, expected.tables, now.tables, SINCE_APPLY)


def _defined(
    then: DatabaseContents,
    now: DatabaseContents,
    expected: DatabaseContents | None,
    named: frozenset[str],
) -> tuple[WrittenSince, ...]:
    """Return the objects whose definition would be lost, without the tables ``named`` already."""
    assert then.objects is not None  # noqa: S101 - they were read
    assert now.objects is not None  # noqa: S101 - likewise
    before, when = then.objects, SINCE_BACKUP
    lost = _differing(then.objects, now.objects)
    if expected is not None and expected.objects is not None:
        before, when = expected.objects, SINCE_APPLY
        lost = [name for name in _differing(expected.objects, now.objects) if name in lost]
    elif expected is not None:
        # Tables are left out: the rows, of which the history tells, were compared.
        lost, when = [name for name in lost if not name.startswith("table ")], WHEN_UNKNOWN
    return tuple(
        WrittenSince(name, None, None, f"{_describe_object(name, before, now.objects)} {when}")
        for name in lost
        if name.removeprefix("table ") not in named
    )


def _describe_object(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return in words what has become of an object."""
    if name not in before or name not in now:
        return "dropped" if name in before else "made"
    return "defined otherwise"


def _contents(db: sqlite3.Connection) -> Contents:
    return {table: (rows, digest) for table, rows, digest in content_of(db)}


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return what is not the same in both, or not in both, by name."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def _written(
    tables: list[str], then: Contents, now: Contents, when: str
) -> tuple[WrittenSince, ...]:
    """Return ``tables`` with how many rows came or went, and since when."""
    written = []
    for table in tables:
        rows_then, _ = then.get(table, (None, ""))
        rows_now, _ = now.get(table, (None, ""))
        written.append(
            WrittenSince(
                table, rows_then, rows_now, f"{_describe_counts(rows_then, rows_now)} {when}"
            )
        )
    return tuple(written)


def _describe_counts(rows_then: int | None, rows_now: int | None) -> str:
    """Return in words how many rows came or went; 'made' or 'dropped' for the table."""
    if rows_then is None or rows_now is None:
        return "made" if rows_then is None else "dropped"
    difference = rows_now - rows_then
    if not difference:
        return "rows changed"
    count = abs(difference)
    return f"{count} row{'s' * (count > 1)} {'more' if difference > 0 else 'fewer'}"
