"""Collect the migration folder: its files and folders, and for each an item for every check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import pytest

from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.plugin.invocation import rerun_command
from pytest_bbmigrate.plugin.items import CatalogueCheck, MigrationCheck
from pytest_bbmigrate.plugin.options import migrations_folder
from pytest_bbmigrate.plugin.selection import selection_of
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.project import Project


def collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Return the collector of ``path`` when it is the migration folder or above it."""
    folder = migrations_folder(parent.config)
    if path == folder:
        directory: MigrationsDirectory = MigrationsDirectory.from_parent(parent, path=path)
        return directory
    if folder.is_relative_to(path) and (path / "__init__.py").is_file():
        # As a package, pytest would import its __init__.py for every check: the app's own code,
        # which may open the real database.
        return pytest.Dir.from_parent(parent, path=path)
    return None


class NamedCollector(pytest.Collector):
    """A collector whose path may have any name: pytest prints its node id as it is."""

    @classmethod
    def from_parent(cls, parent: pytest.Collector, **given: Any) -> Self:
        """Return the collector with a node id that may be printed, as may those below it."""
        node = super().from_parent(parent, **given)
        shown = visible_line(node.nodeid)
        if shown == node.nodeid:
            return node
        return super().from_parent(parent, nodeid=shown, **given)

    def __repr__(self) -> str:
        return visible_line(super().__repr__())


class MigrationsDirectory(NamedCollector, pytest.Directory):
    """The migration folder."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield the check of the folder as a whole, then its migrations in their order."""
        project = project_of(self.config)
        yield CatalogueCheck.from_parent(self, name=CATALOGUE_CHECK)
        if isinstance(project.reading, CatalogueError):
            yield from self._unreadable(project.reading)
        else:
            yield from _children(self, _positions_judged(self.session, project))

    def _unreadable(self, error: CatalogueError) -> Iterator[pytest.Collector]:
        """Yield a collector for each path asked for by name; it fails with the folder's error."""
        for path in sorted(self.path.rglob("*")):
            if self.session.isinitpath(path):
                file: UnreadableFile = UnreadableFile.from_parent(self, path=path)
                file.error = error
                yield file


class MigrationFolder(NamedCollector, pytest.Directory):
    """A folder within the migration folder."""

    positions: Sequence[int] = ()

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield the migrations in it, in their order."""
        yield from _children(self, self.positions)


class MigrationFile(NamedCollector, pytest.File):
    """One migration, or a file of several."""

    positions: Sequence[int] = ()

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each check, or a collector for each function that is a migration."""
        migrations = project_of(self.config).catalogue.migrations
        functions = {migrations[position].function: position for position in self.positions}
        selected = (selection_of(self.config) or {}).get(self.path) or frozenset()
        unknown = sorted(selected - frozenset(CHECKS) - functions.keys())
        if unknown:
            raise self.CollectError(
                visible(f"{unknown[0]} is not a check; the checks are {', '.join(CHECKS)}")
            )
        checks = [check for check in CHECKS if check in selected] or CHECKS
        wanted = (selected & functions.keys()) or functions.keys()
        for function, position in functions.items():
            if not function:
                yield from _checks(self, position, checks)
            elif function in wanted:
                step: MigrationFunction = MigrationFunction.from_parent(self, name=function)
                step.position, step.checks = position, checks
                yield step


class MigrationFunction(NamedCollector):
    """One migration of a file that holds several."""

    position: int
    checks: Sequence[str] = ()

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each check."""
        yield from _checks(self, self.position, self.checks)


class UnreadableFile(NamedCollector, pytest.File):
    """A file asked for by name, in a folder that cannot be read."""

    error: CatalogueError

    def collect(self) -> Iterator[pytest.Item]:
        """Raise the folder's error, which pytest shows without a traceback."""
        from pytest_bbmigrate.report import describe_unreadable

        raise self.CollectError(
            describe_unreadable(
                self.error, rerun_command(self.config, self.path.parent, CATALOGUE_CHECK)
            )
        )


def _checks(
    parent: MigrationFile | MigrationFunction, position: int, checks: Sequence[str]
) -> Iterator[pytest.Item]:
    """Yield an item for each of ``checks`` of the migration at ``position``."""
    for check in checks:
        item: MigrationCheck = MigrationCheck.from_parent(parent, name=check)
        item.position = position
        yield item


def _positions_judged(session: pytest.Session, project: Project) -> Iterator[int]:
    """Yield the positions of the migrations to judge.

    What is left out as old history is judged when asked for by name. A session that changes a
    database judges the migrations that it applies or rolls back.
    """
    selection, unjudged = selection_of(session.config), project.unjudged
    past = project.past.names if project.judged is None else frozenset()
    for position, migration in enumerate(project.catalogue.migrations):
        if migration.name in unjudged:
            continue
        if selection is not None:
            if any(
                migration.path.is_relative_to(path)
                for path in selection
                if path != project.settings.migrations
            ):
                yield position
        elif migration.name not in past or session.isinitpath(migration.path):
            yield position


def _children(
    parent: MigrationsDirectory | MigrationFolder, positions: Sequence[int] | Iterator[int]
) -> Iterator[pytest.Collector]:
    """Yield the files and folders right below ``parent`` that hold migrations, in order."""
    migrations = project_of(parent.config).catalogue.migrations
    below: dict[Path, list[int]] = {}
    for position in positions:
        part = migrations[position].path.relative_to(parent.path).parts[0]
        below.setdefault(parent.path / part, []).append(position)
    for path, positions_below in below.items():
        if path == migrations[positions_below[0]].path:
            file: MigrationFile = MigrationFile.from_parent(parent, path=path)
            file.positions = positions_below
            yield file
        else:
            folder: MigrationFolder = MigrationFolder.from_parent(parent, path=path)
            folder.positions = positions_below
            yield folder
