"""When a session that applies makes a backup before its checks, and what becomes of it."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply import early_backup
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.processes.signals import defer_first_interrupt
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import describe_file_found
from pytest_bbmigrate.sandbox import landlock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pytest_bbmigrate.plugin.apply_summary import ApplySession

BACKED_UP = "backed up before the checks, for no kernel keeps Python migrations from it"


def backs_up_early(config: pytest.Config, state: ApplySession) -> bool:
    """Return whether the database is to be backed up before the checks.

    It is where the kernel has no Landlock, and Python is among the migrations: those that are
    applied run in the checks, too.
    """
    preflight = state.preflight
    if preflight is None or not preflight.pending or preflight.is_new:
        return False
    catalogue = project_of(config).catalogue
    return not landlock.abi_version() and early_backup.runs_python(catalogue)


def back_up_before_checks(
    config: pytest.Config, state: ApplySession, on_progress: Callable[[float], None]
) -> str:
    """Back the database up if that is wanted before the checks; return a line on that, or ''.

    Where it cannot be done, the preflight has failed, and ``state`` says so.
    """
    if not backs_up_early(config, state):
        return ""
    started = time.perf_counter()
    settings = project_of(config).settings
    try:
        early = early_backup.back_up_early(settings.database, backup_folder(settings), on_progress)
    except (BBMigrateError, sqlite3.Error, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        state.preflight = None
        state.fault = f"{settings.database.name} cannot be backed up before the checks: {why}"
        return ""
    finally:
        state.seconds += time.perf_counter() - started
    state.early_backup = early
    state.database_watch.suspect_migrations()
    return "; ".join(filter(None, (BACKED_UP, early.remark)))


def give_way(state: ApplySession, backup: Path) -> str:
    """Have ``backup``, made under the lock, take the place of the early one; return a note or ''.

    Raises: StepFailed when they do not hold the same: then the early one stays.
    """
    early = state.early_backup
    if early is None:
        return ""
    early_backup.give_way(early, backup)
    with defer_first_interrupt():
        state.early_backup = None
        return early_backup.discard(early)


def end_early_backup(state: ApplySession) -> None:
    """Look at the database if the early backup is still there, and remove that if it may be.

    What was found is in ``state`` afterwards. A Ctrl-C takes effect when that is done.
    """
    early, state.early_backup = state.early_backup, None
    if early is None:
        return
    state.file_found = early_backup.unseen_after(early)
    state.names_paths_in_full = True
    with defer_first_interrupt():
        state.file_found = early_backup.end(early)


def describe_early_end(config: pytest.Config, state: ApplySession) -> str:
    """Return what has become of the database, and how to restore it; '' where it is as it was."""
    if state.file_found is None or state.file_found.is_as_it_was:
        return ""
    command = command_of(config, anywhere=True)
    return "\n".join(
        [str(state.file_found), *describe_file_found(state.file_found, command, in_full=True)]
    )
