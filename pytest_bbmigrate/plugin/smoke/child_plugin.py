"""The plugin of the pytest that runs the smoke tests: what it runs, and what it says of it.

It is loaded by ``-p`` from ``smoke.run_smoke_tests`` alone. What it says goes into a file, line by
line, so that a session that is killed has still said how far it came.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.plugin.options import SMOKE_VARIABLE, migrations_folder
from pytest_bbmigrate.plugin.selection import SMOKE_MARKER, holds_marked
from pytest_bbmigrate.sqlite_files.sidecars import SIDECARS, beside

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ORDER, REPORT = "order.json", "report.jsonl"
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

    None in a session that is not one of smoke tests: there the data is generated.
    """
    return config.stash.get(_WORKING_COPY, None)


@contextmanager
def copy_for_test(migrated: tuple[Path, str], folder: Path) -> Iterator[Path]:
    """Yield a copy of the working copy in ``folder``, called like the real database.

    It goes with the test: the next one's copy needs the room.
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
            setattr(config.option, name, False if getattr(config.option, name) is True else None)
    if hasattr(config.option, "xmlpath"):
        config.option.xmlpath = None  # the file is the other session's
    folder = Path(os.environ[SMOKE_VARIABLE])
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    config.stash[_WORKING_COPY] = Path(order["working_copy"]), order["name"]
    config.stash[_WITHOUT] = frozenset(order["without"])
    config.pluginmanager.register(Recorder(folder / REPORT), "bbmigrate_smoke_recorder")
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over what can hold no marked test, as a session of checks does, and the migrations.

    And over what the session that runs this one has collected, and found without one.
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
    """Writes down which smoke tests there are, and what became of each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()

    def write(self, **said: Any) -> None:
        """Add a line; a process that a test has forked has nothing to say."""
        if os.getpid() == self._process:
            with self._path.open("a", encoding="utf-8") as file:
                print(json.dumps(said), file=file)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Write down the marked tests before anybody deselects one, and those marked since."""
        before = [item for item in items if item.get_closest_marker(SMOKE_MARKER)]
        result = yield
        since = [item for item in items if item.get_closest_marker(SMOKE_MARKER)]
        for item in dict.fromkeys([*before, *since]):
            self.write(there=item.nodeid)
        items[:] = since
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Write down what could not be collected, and what skipped itself as a whole."""
        if not report.passed:
            outcome = "could not be collected" if report.failed else report.outcome
            self.write(test=report.nodeid, outcome=outcome)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write down that a test begins."""
        self.write(started=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what became of a test: its call, and whatever went wrong around it."""
        is_news = report.when == "call" or not report.passed
        if is_news and report.outcome in ("passed", "failed", "skipped"):  # no rerun to come
            self.write(test=report.nodeid, outcome=outcome_of(report))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write down that the session came to its end."""
        self.write(finished=True)


def outcome_of(report: pytest.TestReport) -> str:
    """Return what became of a test, as a word or two."""
    if report.skipped and hasattr(report, "wasxfail"):
        return "failed as its xfail mark expects"
    if report.failed and report.when != "call":
        return f"failed in its {report.when}"
    return report.outcome
