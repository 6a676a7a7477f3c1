"""Run one part of one migration on one database; the only place that executes migrations."""

from __future__ import annotations

from pytest_bbmigrate.runner.model import Failure, Run, RunEnvironment

__all__ = ["Failure", "Run", "RunEnvironment"]
