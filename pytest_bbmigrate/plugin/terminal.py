"""What a session that checks migrations writes to the terminal beside pytest's own."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import Catalogue
from pytest_bbmigrate.plugin.grouping import grouped_results, write_groups
from pytest_bbmigrate.plugin.judging import judges_elsewhere
from pytest_bbmigrate.plugin.keeping import what_is_not_kept
from pytest_bbmigrate.plugin.options import app_python_of, applies_here, writes_database
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.report.summary import (
    Result,
    cut,
    describe_briefly,
    describe_header,
    describe_results,
    describe_runner,
    describe_smoke_tests,
    read_result,
)
from pytest_bbmigrate.sandbox import landlock, sandbox_exec
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.project import Project


UNCONFINED = (
    "bbmigrate: this system has no Landlock, so that no kernel keeps from your files what a Python "
    "migration does in C, or by another program"
)
# What no Mac has confirmed is not relied on: all else is as without it.
MEANT_TO_HOLD = (
    "bbmigrate: sandbox-exec is to keep from your files what a Python migration does, which no Mac "
    "has confirmed"
)
BACKED_UP = ": the database is backed up before they run"


def header(config: pytest.Config) -> list[str]:
    """Return the header's lines."""
    project = project_of(config)
    settings = project.settings
    folder = settings.migrations
    if folder.is_relative_to(config.rootpath):
        folder = folder.relative_to(config.rootpath)
    count = len(project.reading.migrations) if isinstance(project.reading, Catalogue) else 0
    python = app_python_of(config)
    version = f"SQLite {sqlite3.sqlite_version}" if python is None else str(python)
    judged = None if project.judged is None else len(project.judged)
    runner = describe_runner(project.environment.profile, foreign_keys=settings.foreign_keys)
    lines = [describe_header(folder, count, settings.rows, settings.seed, version, runner, judged)]
    if judges_elsewhere(config) and not landlock.abi_version():
        held = MEANT_TO_HOLD if sandbox_exec.is_usable() else UNCONFINED
        lines.append(held + BACKED_UP * is_backed_up_early(config))
    if writes_database(config):
        from pytest_bbmigrate.plugin.smoke.launch import may_have_smoke_tests

        if may_have_smoke_tests(config):
            is_rollback = config.getoption("bb_rollback") is not None
            lines.append(describe_smoke_tests(is_rollback=is_rollback))
    return [visible_line(line) for line in lines]


def is_backed_up_early(config: pytest.Config) -> bool:
    """Return whether this process makes a backup before the checks."""
    if not applies_here(config):
        return False
    from pytest_bbmigrate.plugin.apply_summary import APPLY_SESSION
    from pytest_bbmigrate.plugin.early_backup import backs_up_early

    return backs_up_early(config, config.stash[APPLY_SESSION])


def write_checks_summary(reporter: pytest.TerminalReporter) -> None:
    """Write what was proved: a section, or one line with -q."""
    results = list(_results(reporter))
    if not results:
        return
    grouped = grouped_results(reporter)
    if grouped:
        write_groups(reporter, grouped)
    if reporter.config.getoption("verbose") < 0:
        reporter.write_line(visible_line(describe_briefly(results)))
        return
    reporter.write_sep("=", "migrations")
    project = project_of(reporter.config)
    as_applied = project.judged is not None
    unjudged = _unjudged_before(project) if as_applied else len(project.past.names)
    says = "" if as_applied else project.past.says
    for line in describe_results(results, unjudged, says=says, in_groups=bool(grouped)):
        shown = cut(line) if grouped else line
        reporter.write_line(visible_line(shown), red=line.startswith("failed: "))
    if reporter.config.getoption("verbose") > 0 and (said := what_is_not_kept(reporter.config)):
        reporter.write_line(visible_line(said))


def _unjudged_before(project: Project) -> int:
    """Return how many migrations before the last judged one have run unjudged."""
    unjudged = [m.name in project.unjudged for m in project.catalogue.migrations]
    while unjudged and unjudged[-1]:
        unjudged.pop()
    return sum(unjudged)


def _results(reporter: pytest.TerminalReporter) -> Iterator[Result]:
    """Yield the result of each check from pytest's reports, all that xdist's workers send."""
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and (report.when == "call" or report.failed):
                result = read_result(report.user_properties, report.outcome, _reason(report))
                if result is not None:
                    yield result


def _reason(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return ""
