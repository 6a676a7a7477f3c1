"""A step in another language, by the SQL that bb_steps says it amounts to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_migration import from_sections
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is a file that bb_steps names."""
    return entry.step is not None


def read(entry: FolderEntry) -> Migration:
    """Return the migration, which goes by the file of the step. Raises: CatalogueError."""
    step = entry.step
    if step is None:
        raise fault(entry.path, "bb_steps does not name it", "name it there")
    return replace(from_sections(entry, step.up, step.down), path=entry.path)
