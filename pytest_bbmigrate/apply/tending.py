"""What is done to a real database beside applying: back it up, put a backup back, adopt it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.baseline import adopt
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.apply.pipeline import Change, Prepared, carry_out, made_if_missing, step
from pytest_bbmigrate.apply.preflight import check_content, check_place
from pytest_bbmigrate.apply.restore import written_since
from pytest_bbmigrate.database import LOCK_SECONDS, backup_path, digest_of, open_private
from pytest_bbmigrate.database.backup import Pace, back_up
from pytest_bbmigrate.database.reading import reading
from pytest_bbmigrate.history import last_batch, read_history
from pytest_bbmigrate.identity import new_id, read_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_bbmigrate.apply.pipeline import Reporter
    from pytest_bbmigrate.apply.restore import WrittenSince
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.database import Hook


class WouldBeLost(StepFailed):
    """Raised when a restore would lose what was written since; ``lost`` says what."""

    def __init__(self, backup: Path, lost: tuple[WrittenSince, ...]) -> None:
        self.lost = lost
        tables = "\n".join(f"  {table.table}: {table.how}" for table in lost)
        super().__init__(
            f"putting {backup.name} back would lose what was written or defined since:\n{tables}\n"
            "nothing was changed; --bb-discard-changes puts it back all the same"
        )


def back_up_now(
    database: Path, folder: Path, on_progress: Callable[[float], None]
) -> tuple[Path, str]:
    """Back ``database`` up into ``folder``; return where, and what is worth saying of it.

    Others may have it open, and read and (in WAL mode) write it meanwhile: the backup is of one
    moment.

    Raises: StepFailed when it cannot be read or the backup cannot be written.
    """
    try:
        with reading(database, scratch=folder) as db:
            target = backup_path(database, folder, datetime.now(UTC))
            note = back_up(
                db, target, Path(os.path.realpath(database)), Pace(LOCK_SECONDS, on_progress)
            )
    except OSError as error:
        raise StepFailed(
            f"{folder}: the backup cannot be written there ({error.strerror}); make room, or name "
            "another folder with --bb-backup-dir=DIR"
        ) from error
    return target, note


def put_back(
    database: Path,
    folder: Path,
    backup: Path,
    reporter: Reporter,
    *,
    discard: bool = False,
    hook: Hook | None = None,
) -> Path | None:
    """Make the content of ``database`` that of ``backup``; return where what it was is kept.

    A database that is not there is made, with nothing to keep.

    Raises: WouldBeLost when something was written or defined since and ``discard`` is not given;
        StepFailed as carry_out does.
    """

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> Prepared:
        with step(reporter, "compare") as detail:
            lost = written_since(current, backup, hook)
            if lost and not discard:
                raise WouldBeLost(backup, lost)
            detail.append(f"{len(lost)} losses accepted" if lost else "nothing is lost")
        return at_rest(backup, scratch / database.name)

    with made_if_missing(database, like=backup) as is_new:
        check_place(database, folder)
        change = Change(database, folder, lambda _: None, prepare, keeps_backup=not is_new)
        return carry_out(change, reporter)


def adopt_version(
    database: Path,
    folder: Path,
    migrations: Iterable[Migration],
    reporter: Reporter,
    hook: Hook | None = None,
) -> Path | None:
    """Record in ``database`` that it has ``migrations``; return where the backup is.

    Raises: StepFailed as carry_out does, or when it has a history already.
    """

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> Prepared:
        with step(reporter, "record"):
            work = at_rest(current, scratch / database.name).work
            with reading(work) as db:
                batch = last_batch(read_history(db)) + 1
                identity = read_identity(db)
            adopt(work, migrations, batch, replace(identity, id=identity.id or new_id()))
        return Prepared(work, digest_of(work))

    check_place(database, folder)
    check_content(database, hook, folder)
    return carry_out(Change(database, folder, lambda _: None, prepare), reporter)


def at_rest(source: Path, copy: Path) -> Prepared:
    """Copy the database file ``source`` to ``copy``, in rollback-journal mode, ready to publish."""
    shutil.copyfile(source, copy)
    copy.chmod(0o600)
    db = open_private(copy)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        db.close()
    return Prepared(copy, digest_of(copy))
