"""Run one part of one migration on one database; the only place that executes migrations."""

from __future__ import annotations

from pytest_bbmigrate.runner.model import Failure, Run, ShapeConflict
from pytest_bbmigrate.runner.run import Workplace, run_part

__all__ = ["Failure", "Run", "ShapeConflict", "Workplace", "run_part"]
