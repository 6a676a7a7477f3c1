"""Many failed checks in groups on the terminal; reports, and what is made of them, have it all.

What tells of failures is imported where there are any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.options import settings_of, writes_database
from pytest_bbmigrate.report.summary import TOLD
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_bbmigrate.report.told import Told

GROUPED = "bb grouped"  # among pytest's kinds of reports, while the summary is written
CHECK = "--bb-check-migrations"
MOST_FILES = 40  # of which the progress names each
MOST_IN_FULL = 12  # failed checks whose texts are all shown


class Grouping:
    """Keeps pytest from writing the text of each failed check where there are many."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, object, object]:
        """Set the failed checks aside while pytest writes failures, and bring them back."""
        stats = terminalreporter.stats
        failed = stats.get("failed", [])
        grouped = [report for report in failed if getattr(report, TOLD, None)]
        config = terminalreporter.config
        if len(grouped) <= MOST_IN_FULL or config.getoption("verbose") > 0:
            return (yield)
        stats["failed"] = [report for report in failed if report not in grouped]
        stats[GROUPED] = grouped
        try:
            return (yield)
        finally:
            stats["failed"] = failed
            del stats[GROUPED]


def prepare_grouping(config: pytest.Config) -> None:
    """Have many failed checks grouped, but where a database is to be changed."""
    if not writes_database(config):
        config.pluginmanager.register(Grouping(), "bbmigrate_grouping")


def shorten_progress(session: pytest.Session) -> None:
    """Have the progress not name every file where there are many; ``-v`` names each check."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    files = {item.path for item in session.items}
    if reporter is not None and len(files) > MOST_FILES:
        reporter.showfspath = False


def grouped_results(reporter: pytest.TerminalReporter) -> list[Told]:
    """Return what the checks have found whose texts are not written; [] where all are."""
    reports = reporter.stats.get(GROUPED)
    if not reports:
        return []
    from pytest_bbmigrate.report.told import from_plain

    return [from_plain(getattr(report, TOLD)) for report in reports]


def write_groups(reporter: pytest.TerminalReporter, told: list[Told]) -> None:
    """Write what many checks have found."""
    from pytest_bbmigrate.report.groups import describe_groups

    reporter.write_sep("=", "findings")
    for line in describe_groups(told):
        reporter.write_line(visible_line(line), bold=bool(line) and not line.startswith(" "))


def write_next(reporter: pytest.TerminalReporter) -> None:
    """Write what to do next where what was found stands in groups."""
    config, told = reporter.config, grouped_results(reporter)
    if not told:
        return
    from pytest_bbmigrate.report.groups import describe_next
    from pytest_bbmigrate.report.told import sort_out

    faults, declared = sort_out(told)
    name = next((fault.told.migration for fault in faults), told[0].migration)
    commands = {
        command_of(config, CHECK, "-v"): "has every finding in full",
        command_of(config, CHECK, "-v", "-k", name): "has those of one migration",
    }
    if declared and config.getoption("bb_draft_contracts") is None:
        from pytest_bbmigrate.plugin.drafting import DEFAULT_FILE

        read = settings_of(config).contracts_file
        file = read.name if read is not None else DEFAULT_FILE
        drafting = command_of(config, CHECK, "--bb-draft-contracts")
        commands[drafting] = f"writes the lines into {file}, for you to read"
    reporter.write_sep("=", "what next")
    for line in describe_next(commands):
        reporter.write_line(visible_line(line))
