"""Run a migration that is a program: in a child process, on a copy of the database."""

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
from pytest_bbmigrate.processes.left_files import read_text_left
from pytest_bbmigrate.processes.orphans import end_leftovers, kill_group
from pytest_bbmigrate.runner.advice import advise
from pytest_bbmigrate.runner.model import Failure, PartResult
from pytest_bbmigrate.sandbox.script_report import ScriptReport, read_ledger
from pytest_bbmigrate.sandbox.watch import untouched
from pytest_bbmigrate.sqlite_files import in_rollback_mode

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import ScriptPart
    from pytest_bbmigrate.runner.model import Record, RunEnvironment
    from pytest_bbmigrate.sqlite_files import Content

PATIENCE = 2.0  # seconds for what a script has started to end after it, as helpers of Python's do
IS_POSIX = os.name == "posix"  # what keeps a script from the real database needs that
POSIX = "Linux or macOS"
ELSEWHERE = "check this one on Linux or macOS; those in SQL and with up(db) are checked here"
USE_LANDLOCK = True  # where the kernel has it; the guard alone is weaker


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
        """The file that says what the script and its modules said when they were read."""
        return self.folder / "texts.json"

    @property
    def ledger(self) -> Path:
        """The file that its guard writes at the end."""
        return self.folder / "ledger.json"


def run_script(
    part: ScriptPart, copy: Content, workplace: RunEnvironment, record: Record | None = None
) -> PartResult:
    """Run ``part`` on ``copy``, a private one, in a folder of its own that is gone afterwards.

    Raises: DatabaseError when the real database is not as it was before.
    """
    if not IS_POSIX:
        why = "a migration that is a program of its own is not run on Windows"
        return PartResult(Failure(part.path, None, "", why, ELSEWHERE, POSIX), copy, (), 0)
    real = workplace.real
    beside = workplace.scratch if isinstance(copy, Path) else None
    with tempfile.TemporaryDirectory(prefix="bbmigrate-", dir=beside) as folder:
        desk = lay_out(Path(folder).resolve(), workplace.database.name, copy)
        with untouched(real, part):
            code, left = run_child(desk, part, real, workplace)
        printed = read_text_left(desk.printed)
        ledger = read_ledger(desk.ledger)
        executed = tuple(ledger.executed) if ledger else ()
        failure = judge(part, code, ledger, left)
        after = copy
        if failure is None:
            try:
                after = read_back(desk.copy, copy, record, len(executed))
            except (sqlite3.Error, OSError) as error:
                failure = Failure(
                    part.path, None, "", f"what the script left is no database any more ({error})"
                )
    return PartResult(failure, after, executed, len(executed), printed=printed)


def lay_out(folder: Path, name: str, content: Content) -> ScriptFolder:
    """Put ``content`` into ``folder`` as a working copy called ``name``; a file is moved there.

    Return where everything is.
    """
    desk = ScriptFolder(folder, folder / "work" / name)
    desk.work.mkdir()
    desk.temporary.mkdir()
    if isinstance(content, bytes):
        desk.copy.write_bytes(content)
    else:
        content.replace(desk.copy)
    return desk


def run_child(
    desk: ScriptFolder, part: ScriptPart, real: Path, workplace: RunEnvironment
) -> tuple[int, tuple[str, ...]]:
    """Run the script in a process of its own; Ctrl-C ends it, too.

    Return its exit code, and the names of the programs that it has left running and that had to be
    ended.
    """
    order = {
        "script": str(part.path.absolute()),
        "real": str(real),
        "copy": str(desk.copy),
        "work": str(desk.work),
        "root": os.path.realpath(workplace.root),
        "temporary": str(desk.temporary),
        "ledger": str(desk.ledger),
        "texts": str(desk.texts),
        "since": workplace.since,
        "landlock": USE_LANDLOCK,
        "parent": os.getpid(),
        "connection_hook": workplace.connection_hook,
    }
    texts = {path: b64encode(content).decode() for path, content in part.texts.items()}
    desk.texts.write_text(json.dumps(texts), encoding="utf-8")
    environment = {
        **os.environ,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(desk.temporary)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",  # so that output and errors come in their order
    }
    with (
        desk.printed.open("wb") as printed,
        subprocess.Popen(  # noqa: S603 - our own program
            command_with_packages("pytest_bbmigrate.sandbox.script_main", json.dumps(order)),
            cwd=desk.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as child,
    ):
        try:
            return child.wait(), end_leftovers(desk.temporary, PATIENCE, group=child.pid)
        except BaseException:
            kill_group(child.pid)
            end_leftovers(desk.temporary, group=child.pid)
            raise


def judge(
    part: ScriptPart, code: int, ledger: ScriptReport | None, left: tuple[str, ...]
) -> Failure | None:
    """Return why the script has failed, or None; ``left`` is what it has left running."""
    if ledger is None:
        message = f"the program ended with exit code {code} before its end was reached"
        return Failure(part.path, None, "", message, "see what it printed")
    if ledger.error or code:
        message = ledger.error or f"the program ended with exit code {code}"
        advice, missing = advise(message, ledger.statement)
        return Failure(part.path, ledger.line, ledger.statement, message, advice, missing)
    if ledger.refused:
        return Failure(part.path, None, "", ledger.refused[0], *advise(ledger.refused[0], ""))
    if ledger.lost:
        return Failure(part.path, ledger.line, "", ledger.lost, *advise(ledger.lost, ""))
    if left:
        message = f"the script ended and left {' and '.join(left)} running"
        advice = "wait for what it starts: what that still writes reaches no database"
        return Failure(part.path, None, "", message, advice)
    return None


def read_back(
    left: Path, content: Content, record: Record | None = None, statements: int = 0
) -> Content:
    """Return the database ``left`` by a script, with what a journal or WAL beside it holds.

    Where ``content`` is a file, what is left takes its place. ``record`` is called with a
    connection to it, in a transaction, and with ``statements``.

    Raises: sqlite3.Error when it is no database, OSError when it is not there.
    """
    left.stat()  # for SQLite would make a new one
    with closing(sqlite3.connect(left, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # rolls a hot journal back
        if record is not None:
            db.execute("BEGIN IMMEDIATE")
            record(db, statements)
            db.execute("COMMIT")
        if isinstance(content, Path):
            db.execute("PRAGMA journal_mode = DELETE")
    if isinstance(content, bytes):
        return in_rollback_mode(left.read_bytes())
    return left.replace(content)
