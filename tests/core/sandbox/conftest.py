"""Fixtures of the tests of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sandbox import kept
from tests.core.sandbox.parts import Household, household

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Household:
    """Make a real database, whose Python parts run in forks where this process can be forked."""
    return household(tmp_path)


@pytest.fixture(params=["forked", "started"])
def either_home(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Household:
    """Make the same, for both ways in which a part gets its process."""
    forks = request.param == "forked"
    if forks and not kept.can_fork():
        pytest.skip("this process has more than one thread")
    monkeypatch.setattr(kept, "can_fork", lambda: forks)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.part.can_fork", lambda: forks)
    return household(tmp_path)
