"""Publish a content by the steps of a run, and keep what is reported of them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.sqlite_files import digest_of
from tests.core.real_databases import fill_up

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.errors import StepFailed


class Reporter:
    """Keeps what is reported; fills the disk up, when it is given one, after the publish."""

    def __init__(self, disk: Path | None = None) -> None:
        self.disk = disk
        self.steps: list[str] = []
        self.left: FileFound | None = None

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

    def conclude(self, left: FileFound) -> None:
        self.left = left


def publish(real: Path, work: Path, reporter: Reporter) -> Path | None:
    """Put the content of ``work`` into ``real``."""

    def prepare(_: Path, folder: Path, __: object) -> PublishableCopy:
        copy = folder / "work.db"
        shutil.copyfile(work, copy)
        return PublishableCopy(copy, digest_of(copy))

    change = ContentChange(real, real.parent, check_history=lambda _: None, prepare=prepare)
    return run_change(change, reporter)
