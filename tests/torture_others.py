"""Have other programs meddle with the files of a ``pytest --bb-apply``, and look at what is left.

    python -m tests.torture_others [--rounds 72] [--deeds 1] [--megabytes 2] [--seed N]

In each round a deed of ``tests/meddling.py`` is done at a random moment of one of the run's steps,
and others after that where more are asked for: to the database, its journal or WAL, the backup, its
note or the working folder. When the run is at its end,

- either the old content is to be found, in the database or in the backup that the last lines name,
  whose command brings it back, or the new content is in the database, as it was verified;
- the run does not say that it is done, or that the database is as it was, where that is not so;
- the exit code is 0 for the new content in the same file, with its mode, and the old in the backup.

Then the database is restored as the last lines say, or not, in turns, and the next run works or
refuses in a sentence, and has not done away with the only copy of the old content.

What is done to the database before it is backed up, or after the lock was given back, or to both it
and the backup, nobody can make good: there the run has to be honest. What is done before the run
has looked at the database is what it was.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

import psutil

from tests.meddling import NAMES_GO, TO_A_FILE, TO_A_FOLDER, TO_A_JOURNAL
from tests.telling import tell
from tests.torture import MODES
from tests.torture_apply import (
    BACKUP,
    FILE_MODE,
    MARK,
    STEPS,
    Project,
    fingerprint,
    journal_mode_of,
    marked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.meddling import Meddle

RUN_SECONDS = 600.0
OWN = {"migrations", "pytest.ini", "test_smoke.py", "__pycache__"}
TRACES = ("Traceback (most recent call last)", "INTERNALERROR")
RESTORES = re.compile(
    r"^(?:restore|undo) +(?:pytest --bb-rollback.*, or )?(.*--bb-restore=.*)$", re.M
)
AS_IT_WAS = re.compile(r"is as it was|nothing was touched")
SIDECARS = ("-journal", "-wal")


@dataclass(frozen=True)
class Deed:
    """What was done, to what, in which step, what had been done by then, and whether in time.

    ``in_time`` is whether the process that holds the lock was there afterwards, or yet to come.
    """

    target: str
    deed: str
    step: str
    in_time: bool
    takes_name: bool = False

    def __str__(self) -> str:
        """In words, such as 'empty of database in publish'."""
        when = "" if self.in_time else ", too late"
        return f"{self.deed} of {self.target} in {self.step}{when}"

    @property
    def is_found_so(self) -> bool:
        """Whether the run may have found the database so when it locked it."""
        return self.target == "database" and self.step in STEPS[: STEPS.index("backup")]

    @property
    def may_be_unseen(self) -> bool:
        """Whether it was done to the backup when that was looked at for the last time, or later."""
        return self.target == "backup" and (self.step == "verify" or not self.in_time)

    @property
    def can_be_made_good(self) -> bool:
        """Whether the run had what it takes: a backup, or the lock on a file that lost its name."""
        begun = STEPS.index(self.step)
        has_backup = begun > STEPS.index("backup")
        has_lock = self.takes_name and begun > STEPS.index("lock")
        return self.target != "database" or (self.in_time and (has_backup or has_lock))


@dataclass(frozen=True)
class Meddled:
    """How one round came out: what was done, the exit code, what the database held then.

    ``after`` is what became of the run after that; ``faults`` are what may not be.
    """

    number: int
    mode: str
    deeds: tuple[Deed, ...]
    code: int
    content: str
    after: str
    faults: tuple[str, ...]


@dataclass
class Said:
    """A session of pytest that has ended: its exit code and what it printed."""

    code: int
    text: str

    @property
    def section(self) -> str:
        """The last lines, about the database."""
        return re.split(r"^=+ real\.db =+$", self.text, flags=re.M)[-1]

    @property
    def command(self) -> str:
        """The command that restores the old content, as it is printed; '' where none is."""
        found = RESTORES.findall(self.section)
        return str(found[-1]) if found else ""

    @property
    def is_traced(self) -> bool:
        return any(trace in self.text for trace in TRACES)


@dataclass
class Meddling(Project):
    """A project whose runs are meddled with, ``each`` times a run, beginning in one of ``steps``.

    ``kept`` is which file the database was, and of which mode, when the run locked it.
    """

    faults: list[str] = field(default_factory=list)
    kept: set[tuple[int, int]] = field(default_factory=set)
    each: int = 1
    steps: tuple[str, ...] = STEPS

    def make(self) -> None:
        """Make the project, another database, and what starts pytest by its name."""
        super().make()
        self.other = self.folder / "other.db"
        shutil.copyfile(self.master, self.other)
        with closing(sqlite3.connect(self.other)) as db, db:
            db.execute("UPDATE money SET note = 'of another'")
        program = self.folder / "bin" / "pytest"
        program.parent.mkdir()
        options = "-p pytest_bbmigrate.plugin.hooks -p no:cacheprovider"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pytest {options} "$@"\n')
        program.chmod(0o755)

    def run_meddled(self) -> Meddled:
        """Have one run meddled with, look at what is left, and at the run after that."""
        number, self.rounds = self.rounds, self.rounds + 1
        mode, turn = MODES[number % 2], number // 2
        self.faults = []
        self.set_up(mode)
        with self.started() as (run, _):
            self.wait_for(run, self.steps[turn % len(self.steps)])
            deeds = [self.meddle(run)]
            while len(deeds) < self.each and run.poll() is None:
                time.sleep(self.random.uniform(0, 2 * self.lasted[deeds[0].step]))
                deeds.append(self.meddle(run))
            run.wait(RUN_SECONDS)
        self.wait_for_the_end()
        said = Said(run.returncode, self.log.read_text())
        content = self.content()
        self.judge(said, deeds, mode, content)
        after = self.go_on(said, deeds, content, restores=turn // len(self.steps) % 2 == 0)
        return Meddled(number, mode, tuple(deeds), said.code, content, after, tuple(self.faults))

    def set_up(self, mode: str) -> None:
        """Put the old content into a new file, in journal mode ``mode``; clear all else."""
        for path in self.place.iterdir():
            if path.name not in OWN:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copyfile(self.master, self.real)
        self.real.chmod(FILE_MODE)
        with closing(sqlite3.connect(self.real)) as db:
            assert db.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode,)
        self.kept = {state_of(self.real)}

    def targets(self) -> Iterator[tuple[str, Path, tuple[Meddle, ...]]]:
        """Yield what there is to meddle with: what it is called, where, and what is done to it."""
        yield "database", self.real, TO_A_FILE
        for path in self.place.iterdir():
            if BACKUP.fullmatch(path.name):
                yield "backup", path, TO_A_FILE
            elif path.name.startswith(".real.db.backup."):
                yield "note", path, TO_A_FILE
            elif path.name.startswith(".real.db.bbmigrate-"):
                yield "working folder", path, TO_A_FOLDER
            elif path.name.endswith(SIDECARS):
                yield "journal", path, TO_A_JOURNAL

    def meddle(self, run: subprocess.Popen[bytes]) -> Deed:
        """Do something to one of the files that there are, most often to the database."""
        there = sorted(self.targets(), key=lambda target: target[:2])
        kind = self.random.choice(["database", *dict.fromkeys(target for target, _, _ in there)])
        target, path, deeds = self.random.choice([found for found in there if found[0] == kind])
        deed, step = self.random.choice(deeds), self.step()
        with suppress(OSError):  # the run was quicker, or another deed
            deed(path, self.other, self.random)
        if step in STEPS[: STEPS.index("backup")] and self.real.is_file():
            self.kept.add(state_of(self.real))  # the run may have found it so
        is_to_come = self.step() in STEPS[: STEPS.index("backup")]
        in_time = (is_to_come or self.is_locked()) and run.poll() is None
        return Deed(target, deed.__name__, step, in_time, deed in NAMES_GO)

    def is_locked(self) -> bool:
        """Return whether the process that holds the lock is there."""
        for process in marked(self.environment[MARK]):
            with suppress(psutil.Error):
                if "apply.lock.server" in " ".join(process.cmdline()):
                    return process.status() != psutil.STATUS_ZOMBIE
        return False

    def content(self, path: Path | None = None) -> str:
        """Return what ``path``, the database by default, holds: 'old', 'new' or what else."""
        path = path or self.real
        if not path.is_file():
            return "gone"
        copy = self.folder / "copy" / "real.db"
        copy.parent.mkdir()
        try:
            for suffix in ("", *SIDECARS):
                beside = path.with_name(f"{path.name}{suffix}")
                if beside.is_file():
                    shutil.copyfile(beside, f"{copy}{suffix}")
            found = fingerprint(copy)
        except (sqlite3.Error, AssertionError):
            return "broken"
        finally:
            shutil.rmtree(copy.parent)
        return {self.old: "old", self.new: "new"}.get(found, "other")

    def is_same_file(self) -> bool:
        """Return whether the database has the file and the mode that it had."""
        return self.real.is_file() and state_of(self.real) in self.kept

    def find(self, fault: str) -> None:
        """Take down what may not be."""
        self.faults.append(fault)

    def judge(self, said: Said, deeds: Sequence[Deed], mode: str, content: str) -> None:
        """Hold what the run said against what is on the disk."""
        if said.is_traced:
            self.find("a traceback was printed")
        if said.section == said.text:
            self.find("no last lines about the database")
        in_time = all(deed.in_time for deed in deeds)
        if in_time:
            self.judge_words(said, deeds, content)
        if in_time and not any(deed.is_found_so for deed in deeds) and said.code == 0:
            self.judge_success(mode, content)
        self.judge_backup(said, deeds, content)

    def judge_words(self, said: Said, deeds: Sequence[Deed], content: str) -> None:
        """Hold the last lines against the database."""
        is_as_it_was = content == "old" and self.is_same_file()
        may_be_so = any(deed.step in {"preflight", "lock"} for deed in deeds) or is_as_it_was
        if AS_IT_WAS.search(said.section) and not may_be_so:
            self.find(f"it is said to be as it was, and is {content}, as {self.described()}")
        if "holds what was verified" in said.section and content != "new":
            self.find(f"it is said to hold what was verified, and is {content}")

    def judge_success(self, mode: str, content: str) -> None:
        """Hold the exit code 0 against the database."""
        if content != "new" or not self.is_same_file():
            self.find(f"exit code 0, and the database is {content}, as {self.described()}")
        elif journal_mode_of(self.real) != mode:
            self.find(f"left in journal mode {journal_mode_of(self.real)}, it was {mode}")

    def judge_backup(self, said: Said, deeds: Sequence[Deed], content: str) -> None:
        """See that the old content is where the last lines say, where it is not in the database."""
        backup = self.named_backup(said)
        is_touched = any(deed.is_found_so or deed.may_be_unseen for deed in deeds)
        if backup is not None and self.content(backup) != "old" and not is_touched:
            self.find(f"the backup that is named is {self.content(backup)}")
        can_be_made_good = all(deed.can_be_made_good for deed in deeds) and not (
            len(deeds) > 1 and any(deed.target in {"backup", "note"} for deed in deeds)
        )
        if content not in {"old", "new"} and can_be_made_good and not said.command:
            self.find(f"the database is {content}, and no command restores it")

    def described(self) -> str:
        """Return which file the database is, in words."""
        if not os.path.lexists(self.real):
            return "no file"
        inode, mode = state_of(self.real)
        which = "the same file" if inode in dict(self.kept) else "another file"
        return f"{which} of mode {mode:o}"

    def named_backup(self, said: Said) -> Path | None:
        """Return the backup whose command the last lines give, None where they give none."""
        named = re.search(r"--bb-restore=(\S+)", said.command)
        return self.place / named[1] if named else None

    def go_on(self, said: Said, deeds: Sequence[Deed], content: str, *, restores: bool) -> str:
        """Restore what the last lines say, or not; run again; return what that came to."""
        backup = self.named_backup(said)
        has_old = backup is not None and self.content(backup) == "old"
        if restores and said.command and has_old:
            return self.restore(said, deeds)
        again = self.session("pytest --bb-apply --bb-skip-way-back -v")
        if again.is_traced:
            self.find(f"the next run printed a traceback\n{again.text}")
        found = self.content()
        if again.code == 0 and found != "new" and content in {"old", "new"}:
            self.find(f"the next run ended with 0, and the database is {found}\n{again.text}")
        if again.code != 0 and not re.search(r"^E  |FAILED|^ERROR", again.text, re.M):
            self.find(f"the next run does not say why it failed\n{again.text}")
        if has_old and backup is not None and self.content(backup) != "old":
            self.find(f"after the next run the backup is {self.content(backup)}\n{again.text}")
        if content == "old" and found not in {"old", "new"}:
            self.find(f"the next run has left the database {found}\n{again.text}")
        return f"again {again.code}: {found}"

    def restore(self, said: Said, deeds: Sequence[Deed]) -> str:
        """Do what the last lines say, see that it is as it was, and run again."""
        restored = self.session(said.command)
        found = self.content()
        is_to_be_old = all(deed.in_time and not deed.is_found_so for deed in deeds)
        if is_to_be_old and (restored.code != 0 or found != "old"):
            self.find(
                f"the command that is named ended with {restored.code}: {found}\n{restored.text}"
            )
        if restored.is_traced:
            self.find(f"the command that is named printed a traceback\n{restored.text}")
        if found != "old":
            return f"restore {restored.code}: {found}"
        again = self.session("pytest --bb-apply --bb-skip-way-back -v")
        if again.code != 0 or self.content() != "new":
            self.find(f"after restoring it does not apply\n{again.text}")
        return f"restored, again {again.code}: {self.content()}"

    def session(self, command: str) -> Said:
        """Run ``command`` as a shell does, in the project."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.place,
            env={**self.environment, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Said(done.returncode, f"$ {command}\n{done.stdout}")

    def keep(self, place: Path, found: Meddled) -> Path:
        """Keep what a round has left that found a fault; return where."""
        kept = place / f"round-{found.number}"
        shutil.copytree(self.place, kept, symlinks=True)
        shutil.copyfile(self.log, kept / "log")
        return kept


def state_of(path: Path) -> tuple[int, int]:
    """Return which file ``path`` is, and its mode."""
    status = path.lstat()
    return status.st_ino, S_IMODE(status.st_mode)


def torture_others(
    project: Meddling, rounds: int, until: float = 0, first: int = 0
) -> Iterator[Meddled]:
    """Yield what each round came to; fewer when the clock passes ``until``."""
    project.rounds = first
    while project.rounds < first + rounds and (not until or time.monotonic() < until):
        yield project.run_meddled()


def main() -> None:
    """Meddle as the command line says, and print each round and the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8 * len(STEPS))
    parser.add_argument("--deeds", type=int, default=1, help="In each round")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS, help="To begin in")
    parser.add_argument("--megabytes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=0, help="End after this time; 0 for never")
    parser.add_argument("--first", type=int, default=0, help="The round to begin with")
    parser.add_argument("--folder", type=Path, help="Where to put the database")
    options = parser.parse_args()
    tell(f"seed {options.seed}, {options.megabytes} MB, other programs meddle")
    until = time.monotonic() + options.minutes * 60 if options.minutes else 0
    place = options.folder or Path(tempfile.gettempdir())
    rounds: list[Meddled] = []
    with tempfile.TemporaryDirectory(prefix="bbmigrate-torture-", dir=place) as folder:
        project = Meddling(Path(folder), options.megabytes, options.seed)
        project.each, project.steps = options.deeds, tuple(options.steps)
        for found in torture_others(project, options.rounds, until, options.first):
            rounds.append(found)
            deeds = ", then ".join(map(str, found.deeds))
            ends = f"exit code {found.code}, {found.content}; {found.after}"
            tell(f"{found.number:5}  {found.mode:6}  {deeds}: {ends}")
            for fault in found.faults:
                tell(f"       FAULT: {fault}")
            if found.faults:
                tell(f"       kept in {project.keep(Path(tempfile.mkdtemp(dir=place)), found)}")
    report(rounds)
    sys.exit(any(found.faults for found in rounds))


def report(rounds: list[Meddled]) -> None:
    """Print the counts."""
    faulty = sum(bool(found.faults) for found in rounds)
    tell(f"{len(rounds)} rounds, {faulty} of them with a fault")
    keys: dict[str, Callable[[Meddled], tuple[object, ...]]] = {
        "mode, exit code, content": lambda found: (found.mode, found.code, found.content),
        "target, exit code, content": lambda f: (f.deeds[0].target, f.code, f.content),
        "step": lambda found: (found.deeds[0].step, found.code, found.content),
        "after": lambda found: (found.after,),
    }
    for name, key in keys.items():
        tell(name)
        for values, count in sorted(Counter(map(key, rounds)).items(), key=str):
            tell(f"{count:5}  {', '.join(map(str, values))}")


if __name__ == "__main__":
    main()
