"""What can go wrong that is no fault of a migration's.

    BBMigrateError
    ├── SettingsError       an option or a configured value is not understood
    ├── CatalogueError      the migration folder does not read; carries every Problem found
    ├── DatabaseError       a database file cannot be opened or read; carries its path
    ├── SeedingError        the user's own rows (bb_rows_from) do not read or do not fit
    ├── StepFailed          a step of a run on the real database cannot be done
    └── StateUnreachable    an earlier migration does not apply, so a later one cannot be tried

A broken migration is none of these: it is evidence, see ``pytest_bbmigrate.experiment``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class BBMigrateError(Exception):
    """The common base: a message that names what is wrong and says the way out."""

    def __str__(self) -> str:
        return visible(super().__str__())


class SettingsError(BBMigrateError):
    """Raised when an option or a configured value is not understood."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a migration file: where it is, what it is, what to write instead.

    ``line`` counts from 1; None when the problem is the file itself.
    """

    path: Path
    line: int | None
    message: str
    remedy: str

    def __str__(self) -> str:
        path = visible_line(str(self.path))
        where = f"{path}:{self.line}" if self.line else path
        return f"{where}: {self.message}; {self.remedy}"


class CatalogueError(BBMigrateError):
    """Raised when a migration folder does not read; ``problems`` holds every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DatabaseError(BBMigrateError):
    """Raised when a database file cannot be opened or read; ``path`` names it."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"{visible_line(str(path))}: {message}")


class SeedingError(BBMigrateError):
    """Raised when the user's own rows do not read or do not fit; ``path`` names the file."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"{visible_line(str(path))}: {message}")


class StepFailed(BBMigrateError):
    """Raised when a step of the run cannot be done: a message that says what, and the way out.

    Nothing has been published when it is raised, unless the message says so.
    """


class StateUnreachable(BBMigrateError):
    """Raised when an earlier migration does not apply; ``migration`` is its name.

    ``lacks`` is what the set-up lacks that it needs, '' where the migration is at fault.
    """

    def __init__(self, migration: str, lacks: str = "") -> None:
        self.migration = migration
        self.lacks = lacks
        why = f"needs {lacks}, which is not here" if lacks else "does not apply"
        super().__init__(f"{migration} {why}, so nothing after it can be tried")
