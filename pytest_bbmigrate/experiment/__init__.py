"""The fixed experiment on a migration."""

from __future__ import annotations

from pytest_bbmigrate.experiment.model import (
    Dangling,
    DatabaseDiff,
    Evidence,
    Mismatch,
    Narrowed,
    Refused,
    RemadeView,
    TableDiff,
    WrittenRows,
)
from pytest_bbmigrate.experiment.observe import observe
from pytest_bbmigrate.experiment.real_rows import (
    UnmetRequirement,
    try_on_real_rows,
    unmet_requirements,
)
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_of

__all__ = [
    "Dangling",
    "DatabaseDiff",
    "Evidence",
    "Mismatch",
    "Narrowed",
    "Refused",
    "RemadeView",
    "Snapshot",
    "TableDiff",
    "UnmetRequirement",
    "WrittenRows",
    "observe",
    "snapshot_of",
    "try_on_real_rows",
    "unmet_requirements",
]
