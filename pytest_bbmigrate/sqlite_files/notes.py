"""The note on a backup or a folder of ours: whose it is, and what it was when it was made.

The note on a backup is beside it, that on a folder in it. What is merely named like ours has none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.untrusted_files import read_untrusted
from pytest_bbmigrate.sqlite_files.backup import note_beside, refuse_taken
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.sidecars import WITH_CONTENT, beside

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_NOTE = ".bbmigrate.json"
MOST_BYTES = 1 << 20  # of a note; ours have less than 4096
REMEDY = "remove the note, if what it is beside is yours and sound"


@dataclass(frozen=True)
class Note:
    """Which database a backup or folder belongs to, and what a backup was when it was made.

    ``database`` is the id of the database, '' where it had none; ``path`` was its real path, and
    ``inode`` its file's number there. ``made`` is the time in UTC, ISO 8601. ``size`` in bytes and
    ``digest``, the SHA-256 in hexadecimal, are a backup's.
    """

    database: str
    path: str
    inode: int
    made: str
    size: int = 0
    digest: str = ""


def note_for(path: Path, database: str = "") -> Note:
    """Return the note for a folder or a new backup of the database file ``path``."""
    real = os.path.realpath(path)
    try:
        inode = Path(real).stat().st_ino
    except OSError:
        inode = 0
    return Note(database, real, inode, datetime.now(UTC).isoformat(timespec="seconds"))


def read_note(note: Path) -> Note | None:
    """Return the note in the file ``note``; None when there is none.

    Raises: DatabaseError when it cannot be read, or is a link, a pipe or the like.
    """
    try:
        return _note_of(json.loads(read_untrusted(note, MOST_BYTES)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatabaseError(note, f"the note cannot be read ({error.strerror})") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise DatabaseError(note, f"the note does not say what a note says; {REMEDY}") from error


def _note_of(values: Mapping[str, object]) -> Note:
    """Return ``values`` as a note; unknown ones are ignored. Raises: TypeError."""
    fields = {name: values[name] for name in Note.__match_args__ if name in values}
    note = Note(**fields)  # type: ignore[arg-type] # their types are checked below
    if [type(value) for value in asdict(note).values()] != [str, str, int, str, int, str]:
        raise TypeError
    return note


def write_note(note: Note, path: Path, staging: Path, like: Path | None = None) -> None:
    """Write ``note`` into the new file ``path``, mode 0600, on the disk: all of it or nothing.

    It is written in the folder ``staging``, on the same disk, and renamed when it is complete. It
    gets the owner of the file ``like``, the backup, if this user may give files to that owner.

    Raises: DatabaseError when the name is taken; OSError when it cannot be written.
    """
    staged = staging / f"{path.name}.staged"
    try:
        _write(note, staged)
        if like is not None:
            with suppress(PermissionError):
                shutil.chown(staged, like.stat().st_uid, like.stat().st_gid)
        try:
            os.link(staged, path)  # unlike rename, it overwrites nothing
        except OSError:  # the name is taken, or this disk has no links
            refuse_taken(path)
            staged.rename(path)
    finally:
        staged.unlink(missing_ok=True)
    sync(path.parent)


def correct_note(own: Note, backup: Path, staging: Path) -> None:
    """Write the note ``own`` on ``backup``, if there is none or one that says something else.

    Raises: DatabaseError or OSError when it cannot be written.
    """
    path = note_beside(backup)
    try:
        if read_note(path) == own:
            return
    except DatabaseError:
        pass  # unreadable: it is replaced below
    path.unlink(missing_ok=True)
    write_note(own, path, staging, backup)


def note_folder(folder: Path, note: Note) -> None:
    """Write ``note`` into the new folder ``folder`` of ours, on the disk. Raises: OSError."""
    _write(note, folder / FOLDER_NOTE)
    sync(folder)


def _write(note: Note, path: Path) -> None:
    content = json.dumps(asdict(note), indent=2).encode("ascii") + b"\n"
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(number, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        file.write(content)
        flush(number)


def with_digest(note: Note, backup: Path) -> Note:
    """Return ``note`` with the size and the digest of ``backup``, as it is now. Raises: OSError."""
    with backup.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(note, size=size, digest=digest)


def discard_backup(backup: Path, own: Note) -> bool:
    """Remove the backup that was made with the note ``own``, and the note; return whether it was.

    Anything else of that name stays: a backup of another run, or one that was written to since.

    Raises: OSError when it cannot be removed.
    """
    path = note_beside(backup)
    try:
        note = read_note(path)
    except DatabaseError:
        return False
    if note is None or replace(note, size=own.size, digest=own.digest) != own:
        return False
    if os.path.lexists(backup) and backup_fault(backup, note.digest):
        return False
    backup.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    return True


def same_file(one: str, other: str) -> bool:
    """Return whether two real paths lead to one file; on some disks letter case does not count."""
    if one == other:
        return True
    with suppress(OSError):
        return Path(one).samefile(other)
    return False


def backup_fault(backup: Path, digest: str) -> str:
    """Return how a backup differs from what it was when ``digest`` was taken; '' if it does not."""
    if fault := written_beside(backup):
        return fault
    try:
        if not stat.S_ISREG(backup.stat().st_mode):
            return "it is no file any more"
        with backup.open("rb") as file:
            current = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if current == digest else f"its SHA-256 was {digest}, and is {current}"


def written_beside(backup: Path) -> str:
    """Return a sentence on a file beside ``backup`` that SQLite would read as part of it, or ''."""
    for suffix in WITH_CONTENT:
        sidecar = beside(backup, suffix)
        with suppress(OSError):
            if sidecar.stat().st_size:
                return f"{sidecar.name} is beside it: a program has opened it and written to it"
    return ""


def describe_fault(backup: Path, note: Note) -> str:
    """Return what ``backup_fault`` finds, with the facts of the note; '' for no fault."""
    fault = backup_fault(backup, note.digest)
    if not fault:
        return ""
    try:
        size = backup.stat().st_size
    except OSError:
        size = note.size
    facts = [note.made, f"of {note.path}", f"{note.size:,} bytes then"]
    if size != note.size:
        facts.append(f"{size:,} now")
    return (
        f"{backup}: it is not what it was when it was made "
        f"({', '.join(filter(None, facts))}): {fault}"
    )
