"""The steps of a run on the real database, reported as pytest reports tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.run import RehearsalFailed
from pytest_bbmigrate.masking import mask_verdict_examples
from pytest_bbmigrate.plugin.invocation import rehearsal_command
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.errors import StepFailed

BAR_WIDTH = 30
PROGRESS_AFTER = 1.0  # seconds that a step takes before its progress is shown


def bar(part: float) -> str:
    """Return how much of 1 is done, as a bar and in percent."""
    return f"[{'#' * round(part * BAR_WIDTH):.<{BAR_WIDTH}}] {part:.0%}"


class StepReporter:
    """Reports the steps of the run as pytest reports tests: terminal, JUnit, other plugins."""

    def __init__(self, session: pytest.Session, details: list[tuple[str, str, str]]) -> None:
        self._session = session
        self._details = details
        self._started = time.perf_counter()
        self._shown = ""
        self.file_found: FileFound | None = None  # on the disk, at the end of the run

    def begin(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def progress(self, step: str, done: float | str) -> None:
        """Show how far a step is, on a terminal, once it has taken a second."""
        if time.perf_counter() - self._started >= PROGRESS_AFTER:
            shown = bar(done) if isinstance(done, float) else done
            self._show(visible_line(f"{self._name}::{step} {shown}"))

    def end(self, step: str, detail: str) -> None:
        """Report a step that is done."""
        self.report(step, "passed", detail, time.perf_counter() - self._started)

    def fail(self, step: str, error: StepFailed) -> None:
        """Report a step that failed, without any value of the database unless asked for."""
        self.report(step, "failed", self._text(error), time.perf_counter() - self._started)

    def conclude(self, left: FileFound) -> None:
        """Keep what was found on the disk for the summary."""
        self.file_found = left

    def report(self, step: str, outcome: str, text: str, seconds: float) -> None:
        """Send pytest's report of a test called ``step`` in a file called like the database."""
        self._show("")
        text = visible(text)
        self._details.append((step, outcome, text))
        hook = self._session.config.hook
        node, location = f"{self._name}::{step}", (self._name, None, step)
        hook.pytest_runtest_logstart(nodeid=node, location=location)
        for when in ("setup", "call", "teardown"):
            failed = when == "call" and outcome == "failed"
            hook.pytest_runtest_logreport(
                report=pytest.TestReport(
                    nodeid=node,
                    location=location,
                    keywords={step: 1},
                    outcome="failed" if failed else "passed",
                    longrepr=text if failed else None,
                    when=when,
                    duration=seconds if when == "call" else 0.0,
                    user_properties=[("bb_step", step), ("bb_detail", text)],
                )
            )
        hook.pytest_runtest_logfinish(nodeid=node, location=location)

    def _show(self, text: str) -> None:
        """On a terminal, write ``text`` over the progress shown last."""
        terminal = self._session.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and terminal.isatty and text != self._shown:
            terminal.rewrite(text, erase=True)
            self._shown = text

    @property
    def _name(self) -> str:
        return visible_line(project_of(self._session.config).settings.database.name)

    def _text(self, error: StepFailed) -> str:
        if not isinstance(error, RehearsalFailed):
            return str(error)
        config = self._session.config
        shows = config.getoption("bb_show_values")
        rows = "of the real database" + ("" if shows else "; --bb-show-values shows their values")
        rerun = rehearsal_command(config)
        verdicts = error.verdicts if shows else map(mask_verdict_examples, error.verdicts)
        return "\n\n".join(
            f"{verdict.subject}: {verdict.check}: {describe_failure(verdict, rerun, rows)}"
            for verdict in verdicts
        )
