"""Which of the collected items run: checks first, marked tests, and smoke tests set aside."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.plugin.items import CheckItem
from pytest_bbmigrate.plugin.options import migrations_folder, usage_error
from pytest_bbmigrate.plugin.selection import MARKERS, SMOKE_MARKER, runs_checks_alone

SET_ASIDE_OUTPUT = "bb_set_aside"  # of xdist's workeroutput

_SET_ASIDE = pytest.StashKey[tuple[str, ...]]()
_WITHOUT_SMOKE_TESTS = pytest.StashKey[list[str]]()


def keep_marked(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Put the checks before the tests; in a session of the checks alone, deselect unmarked tests.

    Raises: pytest.UsageError when the checks were asked for and none was collected.
    """
    config = session.config
    checks = [item for item in items if isinstance(item, CheckItem)]
    if not checks and not session.testsfailed:
        raise usage_error(
            f"the checks of {migrations_folder(config)} were not collected; "
            "does a conftest.py keep pytest from that folder (collect_ignore)?"
        )
    if not runs_checks_alone(config):
        return
    tests = [item for item in items if not isinstance(item, CheckItem)]
    marked = [item for item in tests if _is_marked(item)]
    items[:] = checks + marked
    if len(marked) < len(tests):
        unmarked = [item for item in tests if not _is_marked(item)]
        config.hook.pytest_deselected(items=unmarked)


def _is_marked(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(marker) is not None for marker in MARKERS)


def set_smoke_tests_aside(
    config: pytest.Config, items: list[pytest.Item], collected: list[pytest.Item]
) -> None:
    """Deselect the smoke tests of a session that changes a real database: they run in a step of it.

    In that step each has a copy of the real rows, in a process that cannot reach the database.
    ``collected`` are the items before any was deselected.
    """
    smoke = [item for item in items if item.get_closest_marker(SMOKE_MARKER) is not None]
    names = [item.nodeid for item in smoke]
    record_set_aside(config, names, _modules_without(config, collected, items))
    if smoke:
        items[:] = [item for item in items if item not in smoke]
        config.hook.pytest_deselected(items=smoke)


def _modules_without(
    config: pytest.Config, collected: list[pytest.Item], items: list[pytest.Item]
) -> list[str]:
    """Return the modules that were collected as a whole and have no smoke test."""
    if any("::" in argument for argument in config.args):
        return []  # of some modules, only a part was collected
    marked = {item.path for item in (*collected, *items) if item.get_closest_marker(SMOKE_MARKER)}
    return sorted({str(item.path) for item in collected if item.path not in marked})


def record_set_aside(config: pytest.Config, names: list[str], without: list[str]) -> None:
    """Keep the node ids of smoke tests and the modules without one; a worker sends them on, too.

    The controller, which collects nothing, records with this what a worker has sent.
    """
    config.stash[_SET_ASIDE] = tuple(names)
    config.stash[_WITHOUT_SMOKE_TESTS] = list(without)
    if hasattr(config, "workeroutput"):
        config.workeroutput[SET_ASIDE_OUTPUT] = [names, without]


def smoke_tests_set_aside(config: pytest.Config) -> tuple[str, ...]:
    """Return the node ids of the smoke tests that this session leaves to the step smoke."""
    return config.stash.get(_SET_ASIDE, ())


def modules_without_smoke_tests(config: pytest.Config) -> list[str]:
    """Return the paths of the modules that this session has collected and found without one."""
    return config.stash.get(_WITHOUT_SMOKE_TESTS, [])
