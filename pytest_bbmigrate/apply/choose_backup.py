"""Choose the backup to restore: one of this database, unchanged since it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.backup_owners import (
    BACKUP_NAME,
    Ownership,
    backup_time,
    backups_in,
    belongs_to,
    id_in,
    note_on,
    own_backups,
    owner_of,
    ownership_of,
)
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.sqlite_files.notes import Note, describe_fault, written_beside
from pytest_bbmigrate.sqlite_files.reading import reading
from pytest_bbmigrate.sqlite_files.soundness import examine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.apply.backup_owners import Owner
    from pytest_bbmigrate.sqlite_files import Hook

MOST_NAMED = 5
OTHER_BACKUP = "name another backup with --bb-restore=BACKUP"
RESTORE_A_COPY = "a copy of it under another name can be restored as it is"


@dataclass(frozen=True)
class ChosenBackup:
    """A backup to restore, and the note on it; None where nothing tells what it was when made.

    ``notes`` are worth telling, and no obstacle.
    """

    backup: Path
    note: Note | None = None
    notes: tuple[str, ...] = ()


def choose_backup(
    database: Path,
    folder: Path,
    named: str = "",
    start: Path = Path(),
    hook: Hook | None = None,
    *,
    discard: bool = False,
) -> ChosenBackup:
    """Return the backup that ``named`` means; when it is '', the newest of this database.

    That is the newest of those that the history knows: another may be what a run has left that was
    killed. Where it knows none that is there, or does not read, the newest of all in ``folder`` is
    taken that are of this database.

    ``named`` is a path that counts from ``start``, or the name of a file in ``folder``; it may be
    of another database where ``discard`` is given, or have a note that does not read. The backup is
    compared with what was recorded when it was made, and read from its first page to its last,
    before it is returned.

    Raises: StepFailed when there is none, it is of another database, it is not what it was, it does
        not read as a database, or it is damaged.
    """
    owner = owner_of(database, folder)
    if named:
        backup = _named_backup(database, folder, named, start, owner)
    else:
        backup = _newest_backup(database, folder, owner)
    choice = _checked(backup, owner, database, discard=discard, is_named=bool(named))
    if not backup.stat().st_size:  # which SQLite reads as a database with nothing in it
        raise StepFailed(f"{backup}: the file is empty; {OTHER_BACKUP}")
    try:
        with reading(backup, hook) as db:
            damage = examine(db).damage
    except DatabaseError as error:
        raise StepFailed(f"{error}; or {OTHER_BACKUP}") from error
    if damage:
        raise StepFailed(f"{backup}: the backup is damaged ({damage[0]}); {OTHER_BACKUP}")
    return choice


def newer_backups(database: Path, folder: Path, backup: Path) -> tuple[Path, ...]:
    """Return the backups of ``database`` that are newer than ``backup``, newest first.

    Their names tell that. Where the history knows ``backup``, it is the newest of those it knows.
    """
    owner = owner_of(database, folder)
    backups = own_backups(owner, folder)
    recorded = owner.recorded if backup.name in owner.recorded else ()
    newer = backups[: backups.index(backup)] if backup in backups else ()
    return tuple(path for path in newer if path.name not in recorded)


def _newest_backup(database: Path, folder: Path, owner: Owner) -> Path:
    """Return the backup to take where none is named. Raises: StepFailed."""
    backups = own_backups(owner, folder)
    for name in filter(backup_time, reversed(owner.recorded)):
        if (path := folder / name) in backups:
            return path
        _refuse_lost(path, owner, backups)
    if not backups:
        raise StepFailed(
            f"{folder}: no backup of {database.name} is there{_unowned_backups(database, folder)}; "
            "name one with --bb-restore=BACKUP, or the folder they are in with --bb-backup-dir=DIR"
        )
    ids = {
        note.database if note else id_in(path)
        for path, note in backups_in(folder)
        if path in backups
    }
    if not owner.id and len(ids - {""}) > 1:
        raise StepFailed(
            f"{folder}: the backups there of {owner.path} are of {len(ids - {''})} databases that "
            f"were there one after the other; {OTHER_BACKUP}: {_listed(backups)}"
        )
    return backups[0]


def _named_backup(database: Path, folder: Path, named: str, start: Path, owner: Owner) -> Path:
    """Return the file that ``named`` means.

    Raises: StepFailed when there is none, or it is the database.
    """
    candidates = [path for path in (start / named, folder / named) if path.is_file()]
    if not candidates:
        backups = own_backups(owner, folder)
        for path in (start / named, folder / named):
            _refuse_lost(path, owner, backups)
        others = f"; the newest there are: {_listed(backups)}" if backups else ""
        raise StepFailed(
            f"--bb-restore={named}: no such file, neither from {start} nor in {folder}{others}"
        )
    backup = candidates[0]
    if database.exists() and backup.samefile(database):
        raise StepFailed(f"--bb-restore={named}: that is the database itself, not a backup of it")
    return backup


def _refuse_lost(path: Path, owner: Owner, backups: Iterable[Path]) -> None:
    """Raise StepFailed when ``path`` was a backup of this database, and has been removed.

    Where we have removed it ourselves, there is no note either.
    """
    try:
        note = note_on(path)
    except DatabaseError:
        return
    if note is not None and belongs_to(note, owner):
        raise StepFailed(f"{describe_fault(path, note)}; {OTHER_BACKUP}: {_listed(backups)}")


def _checked(
    backup: Path, owner: Owner, database: Path, *, discard: bool, is_named: bool
) -> ChosenBackup:
    """Return ``backup`` with its note, compared with what was recorded of it.

    Raises: StepFailed when it is of another database, or not what it was when it was made.
    """
    note, note_fault = None, ""
    try:
        note = note_on(backup)
    except DatabaseError as error:
        note_fault = str(error)
    if note is not None:
        _refuse_changed(backup, note)
    ownership = ownership_of(backup, note, owner)
    digest = owner.digests.get(backup.name)
    if digest is not None and ownership is not Ownership.OTHER:
        recorded = Note(owner.id, owner.path, 0, "", backup.stat().st_size, digest)
        _refuse_changed(backup, recorded)
        note = note or recorded
    if note_fault and note is None and not (discard and is_named):
        raise StepFailed(note_fault)
    if sidecar_fault := written_beside(backup):
        raise StepFailed(f"{backup}: {sidecar_fault}; end what has it open, and run again")
    notes = _ownership_notes(backup, note, ownership, database, discard=discard)
    return ChosenBackup(backup, note, (*filter(None, (note_fault.partition("; ")[0],)), *notes))


def _refuse_changed(backup: Path, note: Note) -> None:
    """Raise StepFailed when ``backup`` is not what ``note`` says that it was."""
    if fault := describe_fault(backup, note):
        raise StepFailed(f"{fault}; {OTHER_BACKUP}; {RESTORE_A_COPY}")


def _ownership_notes(
    backup: Path, note: Note | None, ownership: Ownership, database: Path, *, discard: bool
) -> tuple[str, ...]:
    """Return what is worth telling of which database ``backup`` is of.

    Raises: StepFailed when it is another database's, and that was not asked for.
    """
    match = BACKUP_NAME.fullmatch(backup.name)
    if ownership is Ownership.OTHER:
        path = f", {note.path}" if note else ""
        if not discard:
            comma = "," if path else ""
            raise StepFailed(
                f"{backup}: a backup of another database{path}{comma} and not of {database}; name "
                "the one that it belongs to with --bb-db=FILE, or put it into this one all the "
                "same with --bb-discard-changes"
            )
        return (f"{backup.name} is a backup of another database{path}",)
    if ownership is Ownership.ELSEWHERE and note is not None:
        since = "the database was moved since, or one is a copy of the other"
        return (f"{backup.name} was made of {note.path}: {since}",)
    if ownership is Ownership.UNKNOWN and match and match["database"] != database.name:
        raise StepFailed(
            f"{backup}: a backup of {match['database']}, not of {database.name}, as its name "
            "tells; name the database that it belongs to with --bb-db=FILE, or rename it if it "
            f"is one of {database.name}"
        )
    if note is None:
        is_unknown = ownership is Ownership.UNKNOWN
        database_too = "of which database it is, nor " if is_unknown else ""
        return (f"{backup.name}: nothing tells {database_too}what it was when it was made",)
    return ()


def _unowned_backups(database: Path, folder: Path) -> str:
    """Return the files that are its backups by nothing but their names, as an addition; or ''."""
    named = [
        path
        for path, note in backups_in(folder)
        if note is None and path.name.startswith(f"{database.name}.backup.")
    ]
    return f"; nothing tells of which database {_listed(named)} is" if named else ""


def _listed(backups: Iterable[Path]) -> str:
    names = [path.name for path in backups]
    return ", ".join(names[:MOST_NAMED]) or "there is none"
