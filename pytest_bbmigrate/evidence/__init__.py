"""The fixed experiment on a migration, and the chain of states it starts from."""

from __future__ import annotations

from pytest_bbmigrate.evidence.chain import Chain, StateUnreachable
from pytest_bbmigrate.evidence.model import (
    Dangling,
    Evidence,
    Invariant,
    Mismatch,
    Passage,
    State,
    TablePassage,
    Written,
)
from pytest_bbmigrate.evidence.observe import observe
from pytest_bbmigrate.evidence.real_rows import Unmet, try_on_real_rows, unmet_requirements
from pytest_bbmigrate.evidence.stage import Stage, stage_of

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
