"""The migrations as pytest sees them: Directory, File for a migration, Item for a check."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from pytest_bbmigrate.errors import BBMigrateError, CatalogueError, StateUnreachable
from pytest_bbmigrate.plugin.invocation import rerun_command
from pytest_bbmigrate.plugin.judging import judge_of, judges_here
from pytest_bbmigrate.plugin.options import migrations_folder
from pytest_bbmigrate.plugin.selection import selection_of
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import text_properties
from pytest_bbmigrate.plugin.whose_rows import whose_rows
from pytest_bbmigrate.private import safe_exception
from pytest_bbmigrate.report import (
    describe_failure,
    describe_unreadable,
)
from pytest_bbmigrate.report.summary import result_properties
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome, Verdict
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.project import Project


_TOLD = pytest.StashKey[set[int]]()  # positions of migrations whose failure a check has told


class CheckFailed(AssertionError):
    """Raised by an item whose claim does not hold; ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(visible_line(f"{verdict.subject}: {verdict.check}"))


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


class NotTried(Exception):
    """Raised by a check that could not be tried, where nothing else tells what stands in its way.

    ``migration`` is the one that does, and ``verdict`` says why.
    """

    def __init__(self, migration: str, verdict: Verdict) -> None:
        self.migration = migration
        self.verdict = verdict
        super().__init__(f"not tried, for {migration} does not apply")


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
    """One migration."""

    position: int

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each check."""
        selection = selection_of(self.config)
        selected = (selection or {}).get(self.path) or frozenset(CHECKS)
        unknown = sorted(selected - frozenset(CHECKS))
        if unknown:
            raise self.CollectError(
                visible(f"{unknown[0]} is not a check; the checks are {', '.join(CHECKS)}")
            )
        for check in CHECKS:
            if check in selected:
                item: MigrationCheck = MigrationCheck.from_parent(self, name=check)
                item.position = self.position
                yield item


class UnreadableFile(NamedCollector, pytest.File):
    """A file asked for by name, in a folder that cannot be read."""

    error: CatalogueError

    def collect(self) -> Iterator[pytest.Item]:
        """Raise the folder's error, which pytest shows without a traceback."""
        raise self.CollectError(
            describe_unreadable(
                self.error, rerun_command(self.config, self.path.parent, CATALOGUE_CHECK)
            )
        )


class CheckItem(pytest.Item):
    """One check, of one migration or of the folder."""

    @property
    @abc.abstractmethod
    def subject(self) -> str:
        """The name of the migration, or of the folder, that is checked."""

    @abc.abstractmethod
    def judge(self) -> Verdict:
        """Return the verdict."""

    def runtest(self) -> None:
        """Judge; a check that fails raises CheckFailed, one that cannot be made skips."""
        text = text_properties(self.config)
        self.user_properties[:] = [*result_properties(self.subject, self.name), *text]
        try:
            verdict = self.judge()
        except StateUnreachable as error:
            pytest.skip(visible(str(error)))
        self.user_properties[:] = [*result_properties(self.subject, self.name, verdict), *text]
        if verdict.outcome is Outcome.FAILED:
            raise CheckFailed(verdict)
        if verdict.outcome is Outcome.SKIPPED:
            pytest.skip(visible(verdict.reason))

    # The types of a style and of a representation are not public in pytest.
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return a verdict or an error of ours in words; anything else as pytest shows it."""
        rerun = rerun_command(self.config, self.path, self.name)
        if isinstance(excinfo.value, CheckFailed):
            return describe_failure(
                excinfo.value.verdict, rerun, whose_rows(project_of(self.config))
            )
        if isinstance(excinfo.value, NotTried):
            why = describe_failure(
                excinfo.value.verdict, rerun, whose_rows(project_of(self.config))
            )
            return visible(f"{excinfo.value}\n{why}")
        if isinstance(excinfo.value, CatalogueError):
            return describe_unreadable(excinfo.value, rerun)
        if isinstance(excinfo.value, BBMigrateError):
            return str(excinfo.value)
        if project_of(self.config).hides_own:
            frame = excinfo.traceback[-1]
            return f"{frame.path}:{frame.lineno + 1}: {safe_exception(excinfo.value)}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, and the name for the failure's heading."""
        name = visible_line(f"{self.subject}: {self.name}")
        return Path(visible_line(str(self.path))), 0, name


class CatalogueCheck(CheckItem):
    """The check of the folder as a whole."""

    @property
    def subject(self) -> str:
        """The folder's name."""
        return self.path.name

    def judge(self) -> Verdict:
        """Return whether every file reads and every contract names what exists."""
        return judge_of(self.config).folder_verdict()


class MigrationCheck(CheckItem):
    """One check of one migration."""

    position: int

    @property
    def subject(self) -> str:
        """The migration's name."""
        return project_of(self.config).catalogue.migrations[self.position].name

    def judge(self) -> Verdict:
        """Return this check's verdict on the migration; show what that printed with the first."""
        judge = judge_of(self.config)
        try:
            verdict, printed = judge.verdict(self.position, self.name)
        except StateUnreachable as error:
            position = project_of(self.config).catalogue.position(error.migration)
            if not self._is_told(position):
                raise NotTried(error.migration, judge.verdict(position, CHECKS[0])[0]) from None
            raise
        if verdict.outcome is Outcome.SKIPPED and not self._is_told(self.position):
            first, _ = judge.verdict(self.position, CHECKS[0])
            if first.outcome is Outcome.FAILED:
                return first
        if printed and self.name == CHECKS[0]:
            self.add_report_section("call", "stdout", visible(printed))
        return verdict

    def _is_told(self, position: int) -> bool:
        """Return whether this session tells of itself that the migration at ``position`` fails.

        It does where that is asked of it, or was told in place of what could not be tried.
        """
        told = self.config.stash.setdefault(_TOLD, set())
        if position in told:
            return True
        told.add(position)
        return any(
            isinstance(item, MigrationCheck)
            and item.position == position
            and item.name == CHECKS[0]
            for item in self.session.items
        )


def expect_checks(session: pytest.Session) -> None:
    """Tell the judge which checks this session will ask for.

    A worker of xdist is told by its controller, one after another, which migrations are its own.
    """
    config = session.config
    checks = [item for item in session.items if isinstance(item, MigrationCheck)]
    if not checks or not judges_here(config):
        return
    expected: dict[int, tuple[str, ...]] = {}
    for item in checks:
        expected[item.position] = (*expected.get(item.position, ()), item.name)
    judge_of(config).expect(expected, works_ahead=not hasattr(config, "workerinput"))


def hide_captured(item: pytest.Item, report: pytest.TestReport) -> None:
    """Drop what a check has printed and logged where it ran on hidden rows of the user's own."""
    if isinstance(item, CheckItem) and project_of(item.config).hides_own:
        report.sections = []


def place_skip(item: pytest.Item, report: pytest.TestReport) -> None:
    """Make the report of a skipped check name its migration's file, not our line of code."""
    if isinstance(item, CheckItem) and report.skipped and isinstance(report.longrepr, tuple):
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), line + 1, report.longrepr[2])


def _positions_judged(session: pytest.Session, project: Project) -> Iterator[int]:
    """Yield the positions of the migrations to judge.

    What bb_check_from leaves out is judged when asked for by name. A session that changes a
    database judges the migrations that it applies or rolls back.
    """
    selection, unjudged = selection_of(session.config), project.unjudged
    first = project.first if project.judged is None else 0
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
        elif position >= first or session.isinitpath(migration.path):
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
            file.position = positions_below[0]
            yield file
        else:
            folder: MigrationFolder = MigrationFolder.from_parent(parent, path=path)
            folder.positions = positions_below
            yield folder
