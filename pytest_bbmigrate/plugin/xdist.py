"""How pytest-xdist distributes the checks, whose judge all workers share.

Imported only where it is used.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.plugin.judging import (
    JUDGE_INPUT,
    end_with_tests,
    idle_cores,
    judges_elsewhere,
    own_judge,
    writable_besides,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_TOLD = pytest.StashKey[list[str]]()  # what workers are told, to have the judge of this session


class InOrder:
    """Has what workers report told at the end in the order that one process would have."""

    def __init__(self) -> None:
        self._order: dict[str, int] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Keep the order in which the items were collected, which all workers have."""
        self._order = {name: place for place, name in enumerate(ids)}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, object, object]:
        """Put the reports in their order; what is none of an item stays behind them."""
        for reports in terminalreporter.stats.values():
            reports.sort(
                key=lambda each: self._order.get(getattr(each, "nodeid", ""), len(self._order))
            )
        return (yield)


def prepare_workers(config: pytest.Config) -> None:
    """Prepare for this process, a controller, to have workers that check, if it is to have any."""
    if config.getoption("collectonly"):
        return
    config.pluginmanager.register(InOrder(), "bbmigrate_in_order")
    if judges_elsewhere(config) and sys.platform == "linux":
        share_judge(config)


def share_judge(config: pytest.Config) -> None:
    """Start the judge of a session, and answer to its workers from now on.

    Where the system cannot have workers that share one, each has its own.
    """
    judge = own_judge(config)
    from pytest_bbmigrate.judge.sharing import Sharing
    from pytest_bbmigrate.judge.visits import place_of
    from pytest_bbmigrate.plugin.options import app_python_of

    place = place_of(writable_besides(config), app_python_of(config))
    try:
        sharing = Sharing(judge, place, idle_cores())
    except OSError:  # such as a sandbox without sockets
        judge.close()
        return
    end_with_tests(config, sharing)
    sharing.start()
    config.stash[_TOLD] = [sharing.name, sharing.token]


def tell_judge(node: Any) -> None:  # of xdist, which has no type hints
    """Tell a worker, before it starts, who has the judge of its session."""
    if _TOLD in node.config.stash:
        node.workerinput[JUDGE_INPUT] = node.config.stash[_TOLD]


def make_scheduler(config: pytest.Config, log: object) -> object:
    """Return the scheduler that keeps a migration's checks on one worker, where they share a run.

    None when the user chose a distribution of their own.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # no py.typed

    return LoadFileScheduling(config, log)
