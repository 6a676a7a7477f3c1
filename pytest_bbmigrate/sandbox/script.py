"""Run a migration that is a program in a child process, on a copy of the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import tempfile
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.processes.orphans import end_orphans, kill_group
from pytest_bbmigrate.processes.untrusted_files import read_untrusted_text
from pytest_bbmigrate.runner.model import Failure, PartResult
from pytest_bbmigrate.sandbox.script_report import ScriptReport, read_report
from pytest_bbmigrate.sandbox.watch import assert_unwritten
from pytest_bbmigrate.sqlite_files import marked_rollback_mode

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import ScriptPart
    from pytest_bbmigrate.runner.model import Record, RunEnvironment
    from pytest_bbmigrate.sqlite_files import Content

# For processes that a script has started to end after it, as helpers of Python's do.
ORPHAN_SECONDS = 2.0
IS_POSIX = os.name == "posix"  # the sandbox needs that
POSIX = "Linux or macOS"
ELSEWHERE = "check this one on Linux or macOS; those in SQL and with up(db) are checked here"
USE_LANDLOCK = True  # where the kernel has it; without, the sandbox is weaker


@dataclass(frozen=True)
class ScriptFolder:
    """The folder that a script is given, and the working ``copy`` of the database in it."""

    folder: Path
    copy: Path

    @property
    def work(self) -> Path:
        """The folder that the script runs in."""
        return self.copy.parent

    @property
    def temporary(self) -> Path:
        """The folder for its temporary files."""
        return self.folder / "tmp"

    @property
    def printed(self) -> Path:
        """The file that its output goes to."""
        return self.folder / "printed"

    @property
    def texts(self) -> Path:
        """The file with the texts of the script and its modules, as the catalogue read them."""
        return self.folder / "texts.json"

    @property
    def script_report(self) -> Path:
        """The file for the report that its process writes at the end."""
        return self.folder / "ledger.json"


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
    real = environment.real
    beside = environment.scratch if isinstance(copy, Path) else None
    with tempfile.TemporaryDirectory(prefix="bbmigrate-", dir=beside) as folder:
        script_folder = make_script_folder(Path(folder).resolve(), environment.database.name, copy)
        with assert_unwritten(real, part):
            code, running = run_child(script_folder, part, real, environment)
        printed = read_untrusted_text(script_folder.printed)
        script_report = read_report(script_folder.script_report)
        executed = tuple(script_report.executed) if script_report else ()
        failure = failure_of(part, code, script_report, running)
        after = copy
        if failure is None:
            try:
                after = read_result(script_folder.copy, copy, record, len(executed))
            except (sqlite3.Error, OSError) as error:
                failure = Failure(
                    part.path, None, "", f"what the script left is no database any more ({error})"
                )
    return PartResult(failure, after, executed, len(executed), printed=printed)


def make_script_folder(folder: Path, name: str, content: Content) -> ScriptFolder:
    """Put ``content`` into ``folder`` as a working copy called ``name``; a file is moved there.

    Return the paths in the folder.
    """
    script_folder = ScriptFolder(folder, folder / "work" / name)
    script_folder.work.mkdir()
    script_folder.temporary.mkdir()
    if isinstance(content, bytes):
        script_folder.copy.write_bytes(content)
    else:
        content.replace(script_folder.copy)
    return script_folder


def run_child(
    script_folder: ScriptFolder, part: ScriptPart, real: Path, environment: RunEnvironment
) -> tuple[int, tuple[str, ...]]:
    """Run the script in a child process, which Ctrl-C ends as well.

    Return its exit code, and the names of the programs that it left running and that had to be
    ended.
    """
    instructions = {
        "script": str(part.path.absolute()),
        "real": str(real),
        "copy": str(script_folder.copy),
        "work": str(script_folder.work),
        "root": os.path.realpath(environment.root),
        "temporary": str(script_folder.temporary),
        "ledger": str(script_folder.script_report),
        "texts": str(script_folder.texts),
        "since": environment.since,
        "landlock": USE_LANDLOCK,
        "parent": os.getpid(),
        "connection_hook": environment.connection_hook,
    }
    texts = {path: b64encode(content).decode() for path, content in part.texts.items()}
    script_folder.texts.write_text(json.dumps(texts), encoding="utf-8")
    variables = {
        **os.environ,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(script_folder.temporary)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",  # so that output and errors come in their order
    }
    with (
        script_folder.printed.open("wb") as printed,
        subprocess.Popen(  # noqa: S603 - our own program
            command_with_packages("pytest_bbmigrate.sandbox.script_main", json.dumps(instructions)),
            cwd=script_folder.work,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as child,
    ):
        try:
            return child.wait(), end_orphans(
                script_folder.temporary, ORPHAN_SECONDS, group=child.pid
            )
        except BaseException:
            kill_group(child.pid)
            end_orphans(script_folder.temporary, group=child.pid)
            raise


def failure_of(
    part: ScriptPart, code: int, script_report: ScriptReport | None, running: tuple[str, ...]
) -> Failure | None:
    """Return why the script has failed, or None; ``running`` are programs that it left running."""
    if script_report is None:
        message = f"the program ended with exit code {code} before its end was reached"
        return Failure(part.path, None, "", message, note="see what it printed")
    if script_report.error or code:
        message = script_report.error or f"the program ended with exit code {code}"
        return Failure(part.path, script_report.line, script_report.statement, message)
    if script_report.refused:
        return Failure(part.path, None, "", script_report.refused[0])
    if script_report.lost:
        return Failure(part.path, script_report.line, "", script_report.lost)
    if running:
        message = f"the script ended and left {' and '.join(running)} running"
        note = "wait for what it starts: what that still writes reaches no database"
        return Failure(part.path, None, "", message, note=note)
    return None


def read_result(
    database: Path, content: Content, record: Record | None = None, statements: int = 0
) -> Content:
    """Return the content of the ``database`` that a script has left, its journal or WAL included.

    If ``content`` is a file, it is replaced by that one. ``record`` is called with a connection to
    the database, in a transaction, and with ``statements``.

    Raises: sqlite3.Error when it is no database, OSError when it is missing.
    """
    database.stat()  # raises if it is missing: SQLite would create it
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # rolls a hot journal back
        if record is not None:
            db.execute("BEGIN IMMEDIATE")
            record(db, statements)
            db.execute("COMMIT")
        if isinstance(content, Path):
            db.execute("PRAGMA journal_mode = DELETE")
    if isinstance(content, bytes):
        return marked_rollback_mode(database.read_bytes())
    return database.replace(content)
