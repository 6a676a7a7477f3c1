"""What all tests of the core share."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.processes import forking
from tests.forks import may_fork


@pytest.fixture(autouse=True)
def _fork_beside_xdist(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have parts run in forks, each of which a worker of xdist would have to start as a new Python.

    Its other thread waits for messages, and holds no lock that a fork could come to need.
    """
    if may_fork(request.config):
        monkeypatch.setattr(forking, "can_fork", lambda: True)
