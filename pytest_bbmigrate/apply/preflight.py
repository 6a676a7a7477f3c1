"""Look at the real database before anything is locked or any test runs; nothing is written."""

from __future__ import annotations

import os
import sqlite3
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.own_tables import refuse_triggers
from pytest_bbmigrate.apply.made_file import refuse_orphans
from pytest_bbmigrate.apply.model import Preflight
from pytest_bbmigrate.apply.old_violations import read_violations
from pytest_bbmigrate.errors import BBMigrateError, DatabaseError, SettingsError, StepFailed
from pytest_bbmigrate.history.plan import PlanError, Status, compare_with_history, plan_run
from pytest_bbmigrate.history.plan_rollback import plan_rollback
from pytest_bbmigrate.history.table import lacks_history, last_batch, read_history
from pytest_bbmigrate.private import Known, safe_message
from pytest_bbmigrate.sqlite_files.failures import BUSY, primary_code
from pytest_bbmigrate.sqlite_files.reading import (
    OpenMode,
    existing_file,
    open_mode_of,
    read_database,
    reading,
    size_of,
)
from pytest_bbmigrate.sqlite_files.sidecars import JOURNAL, WAL, WITH_CONTENT, beside
from pytest_bbmigrate.sqlite_files.soundness import WAY_OUT_OF_DAMAGE, broken_size, examine
from pytest_bbmigrate.sqlite_files.synced import synchronised_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.history.plan import MigrationStatuses
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files import Hook

ADDED_TO_NAME = len(".backup.YYYYMMDD_HHMMSS_99.partial.compared")  # the longest of our names
# https://sqlite.org/wal.html#walresetbug
WAL_BUG_BEGINS, WAL_BUG_ENDS = (3, 7, 0), (3, 51, 3)
WAL_BUG_ENDS_IN = {(3, 44): 6, (3, 50): 7}  # releases that the repair was brought to


def preflight(
    database: Path,
    catalogue: Catalogue,
    *,
    to: str = "",
    allow_late: bool = False,
    create: bool = False,
    backup_folder: Path,
    hook: Hook | None = None,
    skip_openers: bool = False,
) -> Preflight:
    """Return what is to run on ``database``, and what is worth saying of it.

    Where nothing is pending, nothing further is looked at: the database may be in use, and stays
    as it is. Otherwise it costs one quick_check, one foreign_key_check, and a scan of each table
    that has a CHECK; the app's ``hook`` gives their connection its functions. ``skip_openers``
    leaves out who has it open.

    Raises: StepFailed that says what stands in the way, and the way out.
    """
    try:
        is_new = is_to_be_made(database, create=create)
        scratch = backup_folder if backup_folder.is_dir() else None
        history = () if is_new else history_of(database, scratch)
        statuses = compare_with_history(
            catalogue, {applied.name: applied.checksum for applied in history}
        )
        pending = plan_run(statuses, to=to, allow_late=allow_late)
        notes = history_notes(statuses, history)
        if pending:
            check_location(database, backup_folder, skip_openers=skip_openers)
            if not is_new:
                notes += (*file_notes(database), *check_content(database, hook, scratch))
    except StepFailed:
        raise
    except PlanError as error:
        raise StepFailed(with_problems(database, error.problems)) from error
    except DatabaseError as error:
        raise StepFailed(f"{error}{openers_after(database, error, skip=skip_openers)}") from error
    except BBMigrateError as error:
        raise StepFailed(f"{database}: {error}") from error
    return Preflight(statuses, pending, last_batch(history) + 1, notes, is_new)


def preflight_rollback(
    database: Path,
    catalogue: Catalogue,
    *,
    which: str,
    backup_folder: Path,
    hook: Hook | None = None,
) -> Preflight:
    """Return which migrations are to be rolled back on ``database``: ``pending``, in that order.

    ``which`` is what ``plan_rollback`` takes. Otherwise as ``preflight``.

    Raises: SettingsError when ``which`` names nothing applied; StepFailed that says what stands in
        the way, and the way out.
    """
    try:
        is_to_be_made(database, create=False)
        scratch = backup_folder if backup_folder.is_dir() else None
        history = history_of(database, scratch)
        statuses = compare_with_history(
            catalogue, {applied.name: applied.checksum for applied in history}
        )
        pending = plan_rollback(history, catalogue, which or None)
        notes: tuple[str, ...] = ()
        if pending:
            check_location(database, backup_folder)
            notes = (*file_notes(database), *check_content(database, hook, scratch))
    except (StepFailed, SettingsError):
        raise
    except DatabaseError as error:
        raise StepFailed(f"{error}{openers_after(database, error, skip=False)}") from error
    except BBMigrateError as error:
        raise StepFailed(f"{database}: {error}") from error
    order = _applied_order(statuses, history)
    return Preflight(statuses, pending, last_batch(history), notes, is_rollback=True, applied=order)


def _applied_order(statuses: MigrationStatuses, history: Sequence[Applied]) -> tuple[str, ...]:
    """Return the migrations that are applied, by the names of their files, in that order."""
    names = {entry.applied_as: entry.migration.name for entry in statuses.entries}
    return tuple(names[applied.name] for applied in history if applied.name in names)


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


def history_of(database: Path, scratch: Path | None = None) -> tuple[Applied, ...]:
    """Return the history of ``database``.

    Raises: StepFailed when it has none and is not empty; BBMigrateError when it does not read.
    """
    lacks, history = read_database(
        database, lambda db: (lacks_history(db), read_history(db)), scratch=scratch
    )
    if lacks:
        raise StepFailed(
            f"{database}: it has tables and no history of migrations: --bb-adopt finds the "
            "version that it is at and records it; apply after that"
        )
    return history


def check_location(database: Path, backup_folder: Path, *, skip_openers: bool = False) -> None:
    """Make sure that ``database`` can be replaced where it is, and its backup made.

    Raises: StepFailed when a file or folder cannot be written, somebody has the database open, the
        disk is too full, or the file system does not lock.
    """
    from pytest_bbmigrate.sqlite_files import disk_space_faults, file_system_fault

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
    from pytest_bbmigrate.sqlite_files import openers_of

    return ", ".join(dict.fromkeys(map(str, openers_of(database))))


def check_content(
    database: Path, hook: Hook | None, scratch: Path | None = None
) -> tuple[str, ...]:
    """Check every page and row of ``database``; return notes on constraints that it breaks already.

    Raises: StepFailed when the file is damaged, or cannot be looked at; DatabaseError.
    """
    real = existing_file(database)
    with reading(database, hook, scratch) as db:
        is_whole = not any(size_of(beside(real, suffix)) for suffix in WITH_CONTENT)
        if is_whole and (fault := broken_size(db, size_of(real) or 0)):
            raise StepFailed(f"{database}: it is cut off or added to: {fault}; {WAY_OUT_OF_DAMAGE}")
        refuse_triggers(db)
        try:
            examined = examine(db)
            violations = () if examined.damage else (*examined.violations, *read_violations(db))
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_ERROR:
                raise
            schema = db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
            why = safe_message(error, Known(texts=tuple(text for (text,) in schema)))
            raise StepFailed(
                f"{database}: its rows cannot be checked ({why}); have bb_connection register "
                "the functions and collations that its tables use"
            ) from error
    if examined.damage:
        raise StepFailed(f"{database}: it is damaged ({examined.damage[0]}); {WAY_OUT_OF_DAMAGE}")
    return tuple(f"old, and not held against the run: {what}" for what in violations)


def history_notes(statuses: MigrationStatuses, history: Sequence[Applied]) -> tuple[str, ...]:
    """Return notes on migrations that were renamed, or are late."""
    last = history[-1].name if history else ""
    return (
        *(
            f"{entry.migration.name} is applied as {entry.applied_as}: its file was renamed"
            for entry in statuses.entries
            if entry.status is Status.RENAMED
        ),
        *(
            f"{migration.name} is late: it comes after {last} in this database"
            for migration in statuses.out_of_order
        ),
    )


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


def openers_after(database: Path, error: DatabaseError, *, skip: bool) -> str:
    """Return who may be keeping ``database`` locked, to be said after ``error``; or ''."""
    cause = error.__cause__
    if skip or not isinstance(cause, sqlite3.Error) or primary_code(cause) not in BUSY:
        return ""
    users = describe_openers(database)
    return f"; it is open in {users}" if users else ""


def _nearest(database: Path) -> str:
    """Return a file beside ``database`` that may be meant, as the beginning of advice; or ''."""
    try:
        names = [path.name for path in database.parent.iterdir() if path.is_file()]
    except OSError:
        return f"there is no folder {database.parent} to look in; "
    similar = get_close_matches(database.name, names, n=1)
    return f"did you mean {similar[0]}? " if similar else ""


def with_problems(database: Path, problems: Sequence[str]) -> str:
    """Return what stands in the way, one problem in the line of ``database``, several below it."""
    if len(problems) == 1:
        return f"{database}: {problems[0]}"
    return "\n".join([f"{database}: {len(problems)} things stand in the way", *problems])
