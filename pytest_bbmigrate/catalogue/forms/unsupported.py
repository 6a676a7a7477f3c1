"""Files of tools that are not supported: recognised, and refused with what to do."""

from __future__ import annotations

import ast
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
YOYO = (
    "yoyo's steps are not supported",
    "write def up(db): and def down(db): with db.execute(..) for each step",
)
SQLITE_UTILS = (
    "a set of sqlite-utils migrations is not supported",
    "write a file for each function, 001_NAME.py, with the function called up(db)",
)
SETS = frozenset({"sqlite_utils.Migrations", "sqlite_migrate.Migrations"})


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is Python written for another tool."""
    return entry.ending == ".py" and bool(_refusals(entry))


def read(entry: FolderEntry) -> None:
    """Raise CatalogueError with the right tool's name."""
    raise CatalogueError(_refusals(entry))


def _refusals(entry: FolderEntry) -> list[Problem]:
    """Return the problem with a file that is written for one of the tools; none for another."""
    tree = entry.source.tree
    imported = _imported(tree)
    assigned = frozenset().union(*map(names_assigned, tree.body))
    tools = (
        (ALEMBIC, "alembic.op" in imported or {"revision", "down_revision"} <= assigned),
        (DJANGO, "django.db" in imported),
        (YOYO, "yoyo" in imported),
        (SQLITE_UTILS, not imported.isdisjoint(SETS)),
    )
    return [Problem(entry.path, None, *refusal) for refusal, matches in tools if matches][:1]


def _imported(tree: ast.Module) -> frozenset[str]:
    """Return the dotted names that a file imports: modules, and names from modules."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update((f"{node.module}", *(f"{node.module}.{each.name}" for each in node.names)))
    return frozenset(names)
