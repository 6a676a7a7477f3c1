"""``NAME.down.sql`` and ``NAME.rollback.sql``: read with the file they belong to, never alone.

That a file's name is refused is told of that file alone, and not of the down file that is its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry

UPS = {".down.sql": (".up.sql", ".sql"), ".rollback.sql": (".sql",)}


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is a down file."""
    return entry.ending in UPS


def read(entry: FolderEntry) -> None:
    """Return None: the migration it belongs to is another entry.

    Raises: CatalogueError when there is no such entry.
    """
    ups = UPS[entry.ending]
    pairs = ".up.sql" in ups
    if entry.beside(".py"):
        raise fault(
            entry.path,
            "a down file in SQL beside a Python migration",
            f"write it as a function down(db) in {entry.name}.py",
        )
    if entry.beside(*ups) or (pairs and entry.siblings.other_half(entry.path.name)):
        return
    if not entry.siblings.refused_beside(entry.path.name):
        wanted = " or ".join(f"{entry.name}{up}" for up in ups)
        raise fault(entry.path, "a down file without its up file", f"write {wanted} beside it")


def refuse_down_file_beside(entry: FolderEntry) -> None:
    """Raise CatalogueError when a marked file has a file beside it that would be its down part."""
    beside = entry.beside(".down.sql", ".rollback.sql")
    if beside:
        raise fault(
            beside[0],
            f"a down file beside {entry.path.name}, which has markers",
            f"write it below the down marker of {entry.path.name}",
        )
