"""The plugin in the pytest that runs the smoke tests: it selects them, and records their results.

Only ``smoke/launch.py`` loads it, by ``-p``. It records each event as a line of a file at once, so
that the record of a session that is killed shows how far it came.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.options import SMOKE_VARIABLE, migrations_folder
from pytest_bbmigrate.plugin.selection import SMOKE_MARKER, holds_marked
from pytest_bbmigrate.plugin.smoke.events import (
    KIND_OF,
    REPORT,
    Begun,
    Collected,
    Finished,
    Reported,
    Started,
    read_order,
)
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS, beside

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pytest_bbmigrate.plugin.smoke.events import Event

SETTINGS = {
    "bb_migrations": "--bb-migrations",
    "bb_database": "--bb-db",
    "bb_rows": "--bb-rows",
    "bb_seed": "--bb-seed",
}

_WORKING_COPY = pytest.StashKey["tuple[Path, str]"]()
_WITHOUT = pytest.StashKey[frozenset[str]]()


def working_copy(config: pytest.Config) -> tuple[Path, str] | None:
    """Return the migrated database to copy for each test, and what to call a copy.

    None in any other session, whose data is generated.
    """
    return config.stash.get(_WORKING_COPY, None)


@contextmanager
def copy_for_test(migrated: tuple[Path, str], folder: Path) -> Iterator[Path]:
    """Yield a copy of the working copy in ``folder``, with the name of the real database.

    It is removed after the test: the next one's copy needs the space.
    """
    source, name = migrated
    path = folder / name
    shutil.copyfile(source, path)
    try:
        yield path
    finally:
        for suffix in ("", *SIDECARS):
            beside(path, suffix).unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Make this a session of smoke tests and nothing else, whatever addopts says."""
    for name in vars(config.option):
        if name.startswith("bb_") and name not in SETTINGS:
            is_flag = isinstance(getattr(config.option, name), bool)
            setattr(config.option, name, False if is_flag else None)
    if hasattr(config.option, "xmlpath"):
        config.option.xmlpath = None  # that file belongs to the session that started this one
    folder = Path(os.environ[SMOKE_VARIABLE])
    order = read_order(folder)
    config.stash[_WORKING_COPY] = order.working_copy, order.name
    config.stash[_WITHOUT] = frozenset(order.without)
    config.pluginmanager.register(Recorder(folder / REPORT), "bbmigrate_smoke_recorder")
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the migrations, and what can hold no smoke test.

    Also the modules that the session which started this one has found to have none.
    """
    folder = migrations_folder(config)
    if collection_path == config.rootpath:
        return None
    if collection_path.is_relative_to(folder) and not config.rootpath.is_relative_to(folder):
        return True
    if str(collection_path) in config.stash[_WITHOUT]:
        return True
    return None if holds_marked(config, collection_path, (SMOKE_MARKER,)) else True


class Recorder:
    """Records which smoke tests there are, and the outcome of each."""

    def __init__(self, path: Path) -> None:
        # Kept open, so that no other file takes its place; a number, so that Python does not warn.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._process = os.getpid()
        self.write(Begun())

    def write(self, event: Event) -> None:
        """Record an event; not in a process that a test has forked."""
        if os.getpid() == self._process:
            os.write(self._descriptor, encode_message(KIND_OF[type(event)], event) + b"\n")

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Record the smoke tests: before another plugin deselects any, and those that it marks."""
        before = [item for item in items if item.get_closest_marker(SMOKE_MARKER)]
        result = yield
        after = [item for item in items if item.get_closest_marker(SMOKE_MARKER)]
        for item in dict.fromkeys([*before, *after]):
            self.write(Collected(item.nodeid))
        items[:] = after
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record what could not be collected, and modules that skipped themselves."""
        if not report.passed:
            outcome = "could not be collected" if report.failed else report.outcome
            self.write(Reported(report.nodeid, outcome))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Record that a test begins."""
        self.write(Started(nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test: of its call, and of a set-up or teardown that failed."""
        is_final = report.when == "call" or not report.passed
        if is_final and report.outcome in (
            "passed",
            "failed",
            "skipped",
        ):  # not "rerun", which another attempt follows
            self.write(Reported(report.nodeid, outcome_of(report)))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Record that the session ran to its end."""
        self.write(Finished())


def outcome_of(report: pytest.TestReport) -> str:
    """Return the outcome of a test in a few words."""
    if report.skipped and hasattr(report, "wasxfail"):
        return "failed as its xfail mark expects"
    if report.failed and report.when != "call":
        return f"failed in its {report.when}"
    return report.outcome
