"""Kill a whole ``pytest --bb-apply`` at random moments, and look at what is left.

    python -m tests.torture_apply [--kills 36] [--megabytes 200] [--seed N] [--minutes M]

Each round applies three migrations to the same database, and is killed within one of the run's
steps: pytest alone, or every process of the run at once. After that no process of it may go on, and
the content must be exactly what it was or exactly what the migrations give, and sound: that is seen
in a copy, so that the next run meets what the killed one has left. That run must succeed, in the
same file with the same mode and journal mode, and leave nothing but named backups.

Steps, journal modes and victims come in turns, so that each step is met as often as any other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

import psutil

from pytest_bbmigrate.processes.launch import PACKAGES
from tests.telling import tell
from tests.torture import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

VICTIMS = ("pytest", "every process")
STEPS = ("preflight", "checks", "lock", "backup", "rehearsal", "smoke", "publish", "verify", "end")
SIDECARS = ("", "-journal", "-wal")
BACKUP = re.compile(r"real\.db\.backup\.\d{8}_\d{6}(_\d+)?")
END_SECONDS = 30.0  # for the keeper to roll back, and for every other process to be gone
MARK = "BBMIGRATE_TORTURE"
# Of the session that this runs in; and what would compile every module anew in every run.
NOT_FOR_RUNS = ("PYTEST_", "COV", "PYTHONDONTWRITEBYTECODE")
FILE_MODE = 0o640
ROW_BYTES = 10_000
EVERY = 100  # of so many rows, the last migration changes one
MIGRATIONS = {
    "001_money": (
        "-- migrate:up\n"
        "CREATE TABLE money (id INTEGER PRIMARY KEY, note TEXT NOT NULL, filling BLOB);\n"
        "-- migrate:down\nDROP TABLE money;\n"
    ),
    "002_trip": "ALTER TABLE money ADD COLUMN trip TEXT;\n",
    "003_by_note": "CREATE INDEX money_by_note ON money (note);\n",
    "004_going_out": (
        "-- bb: changes money.note where note = 'Dining Out'\n"
        "UPDATE money SET note = 'Going Out' WHERE note = 'Dining Out';\n"
    ),
}
SMOKE = """\
import sqlite3
from contextlib import closing

import pytest


@pytest.mark.bb_smoke
def test_money_is_read(bb_head_path):
    with closing(sqlite3.connect(bb_head_path)) as db:
        assert db.execute("SELECT trip FROM money WHERE id = 1").fetchall()
"""


@dataclass(frozen=True)
class Killed:
    """How one kill came out: in which step it struck, and what was found afterwards.

    ``content`` is 'kept' or 'published'; ``left_in`` is the journal mode that the killed run left,
    and ``seconds`` how long its last process went on.
    """

    mode: str
    victim: str
    step: str
    content: str
    left_in: str
    seconds: float


@dataclass
class Project:
    """A folder with migrations, a smoke test and a database that has the first migration."""

    folder: Path
    megabytes: int
    seed: int
    rounds: int = 0
    old: str = ""
    new: str = ""
    lasted: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.place = self.folder / "project"
        self.real, self.log = self.place / "real.db", self.folder / "log"
        self.master = self.folder / "master.db"
        self.make()

    def make(self) -> None:
        """Make the project, and see what a run that nobody kills does, and how long it takes."""
        migrations = self.place / "migrations"
        migrations.mkdir(parents=True)
        (self.place / "pytest.ini").write_text("[pytest]\nbb_database = real.db\nbb_rows = 20\n")
        first, *others = MIGRATIONS
        (migrations / f"{first}.sql").write_text(MIGRATIONS[first])
        self.apply("--bb-create")
        self.real.chmod(FILE_MODE)
        fill(self.real, self.megabytes, self.random)
        for name in others:
            (migrations / f"{name}.sql").write_text(MIGRATIONS[name])
        (self.place / "test_smoke.py").write_text(SMOKE)
        shutil.copyfile(self.real, self.master)
        self.identity = self.real.stat().st_ino
        self.old = fingerprint(self.real)
        with self.started() as (run, began):
            self.lasted = dict(self.watch(run, began))
            assert run.wait() == 0, self.log.read_text()
        self.new = fingerprint(self.real)
        assert self.new != self.old

    def run_round(self) -> Killed:
        """Kill one run and look at what is left.

        Raises: AssertionError when it is not what it must be.
        """
        number, self.rounds = self.rounds, self.rounds + 1
        mode, victim = MODES[number % 2], VICTIMS[number // 2 % 2]
        self.set_up(mode)
        with self.started() as (run, _):
            self.wait_for(run, STEPS[number // 4 % len(STEPS)])
            kill(run, all_of_it=victim != "pytest")
            step = self.step()
        seconds = self.wait_for_the_end()
        content, left_in = self.look_at_a_copy()
        assert content == "kept" or step in STEPS[6:], f"published in {step}"
        assert content == "published" or step not in STEPS[7:], f"lost in {step}"
        nobody_left = victim != "pytest" and step in STEPS[6:]
        assert left_in == mode or nobody_left, f"left in journal mode {left_in}, it was {mode}"
        self.apply()
        self.look_at_the_end(mode)
        return Killed(mode, victim, step, content, left_in, seconds)

    def set_up(self, mode: str) -> None:
        """Put the old content back into the same file, in journal mode ``mode``; clear the rest."""
        for path in self.place.iterdir():
            if path.name.startswith(("real.db.", "real.db-", ".real.db.backup.")):
                path.unlink()
        shutil.copyfile(self.master, self.real)
        with closing(sqlite3.connect(self.real)) as db:
            assert db.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode,)
        assert self.names() == [], "the round before has left something"

    def command(self, *more: str) -> list[str]:
        """Return the command of a run."""
        plugins = ["-p", "pytest_bbmigrate.plugin.hooks", "-p", "no:cacheprovider"]
        apply = ["--bb-apply", "--bb-skip-way-back", "-v", *more]
        return [sys.executable, "-m", "pytest", *plugins, *apply]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run, by which its processes are known."""
        kept = {name: of for name, of in os.environ.items() if not name.startswith(NOT_FOR_RUNS)}
        mark = f"{self.folder}:{self.rounds}"
        return {
            **kept,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": PACKAGES,
            "PYTHONUNBUFFERED": "1",
            MARK: mark,
        }

    def apply(self, *more: str) -> None:
        """Apply, undisturbed.

        Raises: AssertionError when that does not succeed.
        """
        done = subprocess.run(
            self.command(*more),
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"the next run failed\n{done.stdout}\n{done.stderr}"

    def started(self) -> Started:
        """Return a run that is started when the block is entered."""
        return Started(self)

    def done(self) -> list[str]:
        """Return the steps that the run has reported so far."""
        said = self.log.read_text()
        return [step for step in STEPS if f"real.db::{step} PASSED" in said]

    def step(self) -> str:
        """Return the step that the run is at."""
        return STEPS[len(self.done())]

    def watch(self, run: subprocess.Popen[bytes], began: float) -> Iterator[tuple[str, float]]:
        """Yield each step of ``run`` and how many seconds it lasted."""
        at = 0
        while at < len(STEPS):
            ended = run.poll() is not None
            count = len(STEPS) if ended else len(self.done())
            now = time.monotonic()
            while at < count:
                yield STEPS[at], now - began
                at, began = at + 1, now
            time.sleep(0.002)

    def wait_for(self, run: subprocess.Popen[bytes], step: str) -> None:
        """Wait until a random moment of ``step``."""
        while len(self.done()) < STEPS.index(step):
            assert run.poll() is None, f"it ended before {step}\n{self.log.read_text()}"
            time.sleep(0.002)
        time.sleep(self.random.uniform(0, self.lasted[step]))

    def wait_for_the_end(self) -> float:
        """Wait until every process of the killed run is gone; return how long that took."""
        began = time.monotonic()
        while running := marked(self.environment[MARK]):
            assert time.monotonic() < began + END_SECONDS, f"still there: {running}"
            time.sleep(0.02)
        return time.monotonic() - began

    def look_at_a_copy(self) -> tuple[str, str]:
        """Return the content that the next program will find, 'kept' or 'published', and the mode.

        Raises: AssertionError when it is neither.
        """
        copy = self.folder / "copy" / "real.db"
        copy.parent.mkdir(exist_ok=True)
        for suffix in SIDECARS:
            beside = self.real.with_name(f"real.db{suffix}")
            if beside.exists():
                shutil.copyfile(beside, f"{copy}{suffix}")
        found, mode = fingerprint(copy), journal_mode_of(copy)
        shutil.rmtree(copy.parent)
        assert found in {self.old, self.new}, "neither what it was nor what the migrations give"
        return ("kept" if found == self.old else "published"), mode

    def look_at_the_end(self, mode: str) -> None:
        """Make sure that the run after a killed one has left what it must.

        Raises: AssertionError.
        """
        status = self.real.stat()
        assert (status.st_ino, S_IMODE(status.st_mode)) == (self.identity, FILE_MODE)
        assert fingerprint(self.real) == self.new, "not what the migrations give"
        assert journal_mode_of(self.real) == mode
        assert [name for name in self.names() if not BACKUP.fullmatch(name)] == []
        with closing(sqlite3.connect(self.real)) as db:
            (known,) = db.execute(
                "SELECT backups FROM _bb_migrations WHERE name = '002_trip'"
            ).fetchone()
        assert all((self.place / name).is_file() for name in json.loads(known))

    def names(self) -> list[str]:
        """Return what lies beside the database and was not put there, notes on backups aside."""
        own = {"real.db", "migrations", "pytest.ini", "test_smoke.py", "__pycache__"}
        there = {path.name for path in self.place.iterdir()}
        return sorted(there - own - {f".{name}.json" for name in there})


class Started:
    """A run, and when it was started; it is waited for when the block is left."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def __enter__(self) -> tuple[subprocess.Popen[bytes], float]:
        began = time.monotonic()
        with self.project.log.open("wb") as output:
            self.run = subprocess.Popen(
                self.project.command(),
                cwd=self.project.place,
                env=self.project.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.run, began

    def __exit__(self, *_: object) -> None:
        self.run.wait(END_SECONDS)


def fill(path: Path, megabytes: int, chance: random.Random) -> None:
    """Write about ``megabytes`` of rows."""
    notes = ["Dining Out", *(f"note {number}" for number in range(1, EVERY))]
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO money (note, filling) VALUES (?, ?)",
            (
                (notes[number % EVERY], chance.randbytes(ROW_BYTES))
                for number in range(megabytes * 1_000_000 // (ROW_BYTES + 40))
            ),
        )


def fingerprint(path: Path) -> str:
    """Return a hash of all that is in a sound database, but for when each migration ran.

    Of the history, the time, how long it took and the name of the backup differ from run to run.
    """
    digest = blake2b()
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        history = "SELECT id, name, checksum, batch, statements, contents FROM _bb_migrations"
        schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
        for query in (schema, f"{history} ORDER BY id", "SELECT * FROM money ORDER BY id"):
            for row in db.execute(query):
                for value in row:
                    is_blob = isinstance(value, bytes)
                    digest.update(b"blob " + value if is_blob else repr(value).encode())
    return digest.hexdigest()


def journal_mode_of(path: Path) -> str:
    """Return the journal mode that the header of a resting file says."""
    with path.open("rb") as file:
        return {b"\x01\x01": "delete", b"\x02\x02": "wal"}[file.read(20)[18:]]


def kill(run: subprocess.Popen[bytes], *, all_of_it: bool) -> None:
    """Kill pytest, or every process of its run at once, as far as that can be."""
    with suppress(psutil.NoSuchProcess):
        pytest = psutil.Process(run.pid)
        pytest.suspend()
        others = pytest.children(recursive=True) if all_of_it else []
        for process in (*others, pytest):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes whose environment has ``mark``."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it is gone, or somebody else's
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def torture_runs(
    folder: Path, kills: int, megabytes: int, seed: int, until: float = 0, first: int = 0
) -> Iterator[Killed]:
    """Yield what ``kills`` rounds came to; fewer when the clock passes ``until``."""
    project = Project(folder, megabytes, seed)
    project.rounds = first
    while project.rounds < first + kills and (not until or time.monotonic() < until):
        yield project.run_round()


def main() -> None:
    """Torture as the command line says, and print each kill and the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=4 * len(STEPS))
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=0, help="End after this time; 0 for never")
    parser.add_argument("--first", type=int, default=0, help="The round to begin with")
    parser.add_argument("--folder", type=Path, help="Where to put the database")
    options = parser.parse_args()
    tell(f"seed {options.seed}, {options.megabytes} MB, the whole run")
    until = time.monotonic() + options.minutes * 60 if options.minutes else 0
    rounds: list[Killed] = []
    with tempfile.TemporaryDirectory(prefix="bbmigrate-torture-", dir=options.folder) as folder:
        for found in torture_runs(
            Path(folder), options.kills, options.megabytes, options.seed, until, options.first
        ):
            rounds.append(found)
            tell(f"{len(rounds):5}  {found}")
    tell(f"{len(rounds)} kills: each time exactly one content or the other, and the next run ended")
    for names in (("mode", "victim", "content"), ("step", "content"), ("mode", "left_in")):
        counts = Counter(tuple(getattr(found, name) for name in names) for found in rounds)
        for key, count in sorted(counts.items()):
            tell(f"{count:5}  {', '.join(key)}")
    tell(
        f"the last process went on for {max((r.seconds for r in rounds), default=0):.1f} s at most"
    )


if __name__ == "__main__":
    main()
