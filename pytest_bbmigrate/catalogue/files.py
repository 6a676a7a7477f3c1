"""The entries of a migration folder, and the text of its files."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.code_steps import (
    code_problems,
    is_code,
    written_for_a_tool,
)
from pytest_bbmigrate.catalogue.databases import other_databases
from pytest_bbmigrate.catalogue.flyway_settings import FileSettings, file_settings
from pytest_bbmigrate.catalogue.markers import Marker, find_markers
from pytest_bbmigrate.catalogue.names import (
    FlywayName,
    flyway_name,
    is_never_migration,
    leading_number,
    number_fault,
    split_name,
    version_of,
)
from pytest_bbmigrate.catalogue.neighbours import Neighbours
from pytest_bbmigrate.catalogue.placeholders import fill_in
from pytest_bbmigrate.catalogue.python.imports import dotted_imports
from pytest_bbmigrate.catalogue.python.source import PythonSource, read_python
from pytest_bbmigrate.catalogue.rules import NO_RULES, ReadingRules
from pytest_bbmigrate.catalogue.sources import Sources
from pytest_bbmigrate.catalogue.text import fault, unreadable
from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_bbmigrate.catalogue.steps_file import Step

NO_STEPS: Mapping[str, Step] = {}
HALVES = frozenset({"up.sql", "migration.sql", "down.sql"})
START_HERE = "--bb-new=NAME writes the first migration; --bb-migrations=DIR names another folder"


@dataclass(frozen=True)
class FolderEntry:
    """One file or folder that is a migration or part of one.

    ``siblings`` are all that stand in its folder; ``contents`` those in the folder that it
    is, None for a file; ``sources`` reads its files, by ``rules``. ``within`` is the folder of a
    version that it is in (``0.10/``), '' for the migration folder itself. ``step`` is what bb_steps
    says of a file in another language.
    """

    path: Path
    siblings: Neighbours
    contents: frozenset[str] | None = None
    sources: Sources = field(default_factory=Sources, compare=False, repr=False)
    rules: ReadingRules = NO_RULES
    within: str = ""
    step: Step | None = None

    @cached_property
    def name(self) -> str:
        """The migration's name: the file's without its ending, or the folder's."""
        return f"{self.within}{self.stem}"

    @cached_property
    def stem(self) -> str:
        """The name of the file without its ending, or that of the folder."""
        if self.step is not None:
            return self.path.stem
        return self.path.name if self.contents is not None else split_name(self.path.name)[0]

    @cached_property
    def ending(self) -> str:
        """The file's ending in lower case; '' for a folder."""
        return "" if self.contents is not None else split_name(self.path.name)[1]

    @cached_property
    def number(self) -> tuple[int, ...] | None:
        """The number that the name begins with, or its version, as Flyway reads it."""
        number = self.flyway.version if self.flyway else leading_number(self.stem) or ()
        return (*(version_of(self.within.removesuffix("/")) or ()), *number) or None

    @cached_property
    def flyway(self) -> FlywayName | None:
        """What Flyway reads in the name; None where it is not in Flyway's way."""
        return flyway_name(self.path.name) if self.contents is None else None

    @cached_property
    def text(self) -> str:
        """The file's text; CatalogueError is raised when it does not read."""
        return self.sources.text(self.path) if self.ending == ".py" else self.sql_of(self.path)

    @cached_property
    def markers(self) -> tuple[Marker, ...]:
        """The markers in an SQL file; CatalogueError is raised when it does not read."""
        return find_markers(self.path, self.text) if self.ending == ".sql" else ()

    @cached_property
    def source(self) -> PythonSource:
        """The Python file, parsed; CatalogueError is raised when it cannot be."""
        return read_python(self.path, self.text, self.sources.python)

    @cached_property
    def imports(self) -> frozenset[str]:
        """The dotted names that a Python file imports; CatalogueError is raised if it is none."""
        return dotted_imports(self.source.tree) if self.ending == ".py" else frozenset()

    def settings_of(self, path: Path) -> FileSettings:
        """Return what Flyway's settings beside ``path`` say. Raises: CatalogueError."""
        return file_settings(path, self.siblings.names, self.sources)

    def sql_of(self, path: Path) -> str:
        """Return the text of an SQL file of this migration as it is to run.

        Placeholders are filled in where there are such: in files named in Flyway's way, and in all
        others where the settings name any.

        Raises: CatalogueError.
        """
        text = self.sources.text(path)
        if not (self.flyway or self.rules.placeholders):
            return text
        if not self.settings_of(path).replaces_placeholders:
            return text
        return fill_in(path, text, dict(self.rules.placeholders))

    def beside(self, *endings: str) -> tuple[Path, ...]:
        """Return the files beside this one that have its name and one of ``endings``."""
        return tuple(map(self.path.with_name, self.siblings.called(self.stem, *endings)))


@dataclass(frozen=True)
class Place:
    """A folder whose entries are listed; for ``within`` see ``FolderEntry``.

    ``steps`` is what bb_steps says, by the path within the migration folder.
    """

    folder: Path
    siblings: Neighbours
    sources: Sources
    rules: ReadingRules
    within: str = ""
    steps: Mapping[str, Step] = field(default_factory=dict)

    def entry(self, path: Path, contents: frozenset[str] | None = None) -> FolderEntry:
        """Return the entry for a file in this folder, or a folder with ``contents``."""
        step = self.steps.get(f"{self.within}{path.name}")
        return FolderEntry(
            path, self.siblings, contents, self.sources, self.rules, self.within, step
        )


def list_entries(
    folder: Path,
    sources: Sources,
    rules: ReadingRules = NO_RULES,
    within: str = "",
    steps: Mapping[str, Step] = NO_STEPS,
) -> tuple[tuple[FolderEntry, ...], tuple[Problem, ...]]:
    """Return the migrations and parts of one in ``folder``, by name, and the doubtful files.

    A file that ``steps`` has is one, in whatever language it is.

    Raises: CatalogueError when there is no such folder or it cannot be read.
    """
    paths = [each for each in _contents(folder) if not rules.passes_over(f"{within}{each.name}")]
    elsewhere = other_databases(path.name for path in paths)
    paths = [path for path in paths if path.name not in elsewhere.names]
    siblings = Neighbours(frozenset(path.name for path in paths), rules.runner, elsewhere.note)
    place = Place(folder, siblings, sources, rules, within, steps)
    entries: list[FolderEntry] = []
    problems: list[Problem] = [*elsewhere.problems(folder)]
    code: list[Path] = []
    for path in () if problems else paths:
        if is_never_migration(path.name):
            continue
        try:
            if _is_folder(path):
                found, doubtful = _folder_entries(path, place)
                entries.extend(found)
                problems.extend(doubtful)
            elif is_code(path.name) and f"{within}{path.name}" in steps:
                entries.append(place.entry(path))
            elif is_code(path.name) and _begins_with_number(path.name):
                code.append(path)
            else:
                entries.extend(_file_entries(path, place))
        except CatalogueError as error:
            problems.extend(error.problems)
    if not entries and not problems and not code:  # what is it then, if not SQL or Python?
        code = written_for_a_tool([path for path in paths if path.is_file()], sources)
    return tuple(entries), (*problems, *code_problems(code, sources))


def _contents(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise fault(folder, "there is no such folder", START_HERE) from error
    except NotADirectoryError as error:
        raise fault(folder, "this is a file, not a folder of migrations", START_HERE) from error
    except OSError as error:
        raise unreadable(folder, error) from error


def _is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder. Raises: CatalogueError if it is no file either."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise fault(path, "this is neither a file nor a folder", "move it out of the folder")
    return stat.S_ISDIR(mode)


def _file_entries(path: Path, place: Place) -> tuple[FolderEntry, ...]:
    """Return the entry for a file; none where it does not look like a migration."""
    if not split_name(path.name)[1]:
        if _begins_with_number(path.name):
            raise fault(
                path,
                "the name begins with a number, but no migration ends so",
                "write NAME.sql or NAME.py, move the file elsewhere, or name it in bb_ignore",
            )
        return ()
    if doubt := place.siblings.fault(path.name):
        raise fault(path, *doubt)
    return (place.entry(path),)


def _folder_entries(
    path: Path, place: Place
) -> tuple[tuple[FolderEntry, ...], tuple[Problem, ...]]:
    """Return the entry for a folder with an up or a down half, or those in that of a version.

    None for one without any SQL, and for a package that the migrations import.
    """
    names = frozenset(child.name for child in _contents(path))
    if names & HALVES:
        if doubt := number_fault(path.name):
            raise fault(path, *doubt)
        return (place.entry(path, names),), ()
    if "__init__.py" in names and not any(map(_begins_with_number, names)):
        return (), ()
    has_sql = any(name.lower().endswith(".sql") for name in names)
    if has_sql and not place.within and version_of(path.name):
        return list_entries(path, place.sources, place.rules, f"{path.name}/", place.steps)
    if _begins_with_number(path.name) or has_sql:
        raise fault(
            path,
            "the folder holds neither up.sql nor migration.sql",
            "write NAME/up.sql, or move the folder out of this one",
        )
    return (), ()


def _begins_with_number(name: str) -> bool:
    return leading_number(name) is not None or name[0] in "0123456789"
