"""The migrations as pytest sees them: Directory, File for a migration, Item for a check.

What tells of failures is imported where there are any.
"""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.checks.changed_since import with_changes
from pytest_bbmigrate.errors import BBMigrateError, CatalogueError, StateUnreachable
from pytest_bbmigrate.judge.kept_judge import KeptJudge
from pytest_bbmigrate.plugin.invocation import rerun_command
from pytest_bbmigrate.plugin.judging import judge_of, judges_here
from pytest_bbmigrate.plugin.keeping import CACHED
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import text_properties
from pytest_bbmigrate.private import safe_exception
from pytest_bbmigrate.report.summary import TOLD, result_properties
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome, Verdict
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from pytest_bbmigrate.report.told import Told

_TOLD = pytest.StashKey[set[int]]()  # positions of migrations whose failure some check tells


class CheckFailed(AssertionError):
    """Raised by an item whose claim does not hold; ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(visible_line(f"{verdict.subject}: {verdict.check}"))


class NotTried(Exception):
    """Raised by a check that could not be tried, where nothing else tells what stands in its way.

    ``migration`` is the one that does, and ``verdict`` says why.
    """

    def __init__(self, migration: str, verdict: Verdict) -> None:
        self.migration = migration
        self.verdict = verdict
        super().__init__(f"not tried, for {migration} does not apply")


class CheckItem(pytest.Item):
    """One check, of one migration or of the folder."""

    told: Told | None = None  # what it has found, if anything, once it was asked

    @property
    @abc.abstractmethod
    def subject(self) -> str:
        """The name of the migration, or of the folder, that is checked."""

    @property
    def asked(self) -> str:
        """What is asked, as it stands behind the path on the command line."""
        return self.name

    @abc.abstractmethod
    def is_kept(self) -> bool:
        """Return whether the verdict was reached by an earlier run, on what is still the same."""

    @abc.abstractmethod
    def judge(self) -> Verdict:
        """Return the verdict."""

    def tell(self, verdict: Verdict) -> Told | None:
        """Return what ``verdict`` has found, of the migration or folder that it is about.

        None where that is nothing; which declarations nothing needs is for a draft alone.
        """
        is_drafted = self.config.getoption("bb_draft_contracts") is not None
        if not (verdict.findings or is_drafted):
            return None
        from pytest_bbmigrate.report.told import told_of

        catalogue = project_of(self.config).catalogue
        if verdict.check == CATALOGUE_CHECK:
            return told_of(verdict, -1, verdict.subject)
        position = catalogue.position(verdict.subject)
        migration = catalogue.migrations[position]
        file = catalogue.file_name(migration)
        return told_of(verdict, position, migration.name, file, migration.function)

    def runtest(self) -> None:
        """Judge; a check that fails raises CheckFailed, one that cannot be made skips."""
        text = text_properties(self.config)
        self.user_properties[:] = [*result_properties(self.subject, self.name), *text]
        is_kept = self.is_kept()
        try:
            verdict = self.judge()
            self.told = self.tell(verdict)
        except StateUnreachable as error:
            pytest.skip(visible(str(error)))
        self.user_properties[:] = [*result_properties(self.subject, self.name, verdict), *text]
        if is_kept:
            self.user_properties.append((CACHED, True))
        if verdict.outcome is Outcome.FAILED:
            raise CheckFailed(verdict)
        if verdict.outcome is Outcome.SKIPPED:
            pytest.skip(visible(verdict.reason))

    # The types of a style and of a representation are not public in pytest.
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return a verdict or an error of ours in words; anything else as pytest shows it."""
        from pytest_bbmigrate.plugin.whose_rows import whose_rows
        from pytest_bbmigrate.report import describe_failure, describe_unreadable

        rerun = rerun_command(self.config, self.path, self.asked)
        if isinstance(excinfo.value, CheckFailed | NotTried):
            rows = whose_rows(project_of(self.config))
            text = describe_failure(excinfo.value.verdict, rerun, rows)
            is_tried = isinstance(excinfo.value, CheckFailed)
            return text if is_tried else visible(f"{excinfo.value}\n{text}")
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
        path = str(self.path)
        shown = visible_line(path)
        name = visible_line(f"{self.subject}: {self.name}")
        return self.path if shown == path else Path(shown), 0, name


class CatalogueCheck(CheckItem):
    """The check of the folder as a whole."""

    @property
    def subject(self) -> str:
        """The folder's name."""
        return self.path.name

    def is_kept(self) -> bool:
        """Return whether the verdict was reached by an earlier run."""
        if isinstance(project_of(self.config).reading, CatalogueError):
            return False
        judge = judge_of(self.config)
        return isinstance(judge, KeptJudge) and judge.has_folder

    def judge(self) -> Verdict:
        """Return whether every file reads, has stayed, and every contract names what exists."""
        verdict = judge_of(self.config).folder_verdict()
        return with_changes(verdict, project_of(self.config).past)


class MigrationCheck(CheckItem):
    """One check of one migration."""

    position: int

    @property
    def subject(self) -> str:
        """The migration's name."""
        return project_of(self.config).catalogue.migrations[self.position].name

    @property
    def asked(self) -> str:
        """The check, behind the function where that is the migration."""
        function = project_of(self.config).catalogue.migrations[self.position].function
        return f"{function}::{self.name}" if function else self.name

    def is_kept(self) -> bool:
        """Return whether the verdict was reached by an earlier run."""
        judge = judge_of(self.config)
        return isinstance(judge, KeptJudge) and judge.has(self.position, self.name)

    def judge(self) -> Verdict:
        """Return this check's verdict on the migration; show what that printed with the first."""
        judge = judge_of(self.config)
        try:
            verdict, printed = judge.verdict(self.position, self.name)
        except StateUnreachable as error:
            position = project_of(self.config).catalogue.position(error.migration)
            if not self._is_told(position):
                verdict = judge.verdict(position, CHECKS[0])[0]
                self.told = self.tell(verdict)
                raise NotTried(error.migration, verdict) from None
            raise
        if verdict.outcome is Outcome.SKIPPED and not self._is_told(self.position):
            first, _ = judge.verdict(self.position, CHECKS[0])
            if first.outcome is Outcome.FAILED:
                return first
        is_told = any(finding.printed for finding in verdict.findings)
        if printed and self.name == CHECKS[0] and not is_told:
            self.add_report_section("call", "stdout", visible(printed))
        return verdict

    def _is_told(self, position: int) -> bool:
        """Return whether another check tells that the migration at ``position`` fails.

        Its own does where it is asked for; else the first that could not be tried does.
        """
        told = self.config.stash[_TOLD]
        is_told = position in told
        told.add(position)
        return is_told


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
    config.stash[_TOLD] = {position for position, names in expected.items() if CHECKS[0] in names}
    judge_of(config).expect(expected, works_ahead=not hasattr(config, "workerinput"))


def complete_report(item: pytest.Item, report: pytest.TestReport) -> None:
    """Give the report of a check what that has found.

    A skipped one names its migration's file, not our line of code. What ran on hidden rows of the
    user's own has not printed or logged anything.
    """
    if not isinstance(item, CheckItem):
        return
    if report.skipped and isinstance(report.longrepr, tuple):
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), line + 1, report.longrepr[2])
    if item.told is not None and report.when == "call":
        from pytest_bbmigrate.report.told import to_plain

        setattr(report, TOLD, to_plain(item.told))
    if report.sections and project_of(item.config).hides_own:
        report.sections = []
