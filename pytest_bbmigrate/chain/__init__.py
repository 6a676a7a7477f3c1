"""The chain of states that experiments start from."""

from __future__ import annotations

from pytest_bbmigrate.chain.states import Chain

__all__ = ["Chain"]
