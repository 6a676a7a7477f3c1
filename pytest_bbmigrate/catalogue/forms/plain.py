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
    if entry.path.name in _opened_beside(entry):
        return None
    down_files = entry.beside(".down.sql", ".rollback.sql")
    if len(down_files) > 1:
        raise fault(
            entry.path,
            f"two down files, {down_files[0].name} and {down_files[1].name}",
            "leave one of them",
        )
    return from_files(entry, entry.path, down_files[0] if down_files else None, may_be_empty=False)


def _opened_beside(entry: FolderEntry) -> frozenset[str]:
    """Return the files that the Python files in the folder open, looked for once in a folder."""
    opened = entry.sources.opened
    folder = entry.path.parent
    if folder not in opened:
        programs = map(entry.path.with_name, entry.siblings.programs)
        opened[folder] = frozenset(name for each in programs for name in _opened(entry, each))
    return opened[folder]


def _opened(entry: FolderEntry, program: Path) -> Iterator[str]:
    """Yield the last part of each path to an SQL file that is a text in ``program``."""
    try:
        text = entry.sources.text(program)
        if ".sql" not in text.lower():
            return
        tree = read_python(program, text, entry.sources.python).tree
    except CatalogueError:
        return  # that it does not read is told of the program
    for statement in tree.body:
        if "__depends__" not in names_assigned(statement):
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value.rpartition("/")[2]
