"""Whether a database file can be replaced where it is, and what is worth saying of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.nearest import similar_to
from pytest_bbmigrate.sqlite_files.ordinary_file import existing_file
from pytest_bbmigrate.sqlite_files.reading import OpenMode, open_mode_of
from pytest_bbmigrate.sqlite_files.sidecars import JOURNAL, WAL, beside, size_of, stale_sidecars
from pytest_bbmigrate.sqlite_files.synced import synchronised_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


ADDED_TO_NAME = len(".backup.YYYYMMDD_HHMMSS_99.partial.compared")  # the longest of our names


# https://sqlite.org/wal.html#walresetbug
WAL_BUG_BEGINS, WAL_BUG_ENDS = (3, 7, 0), (3, 51, 3)


WAL_BUG_ENDS_IN = {(3, 44): 6, (3, 50): 7}  # releases that the repair was brought to


def refuse_orphans(database: Path) -> None:
    """Make sure that no WAL or journal is beside a file of ``database`` that is empty, or gone.

    Raises: StepFailed.
    """
    real = Path(os.path.realpath(database))
    if orphans := stale_sidecars(real):
        names = f"{' and '.join(path.name for path in orphans)} beside it"
        are = "are" if orphans[1:] else "is"
        fault = f"it is not there, but {names} {are}"
        if os.path.lexists(real):
            fault = f"it is empty, but {names} {are} not"
        raise StepFailed(
            f"{database}: {fault}: something else than SQLite has done that, and what was "
            "committed last may be in there alone; restore a backup with --bb-restore, which keeps "
            "that under another name"
        )


def is_to_be_made(database: Path, *, create: bool) -> bool:
    """Return whether ``database`` is to be made first: it is not there, or empty.

    Raises: StepFailed when it is not and ``create`` is not given, for its name may be a typo; when
        it cannot be made; DatabaseError when it is no ordinary file.
    """
    if not os.path.lexists(database):
        if database.parent.is_dir():
            refuse_orphans(database)
            if create:
                return True
        near = _nearest(database)
        raise StepFailed(
            f"{database}: no such database file; {near}name the right one with --bb-db (or "
            "bb_database), or have a new one made with --bb-create"
        )
    if database.is_symlink() and not database.exists():
        target = os.path.realpath(database)
        raise StepFailed(
            f"{database}: a symbolic link to {target}, which is not there; have it point to the "
            "database, or name that with --bb-db"
        )
    real = existing_file(database)
    if size_of(real):
        return False
    refuse_orphans(database)
    if not create:
        raise StepFailed(
            f"{database}: it is empty; name the right one with --bb-db (or bb_database), or have "
            "it made into a new one with --bb-create"
        )
    return True


def check_location(database: Path, backup_folder: Path, *, skip_openers: bool = False) -> None:
    """Make sure that ``database`` can be replaced where it is, and its backup made.

    Raises: StepFailed when a file or folder cannot be written, somebody has the database open, the
        disk is too full, or the file system does not lock.
    """
    from pytest_bbmigrate.sqlite_files.disk_space import disk_space_faults, file_system_fault

    real = Path(os.path.realpath(database))
    if not backup_folder.is_dir():
        raise StepFailed(
            f"{backup_folder}: no such folder for backups; make it, or name another with "
            "--bb-backup-dir"
        )
    for path in (real, beside(real, WAL), beside(real, JOURNAL), real.parent, backup_folder):
        if not os.access(path, os.W_OK) and (path.exists() or path == real.parent):
            raise StepFailed(
                f"{path}: you may not write to it, or it is on a read-only disk; "
                f"{'SQLite keeps its journal there; ' if path == real.parent else ''}"
                "run as a user who may"
            )
    refuse_long_name(database, backup_folder)
    if not skip_openers and (users := describe_openers(database)):
        raise StepFailed(
            f"{database}: it is open in {users}; stop that first, for it would go on "
            "with a schema that is no longer there"
        )
    if fault := file_system_fault(real if real.exists() else real.parent):
        raise StepFailed(f"{database}: {fault}")
    if faults := disk_space_faults(real, backup_folder, backup_folder):
        raise StepFailed(with_problems(database, faults))


def refuse_long_name(database: Path, backup_folder: Path) -> None:
    """Make sure that the names of backups and copies of ``database`` are not too long.

    Raises: StepFailed.
    """
    most = os.pathconf(backup_folder, "PC_NAME_MAX") - ADDED_TO_NAME
    if (length := len(os.fsencode(database.name))) > most:
        raise StepFailed(
            f"{database}: its name has {length} bytes, and {most} at most leave room for what its "
            f"backups in {backup_folder} are called; rename it, or give it a symbolic link with a "
            "shorter name"
        )


def describe_openers(database: Path) -> str:
    """Return who has ``database`` open, as 'uvicorn (pid 4312), sqlite3 (pid 1234)'; or ''."""
    from pytest_bbmigrate.sqlite_files.openers import openers_of

    return ", ".join(dict.fromkeys(map(str, openers_of(database))))


def file_notes(database: Path) -> Iterator[str]:
    """Yield what is worth saying of the file itself."""
    real = existing_file(database)
    links = real.stat().st_nlink
    if links > 1:
        yield (
            f"{database.name} has {links} names (hard links): a program that opens it by another "
            "name does not see its journal, so keep to one"
        )
    if program := synchronised_by(database):
        yield (
            f"{database.name} is in a folder that {program} keeps the same on other machines, "
            "which copies or replaces it while it is written and can damage it: keep it elsewhere, "
            "or have that program paused now; its backups go the same way unless --bb-backup-dir "
            "names another folder"
        )
    if open_mode_of(real) is OpenMode.RECOVERED:
        yield (
            "the last program that wrote to it did not come to its end; SQLite rolls back what it "
            "did not finish"
        )
    if is_in_wal_mode(real) and has_wal_bug(sqlite3.sqlite_version_info):
        yield (
            f"SQLite {sqlite3.sqlite_version} can lose commits of two connections in WAL mode; "
            "3.51.3 repairs that: see that the app has it"
        )


def is_in_wal_mode(real: Path) -> bool:
    """Return whether the database file ``real`` is in WAL mode, or has a WAL to be taken in."""
    return open_mode_of(real) is OpenMode.CLOSED or size_of(beside(real, WAL)) is not None


def has_wal_bug(version: tuple[int, ...]) -> bool:
    """Return whether this SQLite has the bug in resetting a WAL that may lose commits."""
    repaired = WAL_BUG_ENDS_IN.get((version[0], version[1]))
    if repaired is not None and version[2] >= repaired:
        return False
    return WAL_BUG_BEGINS <= version < WAL_BUG_ENDS


def _nearest(database: Path) -> str:
    """Return a file beside ``database`` that may be meant, as the beginning of advice; or ''."""
    try:
        names = [path.name for path in database.parent.iterdir() if path.is_file()]
    except OSError:
        return f"there is no folder {database.parent} to look in; "
    similar = similar_to(database.name, names)
    return f"did you mean {similar}? " if similar else ""


def with_problems(database: Path, problems: Sequence[str]) -> str:
    """Return what stands in the way, one problem in the line of ``database``, several below it."""
    if len(problems) == 1:
        return f"{database}: {problems[0]}"
    return "\n".join([f"{database}: {len(problems)} things stand in the way", *problems])
