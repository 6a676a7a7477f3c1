"""The last steps of a run: what is reported of them, and what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.errors import StepFailed
from tests.core.publishing import Reporter, publish
from tests.core.real_databases import make, make_work, mode_of, note_in, small_disk

if TYPE_CHECKING:
    from pathlib import Path


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
    def fail(_: LockClient) -> None:
        raise StepFailed("real.db: it is in journal_mode delete now")

    work, _ = make_work(tmp_path / "new.db", rows=9)
    monkeypatch.setattr(LockClient, "restore_mode", fail)
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
