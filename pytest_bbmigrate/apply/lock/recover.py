"""What a lock process has left that ended without an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.apply.lock.inspection import (
    content_by_size,
    inspect_held,
    inspect_other,
    location_of,
)
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, encode_file_found
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.failures import is_damaged
from pytest_bbmigrate.sqlite_files.held_file import FileState, NameTarget, look_up, restore_mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.apply.lock.inspection import FoundContent
    from pytest_bbmigrate.apply.lock.locked_file import LockedFile


def recover(
    locked: LockedFile, order: dict[str, Any], lock: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Return what is under the database's name, as ``LockedFile.inspect`` does; restore its mode.

    The order's ``real`` and ``file`` are what the process that ended had described; ``backup`` and
    ``work`` are '' for none; ``digest`` is the backup's. What is half written is rolled back by
    SQLite as ``lock`` takes the lock.
    """
    locked.path, before = Path(order["database"]), FileState(**order["file"])
    locked.backup = Path(order["backup"]) if order["backup"] else None
    locked.note = replace(locked.note, digest=order["digest"])
    locked.state, real = ContentState.UNKNOWN, Path(order["real"])
    name = look_up(locked.path, real, before)
    if name is not NameTarget.SAME:
        content, _ = inspect_other(real, locked.known_contents(order["work"]))
        return encode_file_found(name, content, location_of(name, locked.path, real))
    note = restore_mode(real, before)
    try:
        lock(order)
    except BBMigrateError as error:
        content, detail = why_unlocked(error, real, before)
        return encode_file_found(name, content, detail, note)
    contents = locked.known_contents(order["work"])
    content, detail = inspect_held(locked.db, locked.held, before, contents, locked.seconds)
    if content is Content.PUBLISHED:
        locked.state, locked.mode = ContentState.PUBLISHED, order["new_mode"]
    elif content is Content.AS_BEFORE:
        locked.state = ContentState.UNTOUCHED
    return encode_file_found(locked.held.name, content, detail, note, locked.try_restore_mode())


def why_unlocked(error: BBMigrateError, real: Path, before: FileState) -> FoundContent:
    """Return what the file ``real``, which cannot be locked, seems to hold, and why."""
    if is_damaged(error.__cause__):
        return content_by_size(real.stat().st_size, before.size)
    return Content.UNSEEN, str(error)
