"""Fixtures that tests of several layers share."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.depth import register_profiles

if TYPE_CHECKING:
    from collections.abc import Generator

register_profiles()  # before the command line's --hypothesis-profile is read

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and whatever that starts inherits it: no
    # Ctrl-C would come through to what is tested here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of these tests."""
    parser.addoption(
        "--started",
        action="store_true",
        help="start each process of a run anew, as it is outside of tests, where a fork would do",
    )


# These modules have the tests that take the most seconds.
LONG = {
    "test_app_python",
    "test_apply",
    "test_apply_forms",
    "test_early_backup",
    "test_killed",
    "test_shared_judge",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers ``-n auto`` has: more than cores, for many tests wait for processes.

    None is idle so while the test that it runs waits for a disk, or for what it has ended.
    """
    return (os.cpu_count() or 1) * 3 // 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what is collected out of each later search for garbage, which would look at all of it.

    A fork that looks at it has a copy of it besides.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring those forward that take long: where each comes last, one worker ends after others."""
    items.sort(key=lambda item: item.path.stem not in LONG)


# What would make a pytest inside a test behave otherwise than on its own.
AMBIENT = ("CI", "GITHUB_ACTIONS", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return an empty project to run pytest in, away from this session's environment."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    # The plugin alone: whatever else is installed has no say, and is not imported each time.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate")
    pytester.makeini("[pytest]\nbb_rows = 12\nfilterwarnings = error\n")
    return pytester
