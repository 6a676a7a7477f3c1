"""Run a migration that is a program in a child process, on a copy of the database."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner.model import Failure, PartResult
from pytest_bbmigrate.sandbox import script_start
from pytest_bbmigrate.sandbox.endings import (
    failure_of_limit,
    failure_of_rest,
    how_it_ended,
    printed_by,
    recorded,
    refuse_written,
)
from pytest_bbmigrate.sandbox.kept import keep_order, run_kept
from pytest_bbmigrate.sandbox.paths import SandboxPaths
from pytest_bbmigrate.sandbox.script_report import ScriptOrder, read_report, write_order
from pytest_bbmigrate.sandbox.script_start import start_script
from pytest_bbmigrate.sqlite_files import marked_rollback_mode

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import ScriptPart
    from pytest_bbmigrate.runner.model import Record, RunEnvironment
    from pytest_bbmigrate.sandbox.keeper import Ending
    from pytest_bbmigrate.sandbox.script_report import ScriptReport
    from pytest_bbmigrate.sqlite_files import Content

IS_POSIX = os.name == "posix"  # the sandbox needs that
POSIX = "Linux or macOS"
ELSEWHERE = "check this one on Linux or macOS; those in SQL and with up(db) are checked here"
SCRIPT_END = "the program ended with exit code {} before its end was reached"


def run_script(
    part: ScriptPart, copy: Content, environment: RunEnvironment, record: Record | None = None
) -> PartResult:
    """Run ``part`` on the private ``copy`` in a folder of its own, which is deleted afterwards.

    Raises: DatabaseError when the real database was written meanwhile.
    """
    if not IS_POSIX:
        why = "a migration that is a program of its own is not run on Windows"
        refused = Failure(part.path, None, "", why, note=ELSEWHERE, lacks=POSIX)
        return PartResult(refused, copy, (), 0)
    beside = environment.scratch if isinstance(copy, Path) else None
    with tempfile.TemporaryDirectory(
        prefix="bbmigrate-", dir=environment.parts or beside, ignore_cleanup_errors=True
    ) as name:
        order = order_for(part, environment, Path(name).resolve())
        put_copy(order, copy)
        ending = run_child(order)
        refuse_written(part.path, order.kept, ending)
        printed = printed_by(order.kept, ending)
        report = read_report(order.report)
        executed = report.executed if report else ()
        failure = failure_of(part, order, report, ending)
        after = copy
        if failure is None:
            try:
                after = read_result(order.paths.copy, copy)
            except (sqlite3.Error, OSError) as error:
                failure = Failure(
                    part.path, None, "", f"what the script left is no database any more ({error})"
                )
    result = PartResult(failure, after, executed, len(executed), printed=printed)
    return result if failure or record is None else recorded(result, part.path, record)


def order_for(part: ScriptPart, environment: RunEnvironment, folder: Path) -> ScriptOrder:
    """Return the order for ``part``, whose process is given ``folder``."""
    work = folder / "work"
    kept = keep_order(environment, folder)
    paths = SandboxPaths(
        real=environment.real,
        copy=work / environment.database.name,
        work=work,
        root=Path(os.path.realpath(environment.root)),
        temporary=kept.temporary,
    )
    return ScriptOrder(
        part.path.absolute(),
        paths,
        part.texts,
        kept,
        environment.since,
        environment.connection_hook or "",
    )


def put_copy(order: ScriptOrder, content: Content) -> None:
    """Make the folders of ``order``, with ``content`` as the working copy; move a file there."""
    order.paths.work.mkdir()
    order.paths.temporary.mkdir()
    if isinstance(content, bytes):
        order.paths.copy.write_bytes(content)
    else:
        content.replace(order.paths.copy)


def run_child(order: ScriptOrder) -> Ending:
    """Run the script in a process of its own, which Ctrl-C ends as well."""
    write_order(order)
    return run_kept(order.kept, lambda: start_script(order), script_start.__name__, str(order.file))


def failure_of(
    part: ScriptPart, order: ScriptOrder, report: ScriptReport | None, ending: Ending
) -> Failure | None:
    """Return why the script has failed, or None."""
    path, code = part.path, ending.code
    if failure := failure_of_limit(path, order.kept, ending):
        return failure
    if report is None:
        return Failure(path, None, "", how_it_ended(code, SCRIPT_END), note="see what it printed")
    if report.error or code:
        message = report.error or f"the program ended with exit code {code}"
        return Failure(path, report.line, report.statement, message, note=report.note)
    if report.refused:
        return Failure(path, None, "", report.refused[0])
    if report.lost:
        return Failure(path, report.line, "", report.lost)
    return failure_of_rest(path, ending, "the script")


def read_result(database: Path, content: Content) -> Content:
    """Return the content of the ``database`` that a script has left, its journal or WAL included.

    If ``content`` is a file, it is replaced by that one.

    Raises: sqlite3.Error when it is no database, OSError when it is missing.
    """
    if not stat.S_ISREG(database.lstat().st_mode):  # raises if it is missing: SQLite would make one
        raise OSError(0, "something else is in its place", str(database))
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # rolls a hot journal back
        if isinstance(content, Path):
            db.execute("PRAGMA journal_mode = DELETE")
    if isinstance(content, bytes):
        return marked_rollback_mode(database.read_bytes())
    return database.replace(content)
