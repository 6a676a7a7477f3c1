"""Plain SQL: ``NAME.sql``, and ``NAME.down.sql`` or ``NAME.rollback.sql`` for its down part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_migration import from_files
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is of this form; marked files are asked about before."""
    return entry.ending == ".sql"


def read(entry: FolderEntry) -> Migration | None:
    """Return the migration, None for SQL that the Python file of the same name reads by itself.

    Raises: CatalogueError.
    """
    if any(entry.path.name in entry.sources.text(program) for program in entry.beside(".py")):
        return None
    down_files = entry.beside(".down.sql", ".rollback.sql")
    if len(down_files) > 1:
        raise fault(
            entry.path,
            f"two down files, {down_files[0].name} and {down_files[1].name}",
            "leave one of them",
        )
    return from_files(entry, entry.path, down_files[0] if down_files else None, may_be_empty=False)
