"""How pytest-xdist distributes the checks; imported only where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def make_scheduler(config: pytest.Config, log: object) -> object:
    """Return the scheduler that keeps a migration's checks on one worker, where they share a run.

    None when the user chose a distribution of their own.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # no py.typed

    return LoadFileScheduling(config, log)
