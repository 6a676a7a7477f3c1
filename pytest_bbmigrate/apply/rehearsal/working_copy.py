"""The working copy that a rehearsal leaves, and the copies on the way to it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.own_tables import writing_ours
from pytest_bbmigrate.apply.rehearsal.client import TEMPORARY, WORKING_COPY, identity_after
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.experiment import Snapshot
from pytest_bbmigrate.history.batches import record_backup, record_contents
from pytest_bbmigrate.history.identity import record_emptied, write_identity
from pytest_bbmigrate.history.table import (
    last_batch,
    read_history,
    rename,
)
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import object_digests
from pytest_bbmigrate.sqlite_files import digest_of, open_private, private_copy
from pytest_bbmigrate.sqlite_files.durable import sync
from pytest_bbmigrate.sqlite_files.held_file import state_of_file

if TYPE_CHECKING:
    import sqlite3

    from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
    from pytest_bbmigrate.rows import TableContent

COPIES = "copies"  # the folder for them, in the order's


def forget_others(order: RehearsalOrder, snapshot: Snapshot) -> Snapshot:
    """Delete every copy but the one of ``snapshot``, and return that without those it came from."""
    for path in (order.folder / COPIES).iterdir():
        if path != snapshot.image:
            path.unlink()
    return Snapshot(
        snapshot.image,
        snapshot.schema,
        snapshot.row_counts,
        snapshot.layout,
        written=snapshot.written,
    )


def refuse_written(*snapshots: Snapshot) -> None:
    """Make sure that what was judged, and what the next migration starts from, is still that.

    Raises: StepFailed that names a copy which something else has written to.
    """
    for snapshot in snapshots:
        if not snapshot.is_as_written:
            raise StepFailed(
                f"{snapshot.image!s}: something else has written to this copy of the database; "
                "nothing was published: find out what, and run again"
            )


def finish(
    order: RehearsalOrder, snapshot: Snapshot, contents: tuple[TableContent, ...] | None = None
) -> str:
    """Write the end of the batch into the history of the working copy, and leave that complete.

    What the migrations may have made of the database's identity is written over. ``contents`` are
    those of ``snapshot``, where they were read before. Return its digest.
    """
    work, content = order.folder / WORKING_COPY, snapshot.image
    left = private_copy(content, order.folder / TEMPORARY, move=content != order.before)
    assert not isinstance(left, bytes)  # noqa: S101 - the backup is a file
    with closing(open_private(left)) as db:
        db.execute("BEGIN IMMEDIATE")
        contents = content_of(db) if contents is None else contents
        refuse_written(snapshot if content == order.before else replace(snapshot, image=left))
        with writing_ours(db):
            write_end(order, db, contents)
        db.execute("COMMIT")
    left.replace(work)
    complete = replace(snapshot, image=work, written=state_of_file(work.stat()))
    sync(work)
    digest = digest_of(work)
    refuse_written(complete)
    return digest


def write_end(
    order: RehearsalOrder, db: sqlite3.Connection, contents: tuple[TableContent, ...]
) -> None:
    """Write into ``db``, in its transaction, what it holds at the end and which database it is."""
    batch = last_batch(read_history(db))
    if batch:
        record_contents(db, batch, contents, object_digests(db))
    if batch and order.backup:
        record_backup(db, batch, order.backup)
    there = {applied.name for applied in read_history(db)}
    for old, new in order.renamed:
        if old in there:  # one that was taken back is not
            rename(db, old, new)
    if order.identity:
        write_identity(db, identity_after(order))
    if order.identity and not batch:
        record_emptied(db, content_of(db), object_digests(db))
