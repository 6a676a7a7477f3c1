"""A database that is new: its name leads to nothing, or to what was verified."""

from __future__ import annotations

import os
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.run import new_file
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.apply.workspace import clean_up
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files import digest_of
from tests.core.publishing import Reporter
from tests.core.real_databases import MODES, make, mode_of, names_in, note_in
from tests.depth import every
from tests.forks import fork

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Killed(Reporter):
    """Kills the process that reports when it has come to the end of ``step``, if there is one."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    def end(self, step: str, detail: str) -> None:
        super().end(step, detail)
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def run(real: Path, mode: str, step: str = "") -> int:
    """Run a change in a fork, which is killed at the end of ``step``; return its exit code."""
    work = real.with_name("work.db")
    work.unlink(missing_ok=True)
    make(work, "new")
    reporter = Killed(step)

    def prepare(_: Path, folder: Path, __: object) -> PublishableCopy:
        copy = work.rename(folder / "work.db")
        reporter.end("prepare", "")
        return PublishableCopy(copy, digest_of(copy), mode)

    if not (pid := fork()):
        try:
            run_change(change_with(real, prepare), reporter)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("mode", every(2, MODES))
@pytest.mark.parametrize("step", ["lock", "backup", "prepare", "publish", "verify"])
def test_a_run_that_is_killed_leaves_no_file_or_what_was_verified(
    tmp_path: Path, mode: str, step: str
) -> None:
    real = tmp_path / "real.db"
    code = run(real, mode, step)

    assert code == -signal.SIGKILL
    assert real.exists() is (step == "verify")
    if step == "verify":
        assert clean_up(real, tmp_path) == (
            "copies of the data that a killed run had left were removed"
        )
    else:
        assert run(real, mode) == 0
    assert (note_in(real), mode_of(real)) == ("new", mode)
    assert names_in(tmp_path) == ["real.db"]
    assert real.stat().st_nlink == 1


def change_with(
    real: Path, prepare: Callable[[Path, Path, object], PublishableCopy]
) -> ContentChange:
    """Return the change that makes ``real`` of what ``prepare`` gives."""
    return ContentChange(
        real,
        real.parent,
        lambda _: None,
        prepare,
        keeps_backup=False,
        new_file=new_file(real),
    )


def change_of(real: Path, work: Path, meanwhile: object = None) -> ContentChange:
    """Return the change that makes ``real`` of ``work``; ``meanwhile`` is called before publish."""

    def prepare(_: Path, folder: Path, __: object) -> PublishableCopy:
        if callable(meanwhile):
            meanwhile()
        copy = work.rename(folder / "work.db")
        return PublishableCopy(copy, digest_of(copy))

    return change_with(real, prepare)


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    run_change(change_of(real, make(tmp_path / "work.db", "new")), Reporter())

    assert names_in(tmp_path) == ["real.db"]
    assert real.stat().st_mode & 0o777 == 0o600
    assert real.stat().st_nlink == 1


def test_what_another_program_makes_meanwhile_stays(tmp_path: Path) -> None:
    real, reporter = tmp_path / "real.db", Reporter()
    change = change_of(
        real, make(tmp_path / "work.db", "new"), lambda: make(real, "by another program")
    )
    with pytest.raises(StepFailed, match=r"another program has written to it just now"):
        run_change(change, reporter)

    assert note_in(real) == "by"
    assert names_in(tmp_path) == ["real.db"]
    assert str(reporter.left) == (
        "real.db is another file now: something replaced it while this run was at work"
    )


def test_a_run_that_fails_has_made_nothing(tmp_path: Path) -> None:
    real, reporter = tmp_path / "real.db", Reporter()

    def fail() -> None:
        raise StepFailed("a migration loses rows")

    with pytest.raises(StepFailed, match="a migration loses rows"):
        run_change(change_of(real, make(tmp_path / "work.db", "new"), fail), reporter)

    assert names_in(tmp_path) == ["work.db"]
    assert str(reporter.left) == "real.db is as it was"


def test_an_empty_file_is_written_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "real.db").touch()

    assert new_file(tmp_path / "real.db") is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    change = ContentChange(
        tmp_path / "real.db",
        tmp_path,
        lambda _: None,
        lambda *_: PublishableCopy(tmp_path, ""),
        keeps_backup=False,
        new_file=new_file(tmp_path / "real.db"),
    )
    with pytest.raises((StepFailed, sqlite3.Error), match="nothing can be written there"):
        run_change(change, Reporter())
