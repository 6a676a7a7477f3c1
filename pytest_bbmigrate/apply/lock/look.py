"""What is under a database's name and in its file, seen by a process that has the lock on it.

Only the page-by-page comparison opens the file by its name, in a process of its own: see
``database/comparing.py``.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.what_is_left import Content
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.backup import Pace, matches_file_in_place
from pytest_bbmigrate.sqlite_files.compare_files import same_pages_in_subprocess
from pytest_bbmigrate.sqlite_files.failures import describe_error
from pytest_bbmigrate.sqlite_files.held_file import NameTarget

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.sqlite_files.held_file import FileState, HeldFile

    Found = tuple[Content, str]
    Known = tuple[tuple[Content, Path], ...]


def look_at_held(
    db: sqlite3.Connection, held: HeldFile, seen: FileState, known: Known, seconds: float
) -> Found:
    """Return what the file ``held`` holds, locked by ``db``, and how much or why not.

    ``known`` are resting files with what it means to hold what they hold; where none of them is
    there, ``seen`` is the file when its content was known last.
    """
    if not held.now.size:  # a copy of no pages may have one
        return (Content.EMPTY if seen.size else Content.AS_BEFORE), ""
    there = [(content, file) for content, file in known if file.is_file()]
    try:
        for content, file in there:
            if matches_file_in_place(db, file, Pace(seconds)):
                return content, ""
    except (BBMigrateError, sqlite3.Error, OSError) as error:
        return Content.UNSEEN, said(error)
    if not there and held.now.is_as_written_as(seen):
        return Content.AS_BEFORE, ""
    return measured(held.now.size, seen.size)


def look_at_another(real: Path, known: Known) -> Found:
    """Return what another file holds that has the name ``real`` now; nobody has locked it."""
    try:
        if not real.stat().st_size:
            return Content.EMPTY, ""
        for content, file in known:
            if file.is_file() and same_pages_in_subprocess(real, file):
                return content, ""
    except (BBMigrateError, OSError):
        return Content.OTHER, ""  # which it is to be taken for
    return Content.OTHER, ""


def measured(size: int, before: int) -> Found:
    """Return what a file is that holds nothing known, by its size in bytes and what it was."""
    if not size and before:
        return Content.EMPTY, ""
    if size < before:
        return Content.CUT_OFF, f"{size:,} bytes are left of {before:,}"
    return Content.OTHER, ""


def where(name: NameTarget, path: Path, real: Path, place: str = "") -> str:
    """Return where a link leads now, or where the held file has gone (``place``); or ''."""
    if name is NameTarget.LINK:
        target = os.path.realpath(path)
        return target if target != str(real) else os.path.realpath(real)
    return place if name in (NameTarget.GONE, NameTarget.NO_FOLDER) else ""


def said(error: BBMigrateError | sqlite3.Error | OSError) -> str:
    """Return why something could not be done, in words."""
    return str(error) if isinstance(error, BBMigrateError) else describe_error(error)
