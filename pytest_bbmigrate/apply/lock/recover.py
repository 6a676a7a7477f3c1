"""What a process that held the lock has left when it ended without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.look import look_at_another, look_at_held, measured, where
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, as_seen
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.failures import is_damaged
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, look_up, restore_mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.lock.locked_file import LockedFile
    from pytest_bbmigrate.apply.lock.look import Found
    from pytest_bbmigrate.apply.lock.orders import Lock, Recover
    from pytest_bbmigrate.apply.what_is_left import DatabaseSeen
    from pytest_bbmigrate.sqlite_files.held_file import FileState


def recover(locked: LockedFile, order: Recover, lock: Callable[[Lock], object]) -> DatabaseSeen:
    """Return what is under the database's name, as ``LockedFile.look`` does; set its mode right.

    What is half written is rolled back by SQLite as ``lock`` takes the lock.
    """
    locked.path, before = order.lock.database, order.locked.file
    locked.backup = order.backup
    locked.note = replace(locked.note, digest=order.digest)
    locked.state, real = ContentState.UNKNOWN, order.locked.real
    name = look_up(locked.path, real, before)
    if name is not NameTarget.SAME:
        content, _ = look_at_another(real, locked.known(order.work))
        return as_seen(name, content, where(name, locked.path, real))
    note = restore_mode(real, before)
    try:
        lock(order.lock)
    except BBMigrateError as error:
        content, detail = why_unlocked(error, real, before)
        return as_seen(name, content, detail, note)
    known = locked.known(order.work)
    content, detail = look_at_held(locked.db, locked.held, before, known, locked.seconds)
    if content is Content.PUBLISHED:
        locked.state, locked.mode = ContentState.PUBLISHED, order.new_mode
    elif content is Content.AS_BEFORE:
        locked.state = ContentState.UNTOUCHED
    return as_seen(locked.held.name, content, detail, note, locked.mode_trouble())


def why_unlocked(error: BBMigrateError, real: Path, before: FileState) -> Found:
    """Return what the file ``real`` is taken for that cannot be locked."""
    if is_damaged(error.__cause__):
        return measured(real.stat().st_size, before.size)
    return Content.UNSEEN, str(error)
