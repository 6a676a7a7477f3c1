"""What the tests of an apply share."""

from __future__ import annotations

import sys

import pytest

import pytest_bbmigrate.apply.rehearsal.server  # noqa: F401 - once for all that are forked
from tests.forks import fork_what_is_started


@pytest.fixture(autouse=True)
def _fork_what_is_started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process fork its rehearsals and watches."""
    if sys.platform == "linux" and not request.config.getoption("started"):
        fork_what_is_started(monkeypatch)
