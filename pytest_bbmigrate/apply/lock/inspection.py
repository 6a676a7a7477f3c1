"""What is under a database's name and in its file, seen by a process that has the lock on it.

Only the page-by-page comparison opens the file by its name, in a process of its own: see
``sqlite_files/compare_files.py``.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.what_is_left import Content
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.backup import Pace, matches_file_in_place
from pytest_bbmigrate.sqlite_files.compare_files import same_pages_in_fork
from pytest_bbmigrate.sqlite_files.failures import describe_error
from pytest_bbmigrate.sqlite_files.held_file import NameTarget

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.sqlite_files.held_file import FileState, HeldFile

    FoundContent = tuple[Content, str]
    KnownContents = tuple[tuple[Content, Path], ...]


def inspect_held(
    db: sqlite3.Connection,
    held: HeldFile,
    last_state: FileState,
    known: KnownContents,
    seconds: float,
) -> FoundContent:
    """Return what the file ``held`` holds, locked by ``db``, and how much or why not.

    ``known`` are closed files, each with what the content is when it equals theirs; where none of
    them exists, ``last_state``, the file when its content was known last, is compared instead.
    """
    if not held.now.size:  # a copy of no pages may have one
        return (Content.EMPTY if last_state.size else Content.AS_BEFORE), ""
    present = [(content, file) for content, file in known if file.is_file()]
    try:
        for content, file in present:
            if matches_file_in_place(db, file, Pace(seconds)):
                return content, ""
    except (BBMigrateError, sqlite3.Error, OSError) as error:
        return Content.UNSEEN, error_text(error)
    if not present and held.now.is_as_written_as(last_state):
        return Content.AS_BEFORE, ""
    return content_by_size(held.now.size, last_state.size)


def inspect_other(real: Path, known: KnownContents) -> FoundContent:
    """Return what the file holds that has taken the name ``real``; it is not locked."""
    try:
        if not real.stat().st_size:
            return Content.EMPTY, ""
        for content, file in known:
            if file.is_file() and same_pages_in_fork(real, file):
                return content, ""
    except (BBMigrateError, OSError):
        return Content.OTHER, ""  # which it is to be taken for
    return Content.OTHER, ""


def content_by_size(size: int, before: int) -> FoundContent:
    """Return what a file that holds nothing known is, by its size in bytes now and before."""
    if not size and before:
        return Content.EMPTY, ""
    if size < before:
        return Content.CUT_OFF, f"{size:,} bytes are left of {before:,}"
    return Content.OTHER, ""


def location_of(name: NameTarget, path: Path, real: Path, place: str = "") -> str:
    """Return where a link leads now, or where the held file is now (``place``); or ''."""
    if name is NameTarget.LINK:
        target = os.path.realpath(path)
        return target if target != str(real) else os.path.realpath(real)
    return place if name in (NameTarget.GONE, NameTarget.NO_FOLDER) else ""


def error_text(error: BBMigrateError | sqlite3.Error | OSError) -> str:
    """Return the message of one of ours, or that of SQLite or the system in our words."""
    return str(error) if isinstance(error, BBMigrateError) else describe_error(error)
