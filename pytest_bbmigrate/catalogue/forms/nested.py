"""A folder, as diesel and Prisma have it: ``up.sql`` or ``migration.sql``, and ``down.sql``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.files import HALVES
from pytest_bbmigrate.catalogue.sql_migration import from_files
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration

UPS = ("up.sql", "migration.sql")
DOWN = "down.sql"
SETTINGS = "metadata.toml"


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is a folder."""
    return entry.contents is not None


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    names = entry.contents or frozenset()
    ups = [name for name in UPS if name in names]
    if not ups:
        raise fault(entry.path / DOWN, "a down file without its up file", "write up.sql beside it")
    if len(ups) > 1:
        raise fault(entry.path, f"both {ups[0]} and {ups[1]}", "leave one of them")
    for name in sorted(names - HALVES):
        if name.lower().endswith((".sql", ".py")):
            raise fault(
                entry.path / name,
                "nothing reads this file",
                "name it up.sql or down.sql, or move it out of the folder",
            )
    return from_files(
        entry,
        entry.path / ups[0],
        entry.path / DOWN if DOWN in names else None,
        may_be_empty=True,
        in_transaction=SETTINGS not in names or _in_transaction(entry),
    )


def _in_transaction(entry: FolderEntry) -> bool:
    """Return what diesel's settings say; the only one there is is ``run_in_transaction``."""
    import tomllib  # few folders have such a file

    path = entry.path / SETTINGS
    try:
        settings = tomllib.loads(entry.sources.text(path))
    except tomllib.TOMLDecodeError as error:
        raise fault(
            path, f"this is not TOML ({error})", "write run_in_transaction = false"
        ) from error
    value = settings.pop("run_in_transaction", True)
    if settings or not isinstance(value, bool):
        raise fault(
            path,
            "settings that are not understood",
            "write run_in_transaction = true or false, and nothing else",
        )
    return value
