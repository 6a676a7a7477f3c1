"""Cut the power while the keeper publishes, in every legal way, and look at what is left.

    python -m tests.torture_power [--samples 40] [--seed N] [--folder DIR]

What the process that holds the lock does to the database, its journal and WAL, and the backup is
recorded once for each journal mode and form of the content. From that come the disks that a power
cut may leave at each moment (see ``tests/recording.py``); each is opened by SQLite, which recovers
it. Then it must be sound, and hold exactly the old content until publishing begins, exactly the old
or the new one meanwhile, and exactly the new one when publishing is said to be done. From the
moment that there is said to be a backup, it must be whole on each of these disks.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.sqlite_files.contents import digest_of
from tests.recording import Machine, Recorder, power_cuts, read_disk, why_not, write_disk
from tests.telling import tell
from tests.torture import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.recording import Disk, Recording

NAME, BACKUP = "real.db", "real.db.backup"
BACKED_UP, PUBLISHES, PUBLISHED, VERIFIED = "backed up", "publishes", "published", "verified"
MAY_HOLD = {"": {"old"}, BACKED_UP: {"old"}, PUBLISHES: {"old", "new"}}


@dataclass(frozen=True)
class Form:
    """How the new content differs from the old one: rows before and after, page sizes likewise."""

    name: str
    rows: tuple[int, int]
    pages: tuple[int, int] = (4096, 4096)


FORMS = (
    Form("grows", (40, 90)),
    Form("shrinks", (90, 40)),
    Form("smaller pages", (60, 60), (4096, 1024)),
    Form("larger pages", (60, 60), (1024, 8192)),
)


@dataclass(frozen=True)
class Cut:
    """One disk that a power cut left: after which mark, and which content SQLite found on it."""

    mode: str
    form: str
    mark: str
    content: str


@dataclass(frozen=True)
class Published:
    """A recorded publish: the content before and after, and the backup that was made."""

    mode: str
    form: str
    contents: dict[str, str]
    recording: Recording


def publish_recorded(folder: Path, mode: str, form: Form) -> Published:
    """Publish one content into a database that holds another, and record it."""
    place = folder / "place"
    place.mkdir()
    real, work, backup = place / NAME, folder / "work.db", place / BACKUP
    make_in_use(real, folder / "used.db", mode, form)
    make(work, "new", form.rows[1], form.pages[1])
    contents = {content_of(read_disk(place), folder / "copy"): "old"}
    contents[content_of({NAME: work.read_bytes()}, folder / "copy")] = "new"
    recorder = Recorder(place, folder)
    with recorder.recording(), LockClient(real) as client:
        client.lock()
        client.back_up(backup)
        recorder.mark(BACKED_UP)
        recorder.mark(PUBLISHES)
        client.publish(work, digest_of(work))
        recorder.mark(PUBLISHED)
        client.verify(work, backup, folder / "failed")
        recorder.mark(VERIFIED)
    return Published(mode, form.name, contents, recorder.result())


def make(path: Path, note: str, rows: int, page_size: int) -> None:
    """Make a database of so many rows, with an index."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {page_size}")
        fill(db, note, rows)


def make_in_use(real: Path, used: Path, mode: str, form: Form) -> None:
    """Make a database as a killed program leaves it: in WAL mode its last rows are in the WAL."""
    make(used, "old", form.rows[0], form.pages[0])
    with closing(sqlite3.connect(used, isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.execute("UPDATE money SET note = note || '!' WHERE id % 3 = 0")
        for suffix in ("", "-wal"):
            if (file := used.with_name(used.name + suffix)).exists():
                shutil.copyfile(file, real.with_name(real.name + suffix))


def fill(db: sqlite3.Connection, note: str, rows: int) -> None:
    db.execute("CREATE TABLE money (id INTEGER PRIMARY KEY, note TEXT, filling BLOB)")
    chance = random.Random(note)
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO money (note, filling) VALUES (?, ?)",
        ((f"{note} {number}", chance.randbytes(500)) for number in range(rows)),
    )
    db.execute("COMMIT")
    db.execute("CREATE INDEX money_note ON money (note)")


def content_of(disk: Disk, folder: Path) -> str:
    """Return a hash of what SQLite finds on ``disk``, or why it finds nothing sound."""
    write_disk(disk, folder)
    digest = blake2b()
    try:
        with closing(sqlite3.connect(folder / NAME, timeout=0, isolation_level=None)) as db:
            for query in ("SELECT * FROM sqlite_schema", "SELECT * FROM money ORDER BY id"):
                for row in db.execute(query):
                    digest.update(repr(row).encode())
            faults = db.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.Error as error:
        return str(error)
    finally:
        shutil.rmtree(folder)
    return digest.hexdigest() if faults == [("ok",)] else str(faults)


def torture_power(
    published: Published, folder: Path, samples: int, chance: random.Random
) -> Iterator[Cut]:
    """Yield what each disk came to that a power cut may leave, one for each.

    Raises: PowerCutHarms; AssertionError when the recording is not whole.
    """
    recording = published.recording
    machine, mark = Machine(recording), ""
    seen: set[tuple[str, bytes]] = set()
    for number, done in enumerate(recording.done):
        if done.kind == "M":
            mark = done.text.decode()
        elif not machine.do(done):
            continue
        for disk in power_cuts(machine, chance, samples):
            if (key := (mark, hash_of(disk))) in seen:
                continue
            seen.add(key)
            yield look(published, disk, mark, folder / "cut", f"after {number}, {done.kind}")
    assert machine.disk(machine.pieces()) == recording.after, "not all of it was recorded"


def torture_forms(place: Path | None, samples: int, seed: int) -> Iterator[Cut]:
    """Yield what each disk came to, in each journal mode with each form of the content.

    Raises: PowerCutHarms.
    """
    for number, (mode, form) in enumerate((mode, form) for form in FORMS for mode in MODES):
        with tempfile.TemporaryDirectory(prefix="bbmigrate-power-", dir=place) as name:
            published = publish_recorded(Path(name), mode, form)
            yield from torture_power(published, Path(name), samples, random.Random(seed + number))


def look(published: Published, disk: Disk, mark: str, folder: Path, when: str) -> Cut:
    """Return what SQLite finds on ``disk``.

    Raises: PowerCutHarms when it may not be so after ``mark``.
    """
    found = content_of(disk, folder)
    content = published.contents.get(found, found)
    where = f"{published.mode}, {published.form}, {mark or 'locks'}, {when}"
    allowed = MAY_HOLD.get(mark, {"new"})
    if content not in allowed or (mark and disk.get(BACKUP) != published.recording.after[BACKUP]):
        raise PowerCutHarms(disk, f"{where}: the database is {content}: {sorted(disk)}")
    return Cut(published.mode, published.form, mark, content)


class PowerCutHarms(AssertionError):
    """Raised when a power cut leaves what it may not; ``disk`` is that."""

    def __init__(self, disk: Disk, text: str) -> None:
        self.disk = disk
        super().__init__(text)


def hash_of(disk: Disk) -> bytes:
    """Return a hash of what is in each file."""
    digest = blake2b()
    for name, content in sorted(disk.items()):
        digest.update(repr((name, len(content))).encode() + content)
    return digest.digest()


def without_syncs(published: Published) -> Published:
    """Return what the recording would be if nothing were ever synced."""
    recording = published.recording
    done = tuple(done for done in recording.done if done.kind != "S")
    return replace(published, recording=replace(recording, done=done))


def main() -> None:
    """Cut the power as the command line says, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=40, help="At each moment with many choices")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--folder", type=Path, help="Where to put the databases")
    options = parser.parse_args()
    if reason := why_not():
        tell(f"the power was not cut: {reason}")
        return
    tell(f"seed {options.seed}, {options.samples} samples")
    counts: Counter[tuple[str, ...]] = Counter()
    try:
        for cut in torture_forms(options.folder, options.samples, options.seed):
            counts[cut.mode, cut.form, cut.mark or "locks", cut.content] += 1
    except PowerCutHarms as error:
        kept = Path(tempfile.mkdtemp(prefix="bbmigrate-power-", dir=options.folder)) / "disk"
        write_disk(error.disk, kept)
        tell(f"kept in {kept}")
        raise
    tell(f"{counts.total()} disks: each sound, with exactly one content or the other")
    for key, count in counts.items():
        tell(f"{count:6}  {', '.join(key)}")


if __name__ == "__main__":
    main()
