"""A pair, as golang-migrate and sqlx have it: ``NAME.up.sql`` and ``NAME.down.sql``.

They are found by their version, where their names are not one: the number that they begin with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.databases import AUTOCOMMIT
from pytest_bbmigrate.catalogue.names import split_name
from pytest_bbmigrate.catalogue.sql_migration import from_files
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is the up half of a pair."""
    return entry.ending == ".up.sql"


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    halves = entry.beside(".up.sql")
    downs = entry.beside(".down.sql")
    for kind, files in (("up", halves), ("down", downs)):
        if len(files) > 1:
            message = f"two {kind} files, {files[0].name} and {files[1].name}"
            raise fault(entry.path, message, "leave one of them")
    other = None if downs else entry.siblings.other_half(entry.path.name)
    down = downs[0] if downs else other and entry.path.with_name(other)
    return from_files(
        entry,
        entry.path,
        down or None,
        may_be_empty=True,
        in_transaction=not entry.name.endswith(AUTOCOMMIT),
        down_in_transaction=not (down and split_name(down.name)[0].endswith(AUTOCOMMIT)),
    )
