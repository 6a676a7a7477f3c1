"""What a lock process has left that ended without an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.inspection import (
    content_by_size,
    inspect_held,
    inspect_other,
    location_of,
)
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, as_seen
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.failures import is_damaged
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, look_up, restore_mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.lock.inspection import FoundContent
    from pytest_bbmigrate.apply.lock.locked_file import LockedFile
    from pytest_bbmigrate.apply.lock.orders import Lock, Recover
    from pytest_bbmigrate.apply.what_is_left import DatabaseSeen
    from pytest_bbmigrate.sqlite_files.held_file import FileState


def recover(locked: LockedFile, order: Recover, lock: Callable[[Lock], object]) -> DatabaseSeen:
    """Return what is under the database's name, as ``LockedFile.inspect`` does; set its mode right.

    What is half written is rolled back by SQLite as ``lock`` takes the lock.
    """
    locked.path, before = order.lock.database, order.locked.file
    locked.backup = order.backup
    locked.note = replace(locked.note, digest=order.digest)
    locked.state, real = ContentState.UNKNOWN, order.locked.real
    name = look_up(locked.path, real, before)
    if name is not NameTarget.SAME:
        content, _ = inspect_other(real, locked.known_contents(order.work))
        return as_seen(name, content, location_of(name, locked.path, real))
    note = restore_mode(real, before)
    try:
        lock(order.lock)
    except BBMigrateError as error:
        content, detail = why_unlocked(error, real, before)
        return as_seen(name, content, detail, note)
    contents = locked.known_contents(order.work)
    content, detail = inspect_held(locked.db, locked.held, before, contents, locked.seconds)
    if content is Content.PUBLISHED:
        locked.state, locked.mode = ContentState.PUBLISHED, order.new_mode
    elif content is Content.AS_BEFORE:
        locked.state = ContentState.UNTOUCHED
    return as_seen(locked.held.name, content, detail, note, locked.try_restore_mode())


def why_unlocked(error: BBMigrateError, real: Path, before: FileState) -> FoundContent:
    """Return what the file ``real``, which cannot be locked, seems to hold, and why."""
    if is_damaged(error.__cause__):
        return content_by_size(real.stat().st_size, before.size)
    return Content.UNSEEN, str(error)
