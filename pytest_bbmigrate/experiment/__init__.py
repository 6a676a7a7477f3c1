"""The fixed experiment on a migration, and the chain of states it starts from."""

from __future__ import annotations

from pytest_bbmigrate.experiment.chain import Chain, StateUnreachable
from pytest_bbmigrate.experiment.model import (
    Dangling,
    Evidence,
    Invariant,
    Mismatch,
    Passage,
    State,
    TablePassage,
    Written,
)
from pytest_bbmigrate.experiment.observe import observe
from pytest_bbmigrate.experiment.real_rows import Unmet, try_on_real_rows, unmet_requirements
from pytest_bbmigrate.experiment.snapshot import Stage, stage_of

__all__ = [
    "Chain",
    "Dangling",
    "Evidence",
    "Invariant",
    "Mismatch",
    "Passage",
    "Stage",
    "State",
    "StateUnreachable",
    "TablePassage",
    "Unmet",
    "Written",
    "observe",
    "stage_of",
    "try_on_real_rows",
    "unmet_requirements",
]
