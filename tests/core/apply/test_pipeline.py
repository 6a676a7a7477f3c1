"""The last steps of a run: what is reported of them, and what they leave."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.keeper import Keeper
from pytest_bbmigrate.apply.model import StepFailed
from pytest_bbmigrate.apply.pipeline import Change, Prepared, carry_out
from pytest_bbmigrate.database import digest_of
from tests.core.real_databases import fill_up, make, make_work, mode_of, note_in, small_disk

if TYPE_CHECKING:
    from pathlib import Path


class Reporter:
    """Keeps what is reported; fills the disk up, when it is given one, after the publish."""

    def __init__(self, disk: Path | None = None) -> None:
        self.disk = disk
        self.steps: list[str] = []

    def begin(self) -> None:
        pass

    def progress(self, step: str, done: float | str) -> None:
        pass

    def end(self, step: str, detail: str) -> None:
        self.steps.append(f"{step}: {detail}")
        if step == "publish" and self.disk:
            fill_up(self.disk)

    def fail(self, step: str, error: StepFailed) -> None:
        self.steps.append(f"{step} failed: {error}")


def publish(real: Path, work: Path, reporter: Reporter) -> Path | None:
    """Put the content of ``work`` into ``real``."""

    def prepare(_: Path, folder: Path, __: object) -> Prepared:
        copy = folder / "work.db"
        shutil.copyfile(work, copy)
        return Prepared(copy, digest_of(copy))

    change = Change(real, real.parent, inspect=lambda _: None, prepare=prepare)
    return carry_out(change, reporter)


def test_a_disk_that_fills_up_after_the_publish_has_room_for_the_journal_mode(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 60) as disk:
        real = make(disk / "real.db", "old", rows=9, mode="wal")
        work, _ = make_work(tmp_path / "new.db", rows=9)
        reporter = Reporter(disk)

        publish(real, work, reporter)

        assert reporter.steps[-1] == "verify: the database holds exactly what was verified"
        assert mode_of(real) == "wal"
        (disk / "filling").unlink()
        assert note_in(real) == "new"


def test_a_journal_mode_that_cannot_be_put_back_is_no_fault_of_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Keeper) -> None:
        raise StepFailed("real.db: it is in journal_mode delete now")

    work, _ = make_work(tmp_path / "new.db", rows=9)
    monkeypatch.setattr(Keeper, "restore_mode", fail)
    with small_disk(tmp_path / "disk", 60) as disk:
        real = make(disk / "real.db", "old", rows=9, mode="wal")
        reporter = Reporter(disk)
        with pytest.raises(StepFailed):
            publish(real, work, reporter)

        assert reporter.steps[-1] == (
            "verify failed: what was published is verified, and kept; but real.db: it is in "
            "journal_mode delete now"
        )
        assert mode_of(real) == "wal"  # when the lock was given back
        (disk / "filling").unlink()
        assert note_in(real) == "new"
