"""Programs that ask SQLite for no lock, at work on the database while a run has it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.choose_backup import ChosenBackup, choose_backup
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.apply.what_is_left import Content, FileFound
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.sqlite_files import digest_of
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from tests.core.damages import (
    DAMAGES,
    garble,
    move_away,
    move_the_folder,
    overwrite,
    remove,
    replace_by_another,
    replace_by_its_own_copy,
    truncate,
)
from tests.core.real_databases import make, make_work, mode_of, names_in, note_in
from tests.depth import every
from tests.processes import lock_processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.reporter import Reporter
    from tests.core.damages import Damage


damages = pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)


@dataclass
class Intruder:
    """Reports nothing, and does its ``damage`` when the step ``after`` is done."""

    real: Path
    damage: Damage
    after: str = ""
    failed: list[str] = field(default_factory=list)
    left: FileFound | None = None

    def begin(self) -> None:
        pass

    def progress(self, step: str, _: float | str, /) -> None:
        if self.after == f"in {step}":
            self.after = ""
            self.damage(self.real)

    def end(self, step: str, _: str, /) -> None:
        if step == self.after:
            self.damage(self.real)

    def fail(self, step: str, error: StepFailed, /) -> None:
        self.failed.append(f"{step}: {error}")

    def conclude(self, left: FileFound, /) -> None:
        self.left = left


class Bench:
    """A database in a folder of its own, and a run on it."""

    def __init__(self, tmp_path: Path, mode: str = "delete", rows: int = 1) -> None:
        self.tmp_path = tmp_path
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        self.real = make(self.folder / "real.db", "old", mode=mode, rows=rows)
        self.work, self.digest = make_work(tmp_path / "work.db", rows=rows)

    def run(
        self, intruder: Intruder, end: BaseException | None = None, *, publishes: bool = True
    ) -> Path | None:
        """Go through a run that ends with ``end`` once it has a backup."""

        def prepare(_: Path, scratch: Path, __: Reporter) -> PublishableCopy:
            with suppress(FileNotFoundError):  # the folder was moved
                shutil.copyfile(self.work, scratch / "work.db")
            intruder.end("prepare", "")
            if end is not None:
                raise end
            return PublishableCopy(scratch / "work.db", self.digest)

        change = ContentChange(self.real, self.folder, lambda _: None, prepare, publishes=publishes)
        return run_change(change, intruder)

    @property
    def backups(self) -> list[Path]:
        return sorted(self.tmp_path.glob("*/real.db.backup.*"))

    def restore(self, left: FileFound) -> None:
        """Do what the command says that is told."""
        *first, last = left.restore_command().split(" && ")
        for command in first:
            os.system(command)
        program, named, *flags = shlex.split(last)
        assert program == "pytest"
        name, discard = named.removeprefix("--bb-restore="), bool(flags)
        choice = choose_backup(self.real, self.folder, name, self.tmp_path, discard=discard)
        restore_backup(self.real, self.folder, choice, Intruder(self.real, remove), discard=discard)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path)


def assert_only_copy_is_kept(
    bench: Bench, left: FileFound | None, name: NameTarget, words: str
) -> None:
    """Assert that the backup holds what there was, and that this is told."""
    assert left is not None
    assert left.name is name
    before, _, after = words.partition("*")
    assert str(left).startswith(f"real.db {before}")
    assert after in str(left)
    assert bench.backups == [left.backup]
    assert note_in(bench.backups[0]) == "old"


@damages
def test_a_backup_outlives_what_is_done_to_the_database_and_is_restored_as_told(
    bench: Bench, damage: Damage
) -> None:
    intruder = Intruder(bench.real, damage, "backup")
    with pytest.raises(StepFailed, match="a migration failed"):
        bench.run(intruder, StepFailed("a migration failed"))

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])
    assert intruder.left is not None
    bench.restore(intruder.left)
    assert note_in(bench.real) == "old"


@damages
def test_nothing_is_published_where_the_database_is_not_what_was_backed_up(
    bench: Bench, damage: Damage
) -> None:
    intruder = Intruder(bench.real, damage, "prepare")
    with pytest.raises(StepFailed, match=r"; nothing was published|No such file or directory"):
        bench.run(intruder)

    assert [step.split(":")[0] for step in intruder.failed] == ["publish"]
    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("damage", [remove, truncate, overwrite])
def test_a_backup_outlives_a_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, mode: str
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, mode)
    intruder = Intruder(bench.real, damage, "prepare")
    with pytest.raises(KeyboardInterrupt):
        bench.run(intruder, KeyboardInterrupt())

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])


@pytest.mark.parametrize("damage", [remove, replace_by_its_own_copy, truncate, garble])
def test_a_rehearsal_whose_database_changes_fails_and_keeps_its_backup(
    bench: Bench, damage: Damage
) -> None:
    intruder = Intruder(bench.real, damage, "prepare")
    with pytest.raises(StepFailed, match=r"real\.db is "):
        bench.run(intruder, publishes=False)

    assert [step.split(":")[0] for step in intruder.failed] == ["verify"]
    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])


@pytest.mark.parametrize("after", ["lock", "in backup"])
def test_what_is_removed_before_there_is_a_backup_is_backed_up_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, rows=10)
    intruder = Intruder(bench.real, remove, after)
    with pytest.raises(StepFailed, match=r"real\.db is gone"):
        bench.run(intruder)

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[remove])


def test_what_is_removed_while_it_is_backed_up_is_backed_up_despite_a_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove_and_interrupt(real: Path) -> None:
        real.unlink()
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, rows=10)
    intruder = Intruder(bench.real, remove_and_interrupt, "in backup")
    with pytest.raises(KeyboardInterrupt):
        bench.run(intruder)

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[remove])


@pytest.mark.parametrize("damage", [overwrite, truncate])
def test_what_is_written_to_before_there_is_a_backup_is_never_as_it_was(
    bench: Bench, damage: Damage
) -> None:
    intruder = Intruder(bench.real, damage, "lock")
    with pytest.raises(StepFailed):
        bench.run(intruder)

    assert intruder.left is not None
    assert not intruder.left.is_as_it_was
    assert intruder.failed[0].startswith("backup: ")


@pytest.mark.parametrize("damage", [remove, move_away, replace_by_another, move_the_folder])
@pytest.mark.parametrize("after", every(2, ["in publish", "publish"]))
def test_a_publish_into_a_file_without_its_name_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, after: str
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, rows=10 if after == "in publish" else 1)
    intruder = Intruder(bench.real, damage, after)
    with pytest.raises(StepFailed, match=r"real\.db is (gone|another)"):
        bench.run(intruder)

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])


@pytest.mark.parametrize("damage", [truncate, overwrite, garble])
def test_what_is_written_over_what_was_published_is_set_right(bench: Bench, damage: Damage) -> None:
    intruder = Intruder(bench.real, damage, "publish")
    with pytest.raises(StepFailed, match="what was published did not verify"):
        bench.run(intruder)

    assert str(intruder.left) == "real.db is as it was"
    assert note_in(bench.real) == "old"
    assert [note_in(backup) for backup in bench.backups] == ["old"]
    for failed in bench.folder.glob("real.db.failed.*"):
        assert stat.S_IMODE(failed.stat().st_mode) == 0o600


def test_a_publish_without_its_journal_is_not_begun(bench: Bench) -> None:
    intruder = Intruder(bench.real, lambda real: real.with_name("real.db-journal").unlink())
    intruder.after = "prepare"
    with pytest.raises(StepFailed, match="something removed its journal while this run was at"):
        bench.run(intruder)

    assert str(intruder.left) == "real.db is as it was"
    assert note_in(bench.real) == "old"
    assert bench.backups == []


def test_a_wal_that_is_removed_takes_nothing_with_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "wal")
    wal = bench.real.with_name("real.db-wal")
    intruder = Intruder(bench.real, lambda _: wal.unlink(), "prepare")

    backup = bench.run(intruder)

    assert backup is not None
    assert note_in(bench.real) == "new"
    assert note_in(backup) == "old"
    assert mode_of(bench.real) == "wal"


@pytest.mark.parametrize("end", [None, StepFailed("a migration failed")])
def test_another_mode_is_undone_and_told(bench: Bench, end: StepFailed | None) -> None:
    bench.real.chmod(0o640)
    intruder = Intruder(bench.real, lambda real: real.chmod(0o666), "backup")
    try:
        bench.run(intruder, end)
    except StepFailed as error:
        assert error is end  # noqa: PT017 - one case of two

    assert stat.S_IMODE(bench.real.stat().st_mode) == 0o640
    assert intruder.left is not None
    assert intruder.left.notes == (
        "its mode was changed to 666 while this run was at work: it is 640 again",
    )
    assert note_in(bench.real) == ("old" if end else "new")


@pytest.mark.parametrize("damage", [remove, truncate, overwrite, replace_by_its_own_copy])
def test_a_killed_keeper_is_no_reason_to_remove_a_backup(bench: Bench, damage: Damage) -> None:
    def kill_and_damage(real: Path) -> None:
        (client,) = lock_processes()
        client.kill()
        while client.status() != psutil.STATUS_ZOMBIE:
            pass
        damage(real)

    intruder = Intruder(bench.real, kill_and_damage, "prepare")
    with pytest.raises(StepFailed, match="was killed by SIGKILL: nothing was published, and real"):
        bench.run(intruder)

    assert_only_copy_is_kept(bench, intruder.left, *DAMAGES[damage])


def test_a_run_that_nobody_disturbs_leaves_no_backup_when_it_fails(bench: Bench) -> None:
    intruder = Intruder(bench.real, remove, "never")
    with pytest.raises(StepFailed, match="a migration failed"):
        bench.run(intruder, StepFailed("a migration failed"))

    assert intruder.left == FileFound(bench.real, NameTarget.SAME, Content.AS_BEFORE)
    assert names_in(bench.folder) == ["real.db"]
    assert digest_of(bench.work) == bench.digest


def test_room_that_a_program_keeps_at_the_end_of_a_file_is_no_content(bench: Bench) -> None:
    with bench.real.open("ab") as file:
        file.write(bytes(8192))

    backup = bench.run(Intruder(bench.real, remove, "never"))

    assert backup is not None
    assert note_in(bench.real) == "new"


def test_a_second_ctrl_c_while_the_end_is_looked_at_leaves_the_backup_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LockClient, "inspect", interrupt)
    intruder = Intruder(bench.real, remove, "prepare")
    with pytest.raises(KeyboardInterrupt):
        bench.run(intruder, KeyboardInterrupt())

    assert str(intruder.left) == (
        "real.db could not be looked at (the run was stopped before it was)"
    )
    assert intruder.left is not None
    assert bench.backups == [intruder.left.backup]
    assert note_in(bench.backups[0]) == "old"


@pytest.mark.parametrize("damage", [remove, replace_by_another])
def test_an_empty_database_whose_file_goes_is_not_published_over(
    tmp_path: Path, damage: Damage
) -> None:
    real = tmp_path / "real.db"
    work, digest = make_work(tmp_path / "work.db")
    intruder = Intruder(real, damage, "prepare")

    def prepare(_: Path, scratch: Path, __: Reporter) -> PublishableCopy:
        intruder.end("prepare", "")
        return PublishableCopy(work.rename(scratch / "work.db"), digest)

    real.touch()
    change = ContentChange(real, tmp_path, lambda _: None, prepare, keeps_backup=False)
    with pytest.raises(StepFailed, match=r"real\.db is "):
        run_change(change, intruder)

    assert names_in(tmp_path) == ([] if damage is remove else ["real.db"])
    assert damage is remove or note_in(real) == "another"
    assert intruder.left is not None
    assert intruder.left.backup is None


def test_a_backup_of_what_is_removed_while_it_is_made_is_kept(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=10)
    real.chmod(0o640)

    backup, note = back_up_now(real, tmp_path, lambda _: real.unlink(missing_ok=True))

    assert note == "real.db is not there any more, or another file is: this backup is of what was"
    assert note_in(backup) == "old"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640


def test_a_backup_of_what_is_written_to_while_it_is_read_as_at_rest_is_none(
    tmp_path: Path,
) -> None:
    real = make(tmp_path / "real.db", "old", rows=10, mode="wal")

    with pytest.raises(DatabaseError, match="another program wrote to it while it was read"):
        back_up_now(real, tmp_path, lambda _: os.utime(real))

    assert names_in(tmp_path) == ["real.db"]


def test_a_database_with_broken_pages_is_restored_where_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path, rows=2)
    backup, _ = back_up_now(bench.real, bench.folder, lambda _: None)
    with bench.real.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 200)
    left = FileFound(bench.real, NameTarget.SAME, Content.OTHER, "", backup)

    with pytest.raises(StepFailed, match="what the database holds cannot be read as an SQLite"):
        restore_backup(bench.real, bench.folder, ChosenBackup(backup), Intruder(bench.real, remove))
    bench.restore(left)

    assert note_in(bench.real) == "old"
    assert len(bench.backups) == 2  # what was broken is kept as well


@pytest.fixture
def locked_out() -> Iterator[Damage]:
    """Return what keeps this process, root or not, from looking into the database's folder."""
    folders: list[Path] = []

    def lock_out(real: Path) -> None:
        folders.append(real.parent)
        real.parent.chmod(0)
        if os.getuid() == 0:
            os.seteuid(65534)

    yield lock_out
    os.seteuid(os.getuid())
    for folder in folders:
        folder.chmod(0o700)


def test_a_backup_that_cannot_be_looked_at_any_more_is_named_all_the_same(
    bench: Bench, locked_out: Damage
) -> None:
    intruder = Intruder(bench.real, locked_out, "prepare")
    with pytest.raises(StepFailed, match="a migration failed"):
        bench.run(intruder, StepFailed("a migration failed"))
    os.seteuid(os.getuid())
    bench.folder.chmod(0o700)

    assert intruder.left is not None
    assert bench.backups == [intruder.left.backup]
    assert note_in(bench.backups[0]) == note_in(bench.real) == "old"
    assert any("cannot be looked at" in note for note in intruder.left.notes)


def test_a_backup_whose_note_is_gone_is_not_left_unnamed(bench: Bench) -> None:
    def remove_note(_: Path) -> None:
        for backup in bench.backups:
            note_beside(backup).unlink()

    intruder = Intruder(bench.real, remove_note, "prepare")
    with pytest.raises(StepFailed, match="a migration failed"):
        bench.run(intruder, StepFailed("a migration failed"))

    assert intruder.left is not None
    assert intruder.left.is_as_it_was
    assert bench.backups == [intruder.left.backup]


def test_copies_of_the_data_that_cannot_be_removed_are_told(
    bench: Bench, locked_out: Damage
) -> None:
    intruder = Intruder(bench.real, locked_out, "verify")
    bench.run(intruder)
    os.seteuid(os.getuid())
    bench.folder.chmod(0o700)

    (folder,) = bench.folder.glob(".real.db.bbmigrate-*")
    assert intruder.left is not None
    assert intruder.left.notes == (
        f"copies of the data in {folder} cannot be removed: remove that folder",
    )
