"""What is done to a real database beside applying: back it up, put a backup back, adopt it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import adopt
from pytest_bbmigrate.apply.backup_owners import id_in, id_to_have, note_on, owner_of
from pytest_bbmigrate.apply.made_file import refuse_orphans
from pytest_bbmigrate.apply.preflight import (
    check_content,
    check_place,
    describe_openers,
    refuse_long_name,
)
from pytest_bbmigrate.apply.replacing import look_at_place
from pytest_bbmigrate.apply.steps import ContentChange, PublishableCopy, carry_out, step
from pytest_bbmigrate.apply.workspace import scratch_for
from pytest_bbmigrate.apply.written_since import written_since
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.history.identity import Identity, read_identity
from pytest_bbmigrate.history.table import last_batch, read_history
from pytest_bbmigrate.processes.signals import defer_first_interrupt, terminated_like_interrupted
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import LOCK_SECONDS, backup_path, digest_of, open_private
from pytest_bbmigrate.sqlite_files.backup import Pace, back_up, give_owner_and_mode, note_beside
from pytest_bbmigrate.sqlite_files.durable import flush
from pytest_bbmigrate.sqlite_files.notes import (
    backup_fault,
    discard_backup,
    note_for,
    with_digest,
    write_note,
)
from pytest_bbmigrate.sqlite_files.reading import (
    WrittenMeanwhile,
    reading,
    reading_one_state,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_bbmigrate.apply.choose_backup import ChosenBackup
    from pytest_bbmigrate.apply.replacing import FileInPlace
    from pytest_bbmigrate.apply.steps import Reporter
    from pytest_bbmigrate.apply.written_since import WrittenSince
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sqlite_files import Hook
    from pytest_bbmigrate.sqlite_files.notes import Note


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
    refuse_orphans(database)
    if folder.is_dir():
        refuse_long_name(database, folder)
    owner = owner_of(database, folder)
    real = Path(owner.path)
    made: list[tuple[Path, Note]] = []
    is_done = False
    try:
        with (
            reading_one_state(database, scratch=folder) as (db, refuse_written),
            scratch_for(database, folder, owner.here) as staging,
        ):
            before = real.stat()
            target = backup_path(database, folder, datetime.now(UTC))
            own = note_for(real, read_identity(db).id)

            def take_down(complete: Path) -> None:
                refuse_written()  # while it has no name: it may be of no one moment
                made.append((target, with_digest(own, complete)))
                write_note(made[-1][1], note_beside(target), staging, complete)

            pace = Pace(LOCK_SECONDS, on_progress)
            said = back_up(
                db,
                target,
                before,
                pace,
                staging=staging,
                rereads=True,
                when_complete=take_down,
            )
            is_done = True
    except WrittenMeanwhile:
        if not is_done:
            raise
    except BaseException as error:
        for backup, note in made:
            with suppress(OSError):  # what else went wrong is what is to be told
                discard_backup(backup, note)
        if not isinstance(error, OSError):
            raise
        raise StepFailed(
            f"{folder}: the backup cannot be written there ({error.strerror}); make room, or name "
            "another folder with --bb-backup-dir=DIR"
        ) from error
    gone = f"{database.name} is not there any more, or another file is: this backup is of what was"
    return target, "; ".join(filter(None, (said, "" if is_there(real, before) else gone)))


def is_there(real: Path, before: os.stat_result) -> bool:
    """Return whether ``real`` is the file that it was."""
    try:
        return os.path.samestat(real.stat(), before)
    except OSError:
        return False


def put_back(
    database: Path,
    folder: Path,
    choice: ChosenBackup,
    reporter: Reporter,
    *,
    discard: bool = False,
    hook: Hook | None = None,
) -> tuple[Path, ...]:
    """Make the content of ``database`` that of a backup; return where what it was is kept.

    Of an empty database no backup is made. Where there is no database, a file that is none any
    more, or a WAL that is left of one, the restored file is made first and gets the name in one
    step; what was there is kept under another.

    Raises: WouldBeLost when something was written or defined since and ``discard`` is not given;
        StepFailed as carry_out does, and when the backup is not what it was when it was made.
    """
    backup = choice.backup

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> PublishableCopy:
        with step(reporter, "compare") as detail:
            work = copy_of(choice, scratch / database.name)
            detail.append(compare(current, work, backup, hook, discard=discard))
        return at_rest(work)

    check_place(database, folder)
    there = look_at_place(database)
    if there.is_to_be_replaced:
        return put_in_place(there, folder, choice, reporter)
    is_empty = not size_of(there.real)
    change = ContentChange(
        database, folder, lambda _: None, prepare, keeps_backup=not is_empty, spares=(backup,)
    )
    kept = carry_out(change, reporter)
    return (kept,) if kept else ()


def copy_of(choice: ChosenBackup, work: Path) -> Path:
    """Copy a backup into the file ``work``, for this user alone, and return that.

    Raises: StepFailed when it is not what the backup was when it was made; OSError.
    """
    shutil.copyfile(choice.backup, work)
    work.chmod(0o600)
    if choice.note is not None and (fault := backup_fault(work, choice.note.digest)):
        raise StepFailed(f"{choice.backup}: something has written to it just now: {fault}")
    return work


def put_in_place(
    there: FileInPlace, folder: Path, choice: ChosenBackup, reporter: Reporter
) -> tuple[Path, ...]:
    """Make the database anew of a backup, where none can be locked; return where what was is kept.

    Raises: StepFailed, which the reporter has been told of; everything is as it was then.
    """
    real, backup = there.real, choice.backup

    def tell(said: str) -> None:
        reporter.begin()
        reporter.end("set aside", said)

    place = folder if folder.stat().st_dev == real.parent.stat().st_dev else real.parent
    with (
        terminated_like_interrupted(),
        step(reporter, "restore") as detail,
        scratch_for(there.database, place, note_for(real, id_in(backup))) as scratch,
    ):
        prepared = at_rest(copy_of(choice, scratch / real.name))
        with prepared.work.open("r+b") as file:
            detail.append(give_owner_and_mode(file.fileno(), backup.stat(), real))
            flush(file.fileno())
        if digest_of(prepared.work) != prepared.digest:
            raise StepFailed(f"{prepared.work}: something has written to it just now; run again")
        if users := describe_openers(there.database):
            raise StepFailed(f"{there.database}: it is open in {users}; stop that first")
        with defer_first_interrupt():
            kept = there.replace(prepared.work, datetime.now(UTC), tell)
        detail[:] = filter(None, ("the database is made anew, in one step", *detail))
    return kept


def compare(current: Path, copy: Path, backup: Path, hook: Hook | None, *, discard: bool) -> str:
    """Return what a restore of ``backup``, of which there is a ``copy``, loses of ``current``.

    Raises: WouldBeLost when it loses anything and ``discard`` is not given; StepFailed when that
        cannot be told.
    """
    try:
        lost = written_since(current, copy, hook, name=backup.name)
    except DatabaseError as error:
        if discard:
            return "what it holds does not read, and is kept"
        why = str(error).removeprefix(f"{error.path}: ").partition("; ")[0]
        raise StepFailed(
            f"what the database holds {why}, so that what a restore would lose cannot be told; "
            "nothing was changed; --bb-discard-changes restores the backup all the same"
        ) from error
    if lost and not discard:
        raise WouldBeLost(backup, lost)
    return f"{len(lost)} losses accepted" if lost else "nothing is lost"


def adopt_version(
    database: Path,
    folder: Path,
    migrations: Iterable[Migration],
    reporter: Reporter,
    hook: Hook | None = None,
    schema: Schema | None = None,
) -> Path | None:
    """Record in ``database`` that it has ``migrations``; return where the backup is.

    ``schema`` is the one that they were recognised by.

    Raises: StepFailed as carry_out does, or when it has a history already, or another schema.
    """
    identity = id_to_have(owner_of(database, folder), folder)

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> PublishableCopy:
        with step(reporter, "record"):
            refuse_other_schema(database, current, schema, hook)
            work = scratch / database.name
            shutil.copyfile(current, work)
            work.chmod(0o600)
            with reading(work) as db:
                batch = last_batch(read_history(db)) + 1
                known = read_identity(db)
            note = note_on(current)
            made = {current.name: note.digest} if note else {}
            adopt(
                work, migrations, batch, Identity(known.id or identity, {**known.digests, **made})
            )
            return at_rest(work)

    check_place(database, folder)
    refuse_orphans(database)
    check_content(database, hook, folder)
    change = ContentChange(database, folder, lambda _: None, prepare, identity=identity)
    return carry_out(change, reporter)


def refuse_other_schema(
    database: Path, copy: Path, schema: Schema | None, hook: Hook | None
) -> None:
    """Make sure that the ``copy`` of a locked database has the ``schema`` that was recognised.

    Raises: StepFailed.
    """
    with reading(copy, hook) as db:
        now = read_schema(db)
    if schema is not None and now != schema:
        raise StepFailed(
            f"{database}: its schema is not what it was when its version was looked for: another "
            "program has changed it; nothing was recorded: run again"
        )


def at_rest(copy: Path) -> PublishableCopy:
    """Bring our own ``copy`` of a database into rollback-journal mode, ready to publish."""
    db = open_private(copy)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        db.close()
    return PublishableCopy(copy, digest_of(copy))
