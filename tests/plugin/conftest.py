"""What the sessions that pytester runs in this process import, imported once for all of them.

Each of them forgets its own imports when it ends.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests import whole_pytest
from tests.forks import fork_what_is_started, may_fork  # noqa: F401 - of all tests here

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakesProject = Callable[[pytest.Pytester], object]

for _module in whole_pytest.IMPORTED:
    import_module(_module)


@pytest.fixture(autouse=True)
def _fork_whole_pytests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the pytests forked that a pytester starts, and those of the smoke tests."""
    if may_fork(request.config):
        starts = SimpleNamespace(**{**vars(subprocess), "Popen": whole_pytest.start})
        for module in ("_pytest.pytester", "pytest_bbmigrate.plugin.smoke.launch"):
            monkeypatch.setattr(f"{module}.subprocess", starts)


@pytest.fixture
def started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each whole pytest started, where it is looked at what that has imported."""
    monkeypatch.setattr("_pytest.pytester.subprocess", subprocess)


@pytest.fixture
def made_once(
    project: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[MakesProject], None]:
    """Return what makes the project by a function, or copies what that has made for another test.

    The function runs once for all tests of all workers.
    """
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def make(by: MakesProject) -> None:
        name = f"{by.__module__}.{by.__qualname__}"
        kept, partial = shared / name, shared / f"{name}.partial"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                by(project)
                shutil.copytree(project.path, partial)
                partial.rename(kept)
        shutil.copytree(kept, project.path, dirs_exist_ok=True)

    return make


@pytest.fixture
def money(
    project: pytest.Pytester,
    made_once: Callable[[MakesProject], None],
    request: pytest.FixtureRequest,
) -> Path:
    """Return the database of the project as ``make_money()`` of the test's module makes it."""
    made_once(request.module.make_money)
    return project.path / "budget_buddy.db"
