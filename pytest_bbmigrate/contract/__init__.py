"""What a migration declares it will do to data that is already there. Pure."""

from __future__ import annotations

from pytest_bbmigrate.contract.model import (
    Change,
    Contract,
    ContractError,
    Delete,
    Derive,
    Drop,
    Insert,
    Rename,
    Requirement,
)
from pytest_bbmigrate.contract.read import is_directive, read_contract

__all__ = [
    "Change",
    "Contract",
    "ContractError",
    "Delete",
    "Derive",
    "Drop",
    "Insert",
    "Rename",
    "Requirement",
    "is_directive",
    "read_contract",
]
