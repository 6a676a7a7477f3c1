"""Files of tools that are not supported: recognised, and refused with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.python.source import names_assigned
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue.files import FolderEntry

ALEMBIC = (
    "this is a migration of Alembic, which keeps an order and a history of its own",
    "run it with `alembic upgrade head`, or write its steps as def up(db):",
)
DJANGO = (
    "this is a migration of Django, which keeps an order and a history of its own",
    "run it with `python manage.py migrate`, or write its steps as def up(db):",
)


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is Python written for another tool."""
    return entry.ending == ".py" and bool(_refusals(entry))


def read(entry: FolderEntry) -> None:
    """Raise CatalogueError with the right tool's name."""
    raise CatalogueError(_refusals(entry))


def _refusals(entry: FolderEntry) -> list[Problem]:
    """Return the problem with a file that is written for one of the tools; none for another."""
    tree = entry.source.tree
    imported = entry.imports
    assigned = frozenset().union(*map(names_assigned, tree.body))
    tools = (
        (
            ALEMBIC,
            any(name.split(".")[0] == "alembic" for name in imported)
            or {"revision", "down_revision"} <= assigned,
        ),
        (DJANGO, "django.db" in imported),
    )
    return [Problem(entry.path, None, *refusal) for refusal, matches in tools if matches][:1]
