"""Look at the real database before anything is locked or any test runs; nothing is written."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.file_checks import (
    check_location,
    describe_openers,
    file_notes,
    is_to_be_made,
    with_problems,
)
from pytest_bbmigrate.apply.lock.own_tables import refuse_triggers
from pytest_bbmigrate.apply.model import Preflight
from pytest_bbmigrate.apply.old_violations import read_violations
from pytest_bbmigrate.errors import BBMigrateError, DatabaseError, SettingsError, StepFailed
from pytest_bbmigrate.history.plan import PlanError, Status, compare_with_history, plan_run
from pytest_bbmigrate.history.plan_rollback import plan_rollback
from pytest_bbmigrate.history.table import lacks_history, last_batch, read_history
from pytest_bbmigrate.private import Known, safe_message
from pytest_bbmigrate.runner.ledgers import find_ledgers
from pytest_bbmigrate.sqlite_files.failures import BUSY, primary_code
from pytest_bbmigrate.sqlite_files.ordinary_file import existing_file
from pytest_bbmigrate.sqlite_files.reading import read_database, reading
from pytest_bbmigrate.sqlite_files.sidecars import WITH_CONTENT, beside, size_of
from pytest_bbmigrate.sqlite_files.soundness import WAY_OUT_OF_DAMAGE, broken_size, examine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.history.plan import MigrationStatuses
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files import Hook


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
    publishes: bool = True,
) -> Preflight:
    """Return what is to run on ``database``, and what is worth saying of it.

    Where nothing is pending, nothing further is looked at: the database may be in use, and stays
    as it is. Otherwise it costs one quick_check, one foreign_key_check, and a scan of each table
    that has a CHECK; the app's ``hook`` gives their connection its functions. ``skip_openers``
    leaves out who has it open. With ``publishes`` false it is rehearsed only.

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
                if publishes:
                    refuse_other_ledger(database, scratch)
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


def refuse_other_ledger(database: Path, scratch: Path | None) -> None:
    """Make sure that no other tool records in ``database`` what it has run.

    It would not know of what is applied here, and run it again.

    Raises: StepFailed; DatabaseError.
    """
    for ledger in read_database(database, find_ledgers, scratch=scratch):
        raise StepFailed(
            f"{database}: {ledger.runner} records in its table {ledger.table} what it has run, and "
            "would not know of this: rehearse with --bb-rehearse, then use that tool; if it is not "
            f"used any more, drop {ledger.table}"
        )


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


def openers_after(database: Path, error: DatabaseError, *, skip: bool) -> str:
    """Return who may be keeping ``database`` locked, to be said after ``error``; or ''."""
    cause = error.__cause__
    if skip or not isinstance(cause, sqlite3.Error) or primary_code(cause) not in BUSY:
        return ""
    users = describe_openers(database)
    return f"; it is open in {users}" if users else ""
