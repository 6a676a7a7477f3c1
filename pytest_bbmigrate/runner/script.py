"""Run a migration that is a program: in a child process, on a copy of the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.database import in_rollback_mode
from pytest_bbmigrate.runner.advice import advise
from pytest_bbmigrate.runner.guard.ledger import Ledger, read_ledger
from pytest_bbmigrate.runner.model import Failure, Outcome
from pytest_bbmigrate.runner.watch import untouched

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import ScriptPart
    from pytest_bbmigrate.runner.run import Workplace

# -P keeps the folder it is started in off sys.path; ours is on it for the import of the guard only.
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from pytest_bbmigrate.runner.guard.main import main; "
    "del sys.path[0]; sys.exit(main(sys.argv[2]))"
)
USE_LANDLOCK = True  # where the kernel has it; the guard alone is weaker
PACKAGES = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True)
class Desk:
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
    def ledger(self) -> Path:
        """The file that its guard writes at the end."""
        return self.folder / "ledger.json"


def run_script(part: ScriptPart, image: bytes, workplace: Workplace) -> Outcome:
    """Run ``part`` on a copy of ``image``, in a folder of its own that is gone afterwards.

    Raises: DatabaseError when the real database is not as it was before.
    """
    real = workplace.real
    with tempfile.TemporaryDirectory(prefix="bbmigrate-") as folder:
        desk = lay_out(Path(folder).resolve(), workplace.database.name, image)
        with untouched(real, part):
            code = run_child(desk, part, real, workplace)
        printed = desk.printed.read_text(encoding="utf-8", errors="replace")
        ledger = read_ledger(desk.ledger)
        failure = judge(part, code, ledger)
        after = image
        if failure is None:
            try:
                after = read_back(desk.copy)
            except (sqlite3.Error, OSError) as error:
                failure = Failure(
                    part.path, None, "", f"what the script left is no database any more ({error})"
                )
    executed = tuple(ledger.executed) if ledger else ()
    return Outcome(failure, after, executed, len(executed), printed=printed)


def lay_out(folder: Path, name: str, image: bytes) -> Desk:
    """Put a working copy called ``name`` into ``folder`` and return where everything is."""
    desk = Desk(folder, folder / "work" / name)
    desk.work.mkdir()
    desk.temporary.mkdir()
    desk.copy.write_bytes(image)
    return desk


def run_child(desk: Desk, part: ScriptPart, real: Path, workplace: Workplace) -> int:
    """Run the script in a process of its own and return its exit code; Ctrl-C ends it, too."""
    order = {
        "script": str(part.path.absolute()),
        "real": str(real),
        "copy": str(desk.copy),
        "work": str(desk.work),
        "root": os.path.realpath(workplace.root),
        "temporary": str(desk.temporary),
        "ledger": str(desk.ledger),
        "landlock": USE_LANDLOCK,
        "connection_hook": workplace.connection_hook,
    }
    environment = {
        **os.environ,
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(desk.temporary)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",  # so that output and errors come in their order
    }
    with desk.printed.open("wb") as printed:
        child = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", START, PACKAGES, json.dumps(order)],
            cwd=desk.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return child.returncode


def judge(part: ScriptPart, code: int, ledger: Ledger | None) -> Failure | None:
    """Return why the script has failed, or None."""
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
    return None


def read_back(copy: Path) -> bytes:
    """Return the database ``copy`` as an image, with what a journal or WAL beside it holds.

    Raises: sqlite3.Error when it is no database, OSError when it is not there.
    """
    copy.stat()  # for SQLite would make a new one
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # rolls a hot journal back
    return in_rollback_mode(copy.read_bytes())
