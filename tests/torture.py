"""Kill the keeper, or its parent with its whole group, at random moments, and look at what is left.

    python -m tests.torture [--kills 200] [--megabytes 200] [--seed N] [--minutes M] [--folder DIR]

Each round publishes one of two contents into the database that holds the other, and is killed
somewhere between the lock and the release. After that nobody may have the lock, the content must be
exactly one or the other and sound, the journal mode and the file must be the same, and the next
keeper must publish and verify. Rounds go through both journal modes and both victims in turns.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.sqlite_files.backup import Pace, matches_file
from pytest_bbmigrate.sqlite_files.contents import digest_of
from pytest_bbmigrate.sqlite_files.locking import journal_mode, set_journal_mode, take_lock
from tests.processes import wait_for_end
from tests.telling import tell

MODES = ("delete", "wal")
VICTIMS = ("keeper", "parent")
AFTER_PUBLISH = ("verify", "release", "done")
ROW_BYTES = 1000
END_SECONDS = 60.0
RUN = """\
import sys
from pathlib import Path
from pytest_bbmigrate.apply.lock.client import LockClient
real, work, backup, digest = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
with LockClient(real, deadline=30) as keeper:
    print("lock", flush=True)
    keeper.lock()
    print("keeper", keeper.pid, flush=True)
    print("back up", flush=True)
    keeper.back_up(backup)
    print("publish", flush=True)
    keeper.publish(work, digest)
    print("verify", flush=True)
    keeper.verify(work, backup, backup.with_name("failed"))
    print("release", flush=True)
print("done", flush=True)
"""


@dataclass(frozen=True)
class Round:
    """How one kill came out: in which step it struck, and what was found afterwards.

    ``content`` is 'kept' or 'published'.
    """

    mode: str
    victim: str
    step: str
    content: str


class Torture:
    """A database, the two contents that it may have, and how long an undisturbed run takes."""

    def __init__(self, folder: Path, megabytes: int, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.real = folder / "real.db"
        self.contents = {
            "old": make(folder / "old.db", "old", megabytes, self.random),
            "new": make(folder / "new.db", "new", megabytes + megabytes // 10, self.random),
        }
        self.digests = {name: digest_of(path) for name, path in self.contents.items()}
        self.real.write_bytes(self.contents["old"].read_bytes())
        self.identity = self.real.stat().st_ino
        self.holds = "old"
        self.seconds = 0.0

    def run_round(self, number: int) -> Round:
        """Kill one run and look at what is left.

        Raises: AssertionError when it is not what it must be.
        """
        mode, victim = MODES[number % 2], VICTIMS[number // 2 % 2]
        with closing(take_lock(self.real, 5)) as db:
            set_journal_mode(db, mode)
        if not self.seconds:
            self.publish_other()
            self.publish_other()
        step = self.kill_a_run(victim)
        found = self.look(mode)
        content = "kept" if found == self.holds else "published"
        assert content == "published" or step not in AFTER_PUBLISH, f"lost after {step} had begun"
        self.holds = found
        self.publish_other()
        return Round(mode, victim, step, content)

    def kill_a_run(self, victim: str) -> str:
        """Start a run, kill it at a random moment, and return the step that it was at."""
        other = self.other()
        log = self.folder / "log"
        arguments = (self.real, self.contents[other], self.folder / "killed", self.digests[other])
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [sys.executable, "-c", RUN, *map(str, arguments)],
                stdout=output,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": PACKAGES},
                start_new_session=True,
            ) as parent,
        ):
            while b"keeper" not in log.read_bytes() and parent.poll() is None:
                time.sleep(0.005)
            pid = int(log.read_text().split("keeper")[1].split()[0])
            with suppress(psutil.NoSuchProcess):  # it may have come to its end by now
                server = psutil.Process(pid)
                time.sleep(self.random.uniform(0, self.seconds))
                if victim == "keeper":
                    server.kill()
            step = log.read_text().split("\n")[-2]
            if victim == "parent" and parent.poll() is None:
                os.killpg(parent.pid, signal.SIGKILL)
            parent.wait(END_SECONDS)
        wait_for_end(pid, seconds=END_SECONDS)
        for path in self.folder.glob("killed*"):
            path.unlink()
        return step

    def look(self, mode: str) -> str:
        """Return which content the database has.

        Raises: AssertionError when it is neither, or anything else is not as it was.
        """
        assert self.real.stat().st_ino == self.identity, "another file"
        with closing(take_lock(self.real, 0)) as db:
            assert journal_mode(db) == mode, f"journal mode {journal_mode(db)}, it was {mode}"
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            found = [
                name for name, path in self.contents.items() if matches_file(db, path, Pace(5))
            ]
        assert len(found) == 1, "neither the one content nor the other"
        return found[0]

    def publish_other(self) -> None:
        """Publish the content that the database does not have, undisturbed."""
        other, backup = self.other(), self.folder / "backup"
        backup.unlink(missing_ok=True)
        begun = time.monotonic()
        with LockClient(self.real) as client:
            client.lock()
            client.back_up(backup)
            client.publish(self.contents[other], self.digests[other])
            client.verify(self.contents[other], backup, self.folder / "failed")
        self.seconds = time.monotonic() - begun
        assert client.state is ContentState.VERIFIED
        self.holds = other

    def other(self) -> str:
        """Return the content that the database does not have."""
        return "new" if self.holds == "old" else "old"


def make(path: Path, note: str, megabytes: int, chance: random.Random) -> Path:
    """Make a database of about ``megabytes``, in rows of a kilobyte with an index."""
    rows = megabytes * 1_000_000 // (ROW_BYTES + 40)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("CREATE TABLE money (id INTEGER PRIMARY KEY, note TEXT, filling BLOB)")
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO money (note, filling) VALUES (?, ?)",
            ((f"{note} {number}", chance.randbytes(ROW_BYTES)) for number in range(rows)),
        )
        db.execute("COMMIT")
        db.execute("CREATE INDEX money_note ON money (note)")
    return path


def torture(folder: Path, kills: int, megabytes: int, seed: int, until: float = 0) -> list[Round]:
    """Return what ``kills`` rounds came to; fewer when the clock passes ``until``."""
    victim = Torture(folder, megabytes, seed)
    rounds: list[Round] = []
    while len(rounds) < kills and (not until or time.monotonic() < until):
        rounds.append(victim.run_round(len(rounds)))
    return rounds


def main() -> None:
    """Torture as the command line says, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=0, help="End after this time; 0 for never")
    parser.add_argument("--folder", type=Path, help="Where to put the databases")
    options = parser.parse_args()
    tell(f"seed {options.seed}, {options.megabytes} MB")
    until = time.monotonic() + options.minutes * 60 if options.minutes else 0
    with tempfile.TemporaryDirectory(prefix="bbmigrate-torture-", dir=options.folder) as folder:
        rounds = torture(Path(folder), options.kills, options.megabytes, options.seed, until)
    tell(f"{len(rounds)} kills: each time exactly one content or the other, sound, unlocked")
    for names in (("mode", "victim", "content"), ("step", "content")):
        counts = Counter(tuple(getattr(found, name) for name in names) for found in rounds)
        for key, count in sorted(counts.items()):
            tell(f"{count:5}  {', '.join(key)}")


if __name__ == "__main__":
    main()
