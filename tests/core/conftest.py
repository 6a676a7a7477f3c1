"""What all tests of the core share."""

from __future__ import annotations

import sys

import pytest

from pytest_bbmigrate.sandbox import kept


@pytest.fixture(autouse=True)
def _fork_beside_xdist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have parts run in forks, each of which a worker of xdist would have to start as a new Python.

    Its other thread waits for messages, and holds no lock that a fork could come to need.
    """
    if sys.platform == "linux":
        monkeypatch.setattr(kept, "can_fork", lambda: True)
