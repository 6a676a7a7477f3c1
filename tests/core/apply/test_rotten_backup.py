"""A backup that is not what it was when it was made: what a run does then, and says."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply import steps as pipeline
from pytest_bbmigrate.apply.backup_condition import backup_problems, restore_obstacle
from pytest_bbmigrate.apply.backup_owners import note_on
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.choose_backup import ChosenBackup
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files import digest_of
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import backup_fault
from tests.core.publishing import Reporter
from tests.core.real_databases import make, make_work, names_in, note_in
from tests.processes import lock_processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rot = Callable[[Path], object]


def flip(backup: Path) -> None:
    """Flip one bit of a value."""
    content = bytearray(backup.read_bytes())
    content[content.index(b"old 0")] ^= 1
    backup.write_bytes(content)


def cut(backup: Path) -> None:
    os.truncate(backup, 4096)


def replace(backup: Path) -> None:
    """Put another database in its place, and a time like its own."""
    times = backup.stat().st_atime_ns, backup.stat().st_mtime_ns
    backup.unlink()
    make(backup, "odd")
    os.utime(backup, ns=times)


def write_beside(backup: Path) -> None:
    backup.with_name(f"{backup.name}-wal").write_bytes(b"frames")


ROTS = [flip, cut, replace, write_beside, os.unlink]
SAID = "it is not what it was when it was made ("


def change(real: Path, work: Path, rot: Rot = lambda _: None) -> ContentChange:
    """Return the change that publishes ``work``; ``rot`` gets the backup before that."""

    def prepare(backup: Path, folder: Path, _: object) -> PublishableCopy:
        shutil.copyfile(work, folder / "work.db")
        rot(backup)
        return PublishableCopy(folder / "work.db", digest_of(work))

    return ContentChange(real, real.parent, check_history=lambda _: None, prepare=prepare)


def backup_of(real: Path) -> Path:
    """Return the one backup of ``real``, be it there or not."""
    (note,) = real.parent.glob(f".{real.name}.backup.*.json")
    return real.with_name(note.name.removeprefix(".").removesuffix(".json"))


class Rotter(Reporter):
    """Has the backup rot when the step ``at`` is done."""

    def __init__(self, at: str, rot: Rot, real: Path) -> None:
        super().__init__()
        self.at, self.rot, self.real = at, rot, real

    def end(self, step: str, detail: str) -> None:
        super().end(step, detail)
        if step == self.at:
            self.rot(backup_of(self.real))


@pytest.mark.parametrize("rot", ROTS)
def test_nothing_is_published_when_it_has_rotted_before(tmp_path: Path, rot: Rot) -> None:
    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")
    reporter = Reporter()

    with pytest.raises(StepFailed, match="nothing was published: find out what has written") as e:
        run_change(change(real, work, rot), reporter)

    assert note_in(real) == "old"
    assert SAID in str(e.value)
    assert "--bb-restore" not in str(e.value)
    assert reporter.steps[-1].startswith("publish failed: ")


def test_what_is_there_under_its_name_and_is_not_the_backup_is_left(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")

    with pytest.raises(StepFailed):
        run_change(change(real, work, replace), Reporter())

    assert note_in(backup_of(real)) == "odd"


@pytest.mark.parametrize("rot", ROTS)
def test_it_is_no_way_back_when_it_has_rotted_afterwards(tmp_path: Path, rot: Rot) -> None:
    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")
    reporter = Rotter("publish", rot, real)

    with pytest.raises(StepFailed) as failed:
        run_change(change(real, work), reporter)

    backup = backup_of(real)
    assert note_in(real) == "new"
    assert str(failed.value).startswith(
        "what was published is verified, and kept; but the backup cannot be relied on: "
        f"{backup}: {SAID}"
    )
    assert "--bb-restore" not in str(failed.value)
    assert SAID in restore_obstacle(backup)
    (problem,) = backup_problems(real, tmp_path)
    assert problem.startswith(f"{backup}: {SAID}")


def test_it_is_not_named_when_the_process_with_the_lock_was_killed(tmp_path: Path) -> None:
    def rot_and_kill(backup: Path) -> None:
        flip(backup)
        for process in lock_processes():
            process.kill()

    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")

    with pytest.raises(StepFailed) as failed:
        run_change(change(real, work), Rotter("publish", rot_and_kill, real))

    assert f"{backup_of(real)} is no backup of it any more: its SHA-256 was" in str(failed.value)
    assert "--bb-restore" not in str(failed.value)


def test_a_restore_refuses_what_has_rotted_since_it_was_chosen(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    backup, _ = back_up_now(real, tmp_path, lambda _: None)
    chosen = ChosenBackup(backup, note_on(backup))
    flip(backup)

    with pytest.raises(StepFailed, match=r"something has written to it just now: its SHA-256 was"):
        restore_backup(real, tmp_path, chosen, Reporter(), discard=True)

    assert note_in(real) == "old"
    assert names_in(tmp_path) == ["real.db", backup.name]


# ---- the note


def test_a_backup_has_a_note_that_nobody_else_can_read(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    real.chmod(0o644)
    work, _ = make_work(tmp_path / "new.db")

    applied = run_change(change(real, work), Reporter())
    by_hand, _ = back_up_now(real, tmp_path, lambda _: None)

    assert applied is not None
    for backup in (applied, by_hand):
        note = note_on(backup)
        assert note is not None
        assert note.path == str(real)
        assert note.inode == real.stat().st_ino
        assert note.size == backup.stat().st_size
        assert backup_fault(backup, note.digest) == ""
        assert note_beside(backup).stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == ["new.db", "real.db", *sorted((applied.name, by_hand.name))]


@pytest.mark.parametrize("publishes", [True, False])
def test_where_nothing_is_published_no_note_stays(
    tmp_path: Path,
    *,
    publishes: bool,
) -> None:
    def prepare(*_: object) -> PublishableCopy:
        raise StepFailed("a migration loses a row")

    real = make(tmp_path / "real.db", "old")
    with pytest.raises(StepFailed, match="loses a row"):
        run_change(ContentChange(real, tmp_path, lambda _: None, prepare, publishes), Reporter())

    assert [path.name for path in tmp_path.iterdir()] == ["real.db"]


def test_a_backup_of_another_that_has_the_name_first_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")
    other = make(tmp_path / "other" / "real.db", "theirs")
    theirs, _ = back_up_now(other, tmp_path, lambda _: None)
    before = theirs.read_bytes(), note_beside(theirs).read_bytes()
    monkeypatch.setattr(pipeline, "backup_path", lambda *_: theirs)

    with pytest.raises(StepFailed, match="is there already, and nothing is overwritten"):
        run_change(change(real, work), Reporter())

    assert (theirs.read_bytes(), note_beside(theirs).read_bytes()) == before
    assert note_in(real) == "old"

    theirs.unlink()  # its note alone has the name
    with pytest.raises(StepFailed, match="is there already, and nothing is overwritten"):
        run_change(change(real, work), Reporter())

    assert note_beside(theirs).read_bytes() == before[1]
    assert not theirs.exists()
