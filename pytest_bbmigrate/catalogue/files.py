"""The entries of a migration folder, and the text of its files."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.markers import Marker, find_markers
from pytest_bbmigrate.catalogue.names import (
    is_never_migration,
    leading_number,
    name_fault,
    number_fault,
    split_name,
)
from pytest_bbmigrate.catalogue.python.source import PythonSource, read_python
from pytest_bbmigrate.catalogue.sources import Sources
from pytest_bbmigrate.catalogue.text import fault, unreadable
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from pathlib import Path

HALVES = frozenset({"up.sql", "migration.sql", "down.sql"})
START_HERE = "--bb-new=NAME writes the first migration; --bb-migrations=DIR names another folder"


@dataclass(frozen=True)
class FolderEntry:
    """One file or folder that is a migration or part of one.

    ``siblings`` are the names of everything in its folder; ``contents`` those in the folder that it
    is, None for a file; ``sources`` reads its files.
    """

    path: Path
    siblings: frozenset[str]
    contents: frozenset[str] | None = None
    sources: Sources = field(default_factory=Sources, compare=False, repr=False)

    @cached_property
    def name(self) -> str:
        """The migration's name: the file's without its ending, or the folder's."""
        return self.path.name if self.contents is not None else split_name(self.path.name)[0]

    @cached_property
    def ending(self) -> str:
        """The file's ending in lower case; '' for a folder."""
        return "" if self.contents is not None else split_name(self.path.name)[1]

    @cached_property
    def number(self) -> tuple[int, ...] | None:
        """The number that the name begins with."""
        return leading_number(self.name)

    @cached_property
    def text(self) -> str:
        """The file's text; CatalogueError is raised when it does not read."""
        return self.sources.text(self.path)

    @cached_property
    def markers(self) -> tuple[Marker, ...]:
        """The markers in an SQL file; CatalogueError is raised when it does not read."""
        return find_markers(self.path, self.text) if self.ending == ".sql" else ()

    @cached_property
    def source(self) -> PythonSource:
        """The Python file, parsed; CatalogueError is raised when it cannot be."""
        return read_python(self.path, self.text, self.sources.python)

    def beside(self, *endings: str) -> tuple[Path, ...]:
        """Return the files beside this one that have its name and one of ``endings``."""
        names = (f"{self.name}{ending}" for ending in endings)
        return tuple(self.path.with_name(name) for name in names if name in self.siblings)


def list_entries(
    folder: Path, sources: Sources
) -> tuple[tuple[FolderEntry, ...], tuple[Problem, ...]]:
    """Return the migrations and parts of one in ``folder``, by name, and the doubtful files.

    Raises: CatalogueError when there is no such folder or it cannot be read.
    """
    paths = _contents(folder)
    siblings = frozenset(path.name for path in paths)
    entries: list[FolderEntry] = []
    problems: list[Problem] = []
    for path in paths:
        if is_never_migration(path.name):
            continue
        try:
            entry = _entry(path, siblings, sources)
        except CatalogueError as error:
            problems.extend(error.problems)
        else:
            entries.extend([entry] if entry else [])
    return tuple(entries), tuple(problems)


def _contents(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise fault(folder, "there is no such folder", START_HERE) from error
    except NotADirectoryError as error:
        raise fault(folder, "this is a file, not a folder of migrations", START_HERE) from error
    except OSError as error:
        raise unreadable(folder, error) from error


def _entry(path: Path, siblings: frozenset[str], sources: Sources) -> FolderEntry | None:
    """Return the entry for ``path``, None when it does not look like a migration."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        return _folder_entry(path, siblings, sources)
    if not stat.S_ISREG(mode):
        raise fault(path, "this is neither a file nor a folder", "move it out of the folder")
    if not split_name(path.name)[1]:
        if _begins_with_number(path.name):
            raise fault(
                path,
                "the name begins with a number, but no migration ends so",
                "write NAME.sql or NAME.py, or move the file out of the folder",
            )
        return None
    if doubt := name_fault(path.name, siblings):
        raise fault(path, *doubt)
    return FolderEntry(path, siblings, sources=sources)


def _folder_entry(path: Path, siblings: frozenset[str], sources: Sources) -> FolderEntry | None:
    """Return the entry for a folder with an up or a down half; None for one without any SQL."""
    names = frozenset(child.name for child in _contents(path))
    if names & HALVES:
        if doubt := number_fault(path.name):
            raise fault(path, *doubt)
        return FolderEntry(path, siblings, names, sources)
    if _begins_with_number(path.name) or any(name.lower().endswith(".sql") for name in names):
        raise fault(
            path,
            "the folder holds neither up.sql nor migration.sql",
            "write NAME/up.sql, or move the folder out of this one",
        )
    return None


def _begins_with_number(name: str) -> bool:
    return leading_number(name) is not None or name[0] in "0123456789"
