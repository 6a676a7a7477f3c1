"""Fixtures of the tests of the sandbox."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import coverage
import pytest

from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.sandbox import fresh, keep_order, keeper, kept, part, script, script_start
from tests.core.sandbox.parts import Household, household

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.sandbox.script_report import ScriptOrder


@pytest.fixture(autouse=True)
def _carry_coverage_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have kept processes measured: what one notes down it can only write to its own folder."""
    measured = coverage.Coverage.current()
    if measured is None:
        return
    noted = Path(measured.config.data_file)
    end_process, start_script, run_kept = (
        fresh.end_process,
        script_start.start_script,
        kept.run_kept,
    )

    def end_measured(code: int) -> NoReturn:
        try:
            folder = Path(os.environ.get("TMPDIR", ""))
            if folder.name == "tmp" and measured._data is not None:  # a keeper may write anywhere
                measured._data._basename = str(folder / noted.name)
            measured.stop()
            measured.save()
        finally:
            end_process(code)

    def start_measured(order: ScriptOrder) -> NoReturn:
        config = copy.copy(measured.config)
        config.data_file = str(order.paths.temporary / noted.name)
        os.environ["COVERAGE_PROCESS_CONFIG"] = config.serialize()
        start_script(order)

    def run_and_carry(
        order: keep_order.KeepOrder, work: Callable[[], int], *command: str
    ) -> keeper.Ending:
        config = copy.copy(measured.config)
        config.data_file = str(order.temporary / noted.name)
        monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", config.serialize())  # of one that is started
        try:
            return run_kept(order, work, *command)
        finally:
            for file in order.temporary.glob(f"{noted.name}.*"):
                shutil.copy(file, noted.parent)

    monkeypatch.setattr(keeper, "end_process", end_measured)
    monkeypatch.setattr(script, "start_script", start_measured)
    for module in (part, script):
        monkeypatch.setattr(module, "run_kept", run_and_carry)


@pytest.fixture
def home(tmp_path: Path) -> Household:
    """Make a real database, whose Python parts run in forks of this process."""
    return household(tmp_path)


@pytest.fixture(params=["forked", "started"])
def either_home(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Household:
    """Make the same, for both ways in which a part gets its process."""
    monkeypatch.setattr(forking, "can_fork", lambda: request.param == "forked")
    return household(tmp_path)
