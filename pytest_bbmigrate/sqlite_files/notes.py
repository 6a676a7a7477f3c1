"""The note on a file of ours: whose it is, and what it was when it was made.

A backup has its note beside it, a folder of ours in it. What is merely named like ours has none.
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
from pytest_bbmigrate.sqlite_files.backup import note_beside, refuse_taken
from pytest_bbmigrate.sqlite_files.durable import flush, sync
from pytest_bbmigrate.sqlite_files.sidecars import WITH_CONTENT

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_NOTE = ".bbmigrate.json"
MOST_BYTES = 1 << 20  # of a note; ours have less than one page
# A pipe would be waited for, and a link leads elsewhere; Windows knows neither.
ONLY_FILES = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
WAY_OUT = "remove the note, if what it is beside is yours and sound"


@dataclass(frozen=True)
class Note:
    """Whose a backup or a folder is, and what a backup was when it was made.

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
    """Return the note for a folder, or a backup to come, of the database file ``path``."""
    real = os.path.realpath(path)
    try:
        inode = Path(real).stat().st_ino
    except OSError:
        inode = 0
    return Note(database, real, inode, datetime.now(UTC).isoformat(timespec="seconds"))


def read_note(note: Path) -> Note | None:
    """Return what a note says; None when there is none.

    Raises: DatabaseError when it does not read, or is a link, a pipe or the like.
    """
    try:
        return _note(json.loads(_read(note)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatabaseError(note, f"the note cannot be read ({error.strerror})") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise DatabaseError(note, f"the note does not say what a note says; {WAY_OUT}") from error


def _read(note: Path) -> bytes:
    """Return what is in a note. Raises: OSError when it cannot be read, or is no file."""
    number = os.open(note, os.O_RDONLY | ONLY_FILES)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(0, "it is no file", str(note))
        with open(number, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    finally:
        os.close(number)


def _note(said: Mapping[str, object]) -> Note:
    """Return a note of what was read; more than is known is passed over. Raises: TypeError."""
    known = {name: said[name] for name in Note.__match_args__ if name in said}
    note = Note(**known)  # type: ignore[arg-type] # their types are looked at below
    if [type(value) for value in asdict(note).values()] != [str, str, int, str, int, str]:
        raise TypeError
    return note


def write_note(note: Note, path: Path, staging: Path, like: Path | None = None) -> None:
    """Write ``note`` into the new file ``path``, mode 0600: all of it or nothing, on the disk.

    It is written in the folder ``staging``, on the same disk, and gets its name when it is
    complete; and the owner of the file ``like``, who has the backup, where this user may give it.

    Raises: DatabaseError when there is something of that name; OSError when it cannot be written.
    """
    staged = staging / f"{path.name}.staged"
    try:
        _write(note, staged)
        if like is not None:
            with suppress(PermissionError):
                shutil.chown(staged, like.stat().st_uid, like.stat().st_gid)
        try:
            os.link(staged, path)  # which overwrites nothing
        except OSError:  # something is there, or no links can be made on this disk
            refuse_taken(path)
            staged.rename(path)
    finally:
        staged.unlink(missing_ok=True)
    sync(path.parent)


def correct_note(own: Note, backup: Path, staging: Path) -> None:
    """Write the note ``own`` on ``backup`` anew where what is there says anything else, or nothing.

    Raises: DatabaseError or OSError when it cannot be written.
    """
    beside = note_beside(backup)
    try:
        if read_note(beside) == own:
            return
    except DatabaseError:
        pass  # which is what is mended
    beside.unlink(missing_ok=True)
    write_note(own, beside, staging, backup)


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
    """Remove the backup that was made with the note ``own``, and its note; return whether it was.

    What else has come to be called so is left: another's, or what was written to since.

    Raises: OSError when it cannot be removed.
    """
    beside = note_beside(backup)
    try:
        note = read_note(beside)
    except DatabaseError:
        return False
    if note is None or replace(note, size=own.size, digest=own.digest) != own:
        return False
    if os.path.lexists(backup) and backup_fault(backup, note.digest):
        return False
    backup.unlink(missing_ok=True)
    beside.unlink(missing_ok=True)
    return True


def same_file(one: str, other: str) -> bool:
    """Return whether two real paths are of one file, whatever their letters on such a disk."""
    if one == other:
        return True
    with suppress(OSError):
        return Path(one).samefile(other)
    return False


def backup_fault(backup: Path, digest: str) -> str:
    """Return in what a backup is not what it was when ``digest`` was taken; '' when it is that."""
    if beside := written_beside(backup):
        return beside
    try:
        if not stat.S_ISREG(backup.stat().st_mode):
            return "it is no file any more"
        with backup.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if found == digest else f"its SHA-256 was {digest}, and is {found}"


def written_beside(backup: Path) -> str:
    """Return which file beside ``backup`` SQLite would read as part of it, in words; or ''."""
    for suffix in WITH_CONTENT:
        beside = backup.with_name(f"{backup.name}{suffix}")
        with suppress(OSError):
            if beside.stat().st_size:
                return f"{beside.name} is beside it: a program has opened it and written to it"
    return ""


def describe_fault(backup: Path, note: Note) -> str:
    """Return what ``backup_fault`` finds, with what is known of the backup; '' when all is well."""
    fault = backup_fault(backup, note.digest)
    if not fault:
        return ""
    try:
        size = backup.stat().st_size
    except OSError:
        size = note.size
    known = [note.made, f"of {note.path}", f"{note.size:,} bytes then"]
    if size != note.size:
        known.append(f"{size:,} now")
    return (
        f"{backup}: it is not what it was when it was made "
        f"({', '.join(filter(None, known))}): {fault}"
    )
