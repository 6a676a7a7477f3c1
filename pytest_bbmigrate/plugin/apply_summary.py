"""The last lines of a session that applies: the result of its run, and what is on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backup_condition import restore_obstacle
from pytest_bbmigrate.apply.backup_owners import backup_time
from pytest_bbmigrate.plugin.apply_gate import ApplyGate
from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import SummaryInput, describe_done, describe_file_found
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.early_backup import EarlyBackup
    from pytest_bbmigrate.apply.model import Preflight
    from pytest_bbmigrate.apply.run import ApplyResult
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch

APPLY_SESSION = pytest.StashKey["ApplySession"]()


@dataclass
class ApplySession:
    """What this session knows of its apply so far.

    ``fault`` is why the preflight failed, ``result`` what was applied; ``file_found`` is what was
    found on the disk at the end of a run that had the lock. ``unexpected_error`` is the kind of an
    error that nobody expected, . ``steps_done`` has each step's name, outcome and text.
    """

    database_watch: DatabaseWatch
    preflight: Preflight | None = None
    fault: str = ""
    gate: ApplyGate = field(default_factory=ApplyGate)
    result: ApplyResult | None = None
    applied_by_another: bool = False  # whether another run has published in the meantime
    file_found: FileFound | None = None
    steps_done: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0
    uncounted_steps: int = 0  # steps that pytest has not yet counted as tests
    unexpected_error: str = ""
    early_backup: EarlyBackup | None = None  # while it is there, and no run has its own
    names_paths_in_full: bool = False  # in what is typed to restore the backup
    is_summary_written: bool = False


def backup_fault(state: ApplySession, folder: Path) -> str:
    """Return why the backup of a run that failed is not to be offered for a restore, or ''."""
    passed = {step: text for step, outcome, text in state.steps_done if outcome == "passed"}
    name = passed.get("backup", "").split(";")[0]
    if "publish" not in passed or "verify" in passed or backup_time(name) is None:
        return ""  # there is nothing to restore, or the step verify has looked at the backup
    return restore_obstacle(folder / name)


def database_state(state: ApplySession) -> str:
    """Return in words what the database holds where nothing was published, as far as is known."""
    if state.file_found is not None and state.file_found.is_as_it_was and state.applied_by_another:
        return f"{state.file_found.database.name} is as another run has left it"
    if state.file_found is not None:
        return str(state.file_found)
    if any(step == "lock" and outcome == "passed" for step, outcome, _ in state.steps_done):
        return "the run was stopped before anybody could look at what the database holds now"
    return state.database_watch.summary


def write_apply_summary(reporter: pytest.TerminalReporter) -> None:
    """Write the result of the run: a section, or one line with -q."""
    config = reporter.config
    if config.getoption("collectonly"):
        return
    state, settings = config.stash[APPLY_SESSION], project_of(config).settings
    lines = describe_done(
        SummaryInput(
            settings.database,
            database_state(state),
            command_of(config, anywhere=state.names_paths_in_full),
            rehearsed=config.getoption("bb_rehearse"),
            is_rollback=config.getoption("bb_rollback") is not None,
            restore_obstacle=backup_fault(state, backup_folder(settings)),
            file_found=state.file_found,
            unexpected_error=state.unexpected_error,
            names_paths_in_full=state.names_paths_in_full,
        ),
        state.steps_done,
        state.result,
        state.preflight,
    )
    state.is_summary_written = True
    is_brief = reporter.config.getoption("verbose") < 0
    if is_brief and (state.file_found is None or state.file_found.is_as_it_was):
        reporter.write_line(visible_line(lines[0]))
        return
    reporter.write_sep("=", visible_line(settings.database.name))
    for line in lines:
        reporter.write_line(visible(line))


def write_summary_if_missing(config: pytest.Config) -> None:
    """Write the summary if pytest has not, which leaves it out after an internal error."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    state = config.stash[APPLY_SESSION]
    if reporter is None or state.is_summary_written:
        return
    try:
        write_apply_summary(reporter)
    except Exception:
        if state.file_found is not None and not state.is_summary_written:
            reporter.write_sep("=", visible_line(state.file_found.database.name))
            for line in (str(state.file_found), *describe_file_found(state.file_found, "pytest")):
                reporter.write_line(visible(line))
        raise
