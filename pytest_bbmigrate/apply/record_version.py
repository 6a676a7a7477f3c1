"""Record in a database that was migrated by hand which migrations it has."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import adopt
from pytest_bbmigrate.apply.backup_owners import id_for, note_on, owner_of
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.file_checks import check_location, refuse_orphans
from pytest_bbmigrate.apply.preflight import check_content
from pytest_bbmigrate.apply.reporter import step
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import Identity, read_identity
from pytest_bbmigrate.history.table import last_batch, read_history
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files.reading import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_bbmigrate.apply.reporter import Reporter
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sqlite_files import Hook


from pytest_bbmigrate.apply.restore import closed_copy


def record_version(
    database: Path,
    folder: Path,
    migrations: Sequence[Migration],
    reporter: Reporter,
    hook: Hook | None = None,
    schema: Schema | None = None,
) -> Path | None:
    """Record in ``database`` that it has ``migrations``; return where the backup is.

    ``schema`` is the one that they were recognised by.

    Raises: StepFailed as run_change does, or when it has a history already, or another schema.
    """
    identity = id_for(owner_of(database, folder), folder)

    def prepare(current: Path, scratch: Path, reporter: Reporter) -> PublishableCopy:
        with step(reporter, "record"):
            refuse_other_schema(database, current, schema, hook)
            work = scratch / database.name
            shutil.copyfile(current, work)
            work.chmod(0o600)
            with reading(work) as db:
                batch = last_batch(read_history(db)) + 1
                identity_before = read_identity(db)
            note = note_on(current)
            own_digest = {current.name: note.digest} if note else {}
            adopt(
                work,
                migrations,
                batch,
                Identity(identity_before.id or identity, {**identity_before.digests, **own_digest}),
            )
            return closed_copy(work)

    check_location(database, folder)
    refuse_orphans(database)
    check_content(database, hook, folder)
    change = ContentChange(database, folder, lambda _: None, prepare, identity=identity)
    return run_change(change, reporter)


def refuse_other_schema(
    database: Path, copy: Path, schema: Schema | None, hook: Hook | None
) -> None:
    """Make sure that the ``copy`` of a locked database has the ``schema`` that was recognised.

    Raises: StepFailed.
    """
    with reading(copy, hook) as db:
        current = read_schema(db)
    if schema is not None and current != schema:
        raise StepFailed(
            f"{database}: its schema is not what it was when its version was looked for: another "
            "program has changed it; nothing was recorded: run again"
        )
