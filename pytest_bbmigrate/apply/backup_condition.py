"""In what condition the backups of a database are; nothing is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import (
    Ownership,
    backups_in,
    belongs_to,
    note_on,
    notes_in,
    owner_of,
    ownership_of,
)
from pytest_bbmigrate.apply.workspace import folders_left
from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import backup_fault, describe_fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.backup_owners import Owner
    from pytest_bbmigrate.sqlite_files.notes import Note


def backup_problems(database: Path, folder: Path) -> tuple[str, ...]:
    """Return what is wrong with the backups of ``database`` in ``folder``, a line each.

    Every one of them is read, from its first byte to its last. Folders with copies of
    the data that a killed run has left are named, too. Other databases' files are passed over.
    """
    if not folder.is_dir():
        return ()
    owner = owner_of(database, folder)
    problems = [
        problem
        for backup, note in backups_in(folder)
        if (problem := _problem(backup, note, owner, database))
    ]
    problems += _removed_backups(owner, folder)
    problems += [
        f"{path}: copies of the data, left by a run that was killed; the next run removes them"
        for path in folders_left(owner, folder)
    ]
    return tuple(problems)


def restore_obstacle(backup: Path) -> str:
    """Return why the ``backup`` of this run cannot be restored any more; '' when it can be."""
    try:
        note = note_on(backup)
    except DatabaseError as error:
        return str(error)
    if note is None:
        return f"{backup}: its note is gone, and nothing tells whether it is what it was"
    return describe_fault(backup, note)


def _problem(backup: Path, note: Note | None, owner: Owner, database: Path) -> str:
    """Return what is wrong with one backup, '' when nothing is, or it is another database's."""
    ownership = ownership_of(backup, note, owner)
    if ownership is Ownership.OTHER:
        return ""
    if note is not None and (fault := describe_fault(backup, note)):
        return fault
    digest = owner.digests.get(backup.name)
    if digest is not None:
        fault = backup_fault(backup, digest)
        return f"{backup}: it is not what the history says that it was: {fault}" if fault else ""
    if note is not None:
        return ""
    try:
        note_on(backup)
    except DatabaseError as error:
        return str(error)
    if ownership is Ownership.UNKNOWN:
        if not backup.name.startswith(f"{database.name}.backup."):
            return ""
        return f"{backup}: nothing tells of which database it is, nor what it was when it was made"
    return f"{backup}: nothing tells what it was when it was made"


def _removed_backups(owner: Owner, folder: Path) -> Iterator[str]:
    """Yield the backups that something else has removed: we remove the note as well."""
    for backup, note in notes_in(folder):
        if not os.path.lexists(backup) and belongs_to(note, owner):
            yield (
                f"{describe_fault(backup, note)}; if that was meant, remove its note, "
                f"{note_beside(backup).name}"
            )
