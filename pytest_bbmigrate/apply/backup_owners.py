"""Which of the files in a folder that databases share belong to which of them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.batches import backups_of
from pytest_bbmigrate.history.identity import new_id, read_identity
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import Note, note_for, read_note, same_file
from pytest_bbmigrate.sqlite_files.reading import read_database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STAMP = r"(?P<time>\d{8}_\d{6})(?:_(?P<number>\d+))?"
BACKUP_NAME = re.compile(rf"(?P<database>.+)\.backup\.{STAMP}", re.DOTALL)
NOTE_NAME = re.compile(rf"\.(?P<backup>.+\.backup\.{STAMP})\.json", re.DOTALL)


class Ownership(Enum):
    """Whether a backup is of a database."""

    SAME = "of this database"
    ELSEWHERE = "of this database, made where it was at another path, or of a copy of it"
    OTHER = "of another database"
    UNKNOWN = "nothing tells of which database"


@dataclass(frozen=True)
class Owner:
    """A database, by what identifies it in notes and in its history.

    ``id`` is '' where it has none yet, does not exist or does not read. ``recorded`` are the names
    of the backups that its history knows, in the order in which it recorded them, which no clock
    that is set back changes; ``digests`` what they were when they were made.
    """

    note: Note
    recorded: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id in its history."""
        return self.note.database

    @property
    def path(self) -> str:
        """Its real path."""
        return self.note.path


def owner_of(database: Path, scratch: Path | None = None) -> Owner:
    """Return what identifies ``database``, even if it is gone or damaged; nothing is written.

    A copy that has to be made to read it is made in ``scratch``.
    """
    folder = scratch if scratch is not None and scratch.is_dir() else None
    try:
        return read_database(database, lambda db: _owner(db, database), scratch=folder)
    except BBMigrateError:
        return Owner(note_for(database))


def _owner(db: sqlite3.Connection, database: Path) -> Owner:
    identity = read_identity(db)
    names = [name for batch in backups_of(db).values() for name in batch]
    before_digests = [name for name in names if name not in identity.digests]
    recorded = (*before_digests, *identity.digests)
    return Owner(note_for(database, identity.id), recorded, identity.digests)


def id_for(owner: Owner, folder: Path) -> str:
    """Return the id that a database has, or is to get at its next apply.

    One that was restored from before it had an id gets the one it had: the notes on its backups
    in ``folder`` tell it, where they are of this very file. Another file at this path is another
    database.
    """
    if owner.id or not folder.is_dir():
        return owner.id or new_id()
    notes = [
        note
        for _, note in notes_in(folder)
        if note.database
        and note.inode == owner.note.inode != 0
        and same_file(note.path, owner.path)
    ]
    return max(notes, key=lambda note: note.made).database if notes else new_id()


def belongs_to(note: Note, owner: Owner) -> bool:
    """Return whether what ``note`` describes belongs to this very database, and no other uses it.

    A copy of the file has the same id: a note with the path of the copy is the copy's, as long as
    there is a database at that path. Where one of the two has no id, path and file must be the
    same, or there was no file when the note was made.
    """
    if note.database and owner.id:
        is_here = same_file(note.path, owner.path) or not os.path.lexists(note.path)
        return note.database == owner.id and is_here
    return same_file(note.path, owner.path) and note.inode in (0, owner.note.inode)


def ownership_of(backup: Path, note: Note | None, owner: Owner) -> Ownership:
    """Return whether ``backup`` is of a database; ``note`` is the one beside it, if any."""
    identity = (note.database if note else "") or id_in(backup)
    if identity and owner.id:
        if identity != owner.id:
            return Ownership.OTHER
        is_here = note is None or same_file(note.path, owner.path)
        return Ownership.SAME if is_here else Ownership.ELSEWHERE
    if note is not None:
        return Ownership.SAME if same_file(note.path, owner.path) else Ownership.OTHER
    return Ownership.SAME if backup.name in owner.recorded else Ownership.UNKNOWN


def id_in(backup: Path) -> str:
    """Return the id that the content of ``backup`` has; '' for none, and where it does not read."""
    try:
        return read_database(backup, read_identity).id
    except BBMigrateError:
        return ""


def backups_in(folder: Path) -> list[tuple[Path, Note | None]]:
    """Return what is named like a backup, of whichever database, newest first, with its note.

    A note that does not read is none here.
    """
    if not folder.is_dir():
        return []
    notes = dict(notes_in(folder))
    paths = [path for path in folder.iterdir() if backup_time(path.name) and path.is_file()]
    paths.sort(key=lambda path: (backup_time(path.name), path.name), reverse=True)
    return [(path, notes.get(path)) for path in paths]


def backup_time(name: str) -> tuple[str, int] | None:
    """Return when a backup of this name was made, to be sorted by; None for any other name."""
    match = BACKUP_NAME.fullmatch(name)
    return (match["time"], int(match["number"] or 1)) if match else None


def own_backups(owner: Owner, folder: Path) -> tuple[Path, ...]:
    """Return the backups in ``folder`` that are of this database, or of a copy, newest first."""
    return tuple(
        path
        for path, note in backups_in(folder)
        if ownership_of(path, note, owner) in (Ownership.SAME, Ownership.ELSEWHERE)
    )


def notes_in(folder: Path) -> Iterator[tuple[Path, Note]]:
    """Yield each backup's path, whether it exists or not, and its note; skip unreadable notes."""
    for path in sorted(folder.iterdir()):
        if match := NOTE_NAME.fullmatch(path.name):
            try:
                note = read_note(path)
            except BBMigrateError:  # whose it is, it does not say
                continue
            if note is not None:
                yield folder / match["backup"], note


def note_on(backup: Path) -> Note | None:
    """Return the note on ``backup``. Raises: DatabaseError when it does not read."""
    return read_note(note_beside(backup))
