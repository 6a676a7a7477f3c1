"""Plain SQL: ``NAME.sql``, and ``NAME.down.sql`` or ``NAME.rollback.sql`` for its down part."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.python.source import names_assigned, read_python
from pytest_bbmigrate.catalogue.sql_migration import from_files
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is of this form; marked files are asked about before."""
    return entry.ending == ".sql"


def read(entry: FolderEntry) -> Migration | None:
    """Return the migration, None for SQL that a Python file beside it reads by itself.

    Raises: CatalogueError.
    """
    if any(entry.path.name in entry.sources.text(program) for program in entry.beside(".py")):
        return None
    if any(_opens(entry, program) for program in _programs(entry)):
        return None
    down_files = entry.beside(".down.sql", ".rollback.sql")
    if len(down_files) > 1:
        raise fault(
            entry.path,
            f"two down files, {down_files[0].name} and {down_files[1].name}",
            "leave one of them",
        )
    return from_files(entry, entry.path, down_files[0] if down_files else None, may_be_empty=False)


def _programs(entry: FolderEntry) -> Iterator[Path]:
    """Return the Python files in the folder."""
    return map(entry.path.with_name, entry.siblings.programs)


def _opens(entry: FolderEntry, program: Path) -> bool:
    """Return whether a text in ``program`` is the file's name, or a path that ends with it."""
    name = entry.path.name
    try:
        text = entry.sources.text(program)
        if name not in text:
            return False
        tree = read_python(program, text, entry.sources.python).tree
    except CatalogueError:
        return False  # that it does not read is told of the program
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (node.value == name or node.value.endswith(f"/{name}"))
        for statement in tree.body
        if "__depends__" not in names_assigned(statement)
        for node in ast.walk(statement)
    )
