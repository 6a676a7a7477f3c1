"""What a run leaves on disk when the process that holds the lock is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.errors import StepFailed
from tests.core.real_databases import make, make_work, names_in, note_in
from tests.depth import every
from tests.processes import lock_processes

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.reporter import Reporter


def kill_keeper() -> None:
    for process in lock_processes():
        process.kill()


class Killer:
    """A reporter that kills the keeper in the step ``at``, or 'after' it."""

    def __init__(self, at: str) -> None:
        self.at = at

    def begin(self) -> None:
        pass

    def progress(self, step: str, _: float | str, /) -> None:
        if step == self.at == "publish":
            self.at = ""
            kill_keeper()

    def end(self, step: str, _: str, /) -> None:
        if self.at == f"after {step}":
            kill_keeper()

    def fail(self, *_: object) -> None:
        pass

    def conclude(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("mode", every(2, ["delete", "wal"]))
@pytest.mark.parametrize("at", ["after lock", "after backup", "publish", "after publish"])
def test_a_backup_is_kept_only_of_what_is_not_there_any_more(
    tmp_path: Path, mode: str, at: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "data").mkdir()
    real = make(tmp_path / "data" / "real.db", "old", rows=24, mode=mode)
    work, digest = make_work(tmp_path / "outside" / "work.db", rows=24)

    def prepare(_: Path, scratch: Path, __: Reporter) -> PublishableCopy:
        return PublishableCopy(work.rename(scratch / "work.db"), digest)

    with pytest.raises(StepFailed, match=r"was killed by SIGKILL: ") as failed:
        run_change(ContentChange(real, real.parent, lambda _: None, prepare), Killer(at))

    left = note_in(real)
    backups = [name for name in names_in(real.parent) if ".backup." in name]
    assert len(backups) == (left == "new")
    assert all(
        str(failed.value).endswith(f"what it held before is in {real.parent / name}")
        for name in backups
    )
    assert set(names_in(real.parent)) - {"real.db-journal"} == {"real.db", *backups}
    if at != "publish":
        assert left == ("new" if at == "after publish" else "old")
