"""The line of a contract that would allow what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration


def contract_line(migration: Migration, declaration: str) -> str:
    """Return ``declaration`` as the comment line that belongs in the migration's file."""
    mark = "--" if isinstance(migration.up, SqlPart) else "#"
    return f"{mark} bb: {declaration}"
