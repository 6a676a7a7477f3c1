"""Run a Python part in a process that is made for this one call, on a copy of the database."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.private import is_showing_values
from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_file, read_message
from pytest_bbmigrate.processes.untrusted_files import LARGEST_IMAGE, read_untrusted
from pytest_bbmigrate.runner.fixed_imports import note_young
from pytest_bbmigrate.runner.model import Failure, PartResult
from pytest_bbmigrate.runner.python import get_ready
from pytest_bbmigrate.sandbox import part_process
from pytest_bbmigrate.sandbox.endings import (
    failure_of_limit,
    failure_of_rest,
    how_it_ended,
    printed_by,
    recorded,
    refuse_written,
)
from pytest_bbmigrate.sandbox.in_process import keys_wanted
from pytest_bbmigrate.sandbox.kept import keep_order, run_kept
from pytest_bbmigrate.sandbox.part_process import (
    AFTER,
    BEFORE,
    NAMES,
    NOT_WRITTEN,
    ORDER,
    REPORT,
    REPORTS,
    PartOrder,
    PartRefused,
    PartReport,
    work_on_part,
)
from pytest_bbmigrate.sqlite_files import open_content

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration, PythonPart
    from pytest_bbmigrate.runner.model import Record, RunEnvironment
    from pytest_bbmigrate.sandbox.keeper import Ending
    from pytest_bbmigrate.sqlite_files import Content

WORK = "work.db"
FULL = "what it made of the database could not be written: is there room on that disk?"


class Spoilt(Exception):
    """Raised when what a part has left is not what it is to leave; says what is wrong with it."""


def run_in_child(
    migration: Migration,
    part: PythonPart,
    copy: Content,
    environment: RunEnvironment,
    record: Record | None = None,
) -> PartResult:
    """Run ``part`` on the private ``copy`` in a process of its own; return the result.

    Its content is ``copy`` after a failure; a file is lost then. ``record`` is called as in
    ``run_part``, but afterwards, in a transaction of its own.

    Raises: SettingsError when the app's hook cannot prepare a connection there; DatabaseError when
        the real database was written meanwhile.
    """
    with tempfile.TemporaryDirectory(
        prefix="part-", dir=environment.parts, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name).resolve()
        order = order_for(migration, part, copy, environment, folder)
        order.kept.temporary.mkdir()
        if isinstance(copy, Path) and order.content is not None:
            copy.replace(order.content)
        ending = run_order(order, copy, environment)
        refuse_written(part.path, order.kept, ending)
        printed = printed_by(order.kept, ending)
        result = result_of(order, ending, copy)
        if result.failure is None and record is not None:
            result = recorded(result, part.path, record)
        return replace(result, printed=printed)


def order_for(
    migration: Migration,
    part: PythonPart,
    copy: Content,
    environment: RunEnvironment,
    folder: Path,
) -> PartOrder:
    """Return the order for ``part``, whose process is given ``folder``."""
    return PartOrder(
        part=replace(part, path=part.path.absolute()),
        foreign_keys=keys_wanted(migration.contract, environment),
        profile=environment.profile,
        content=folder / WORK if isinstance(copy, Path) else None,
        kept=keep_order(environment, folder),
        root=Path(os.path.abspath(environment.root)),  # noqa: PTH100 - links stay
        connection_hook=environment.connection_hook or "",
        since=environment.since,
        path=tuple(sys.path),
        shows_values=is_showing_values(),
    )


def run_order(order: PartOrder, copy: Content, environment: RunEnvironment) -> Ending:
    """Have the process run and return how it came to its end."""
    image = copy if isinstance(copy, bytes) else None
    folder = order.kept.folder
    if forking.can_fork():
        get_ready()  # or each process that is forked would have to
    else:
        (folder / ORDER).write_bytes(encode_message("order", order))
        if image is not None:
            (folder / BEFORE).write_bytes(image)

    def work() -> int:
        return work_on_part(order, image, environment.prepare_connection)

    return run_kept(order.kept, work, part_process.__name__, str(folder))


def result_of(order: PartOrder, ending: Ending, copy: Content) -> PartResult:
    """Return what the process has left.

    Raises: SettingsError when it could not run the part.
    """
    report = read_report(order)
    if isinstance(report, PartRefused):
        raise SettingsError(report.reason)
    if isinstance(report, PartReport):
        note_young(report.young)
    failure = failure_of(order, ending, report)
    executed: tuple[str, ...] = ()
    if isinstance(report, PartReport):
        executed = tuple(report.texts[at] for at in report.executed)
    if failure is None:
        try:
            content = take_content(order, copy)
        except (Spoilt, OSError, sqlite3.Error) as error:
            failure = Failure(
                order.part.path,
                None,
                "",
                f"what the migration left is no database any more ({error})",
            )
    if failure is not None or not isinstance(report, PartReport):
        return PartResult(failure, copy, executed, len(executed))
    return PartResult(
        None,
        content,
        executed,
        len(executed),
        report.conflicts,
        idle=tuple(report.texts[at] for at in report.idle),
        foreign_keys=report.foreign_keys,
    )


def read_report(order: PartOrder) -> PartReport | PartRefused | Spoilt | None:
    """Return the report that the process has left, or what is wrong with it; None for none."""
    path = order.kept.folder / REPORT
    if not os.path.lexists(path):
        return None
    try:
        report = read_message(read_file(path), REPORTS, NAMES)
    except Unreadable as error:
        return Spoilt(str(error))
    if isinstance(report, PartReport):
        known = range(len(report.texts))
        if any(at not in known for at in (*report.executed, *report.idle)):
            return Spoilt("it names a statement that it does not have")
    return report


def failure_of(
    order: PartOrder, ending: Ending, report: PartReport | Spoilt | None
) -> Failure | None:
    """Return why the part has failed, or None."""
    path = order.part.path
    if failure := failure_of_limit(path, order.kept, ending):
        return failure
    if isinstance(report, Spoilt):
        return Failure(path, None, "", f"the report of its process is spoilt: {report}")
    if report is None:
        full = ending.code == NOT_WRITTEN
        message = FULL if full else how_it_ended(ending.code)
        return Failure(path, None, "", message, note="see what it printed")
    if report.failure is not None:
        return replace(report.failure, path=path)
    return failure_of_rest(path, ending, "the migration")


def take_content(order: PartOrder, copy: Content) -> Content:
    """Return the database as the process has left it; a file is moved back to where it was.

    Raises: Spoilt, OSError or sqlite3.Error when it has left something else.
    """
    if isinstance(copy, bytes) or order.content is None:
        image = read_untrusted(order.kept.folder / AFTER, LARGEST_IMAGE)
        with closing(open_content(image)) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return image
    status = order.content.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise Spoilt("something else is in its place")
    return order.content.replace(copy)
