"""A pair, as golang-migrate and sqlx have it: ``NAME.up.sql`` and ``NAME.down.sql``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_migration import from_files

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is the up half of a pair."""
    return entry.ending == ".up.sql"


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    down = entry.beside(".down.sql")
    return from_files(entry, entry.path, down[0] if down else None, may_be_empty=True)
