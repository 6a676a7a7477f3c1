"""What a process that held the lock has left when it ended without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.apply.lock.look import look_at_another, look_at_held, measured, where
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, as_found
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.sqlite_files.failures import is_damaged
from pytest_bbmigrate.sqlite_files.held_file import FileState, NameTarget, look_up, restore_mode

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.lock.look import Found
    from pytest_bbmigrate.apply.lock.server import LockServer


def settle(holder: LockServer, order: dict[str, Any]) -> dict[str, Any]:
    """Return what is under the database's name, as ``Locked.look`` does, and set its mode right.

    The order's ``real`` and ``file`` are what the process that ended had described; ``backup`` and
    ``work`` are '' for none; ``digest`` is the backup's. What is half written is rolled back by
    SQLite as the lock is taken.
    """
    holder.path, before = Path(order["database"]), FileState(**order["file"])
    holder.backup = Path(order["backup"]) if order["backup"] else None
    holder.note = replace(holder.note, digest=order["digest"])
    holder.state, real = ContentState.UNKNOWN, Path(order["real"])
    name = look_up(holder.path, real, before)
    if name is not NameTarget.SAME:
        content, _ = look_at_another(real, holder.known(order["work"]))
        return as_found(name, content, where(name, holder.path, real))
    note = restore_mode(real, before)
    try:
        holder.lock(order)
    except BBMigrateError as error:
        content, detail = why_unlocked(error, real, before)
        return as_found(name, content, detail, note)
    known = holder.known(order["work"])
    content, detail = look_at_held(holder.db, holder.held, before, known, holder.seconds)
    if content is Content.PUBLISHED:
        holder.state, holder.mode = ContentState.PUBLISHED, order["new_mode"]
    elif content is Content.AS_BEFORE:
        holder.state = ContentState.UNTOUCHED
    return as_found(holder.held.name, content, detail, note, holder.mode_trouble())


def why_unlocked(error: BBMigrateError, real: Path, before: FileState) -> Found:
    """Return what the file ``real`` is taken for that cannot be locked."""
    if is_damaged(error.__cause__):
        return measured(real.stat().st_size, before.size)
    return Content.UNSEEN, str(error)
