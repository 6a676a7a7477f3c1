"""What a session that applies says last: what its run came to, and what is left on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backup_condition import lost_backup
from pytest_bbmigrate.apply.backup_owners import age_of
from pytest_bbmigrate.plugin.apply_gate import ApplyGate
from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import SummaryInput, describe_done, describe_left
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.apply.model import Preflight
    from pytest_bbmigrate.apply.run import ApplyResult
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch

APPLY_SESSION = pytest.StashKey["ApplySession"]()


@dataclass
class ApplySession:
    """What this session knows of its apply so far."""

    database_watch: DatabaseWatch
    preflight: Preflight | None = None
    fault: str = ""
    gate: ApplyGate = field(default_factory=ApplyGate)
    done: ApplyResult | None = None
    is_anothers: bool = False  # whether another run has published meanwhile
    left: FileFound | None = (
        None  # what was found on the disk at the end of a run that had the lock
    )
    details: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0  # those to be reported, until pytest has counted them
    broken_by: str = ""  # the kind of the error that nobody expected, '' for none
    is_told: bool = False  # whether the last lines are written


def _lost_backup(state: ApplySession, folder: Path) -> str:
    """Return why the backup is not to be named as the way back, where the run failed; or ''."""
    passed = {step: text for step, outcome, text in state.details if outcome == "passed"}
    name = passed.get("backup", "").split(";")[0]
    if "publish" not in passed or "verify" in passed or age_of(name) is None:
        return ""  # nothing is to be put back, or verify has looked at it
    return lost_backup(folder / name)


def standing_of(state: ApplySession) -> str:
    """Return what the database is like where nothing was published, as far as it was looked at."""
    if state.left is not None and state.left.is_as_it_was and state.is_anothers:
        return f"{state.left.database.name} is as another run has left it"
    if state.left is not None:
        return str(state.left)
    if any(step == "lock" and outcome == "passed" for step, outcome, _ in state.details):
        return "the run was stopped before anybody could look at what the database holds now"
    return state.database_watch.standing


def write_apply_summary(reporter: pytest.TerminalReporter) -> None:
    """Write what the run came to: a section, or one line when pytest is to be quiet."""
    config = reporter.config
    if config.getoption("collectonly"):
        return
    state, settings = config.stash[APPLY_SESSION], project_of(config).settings
    lines = describe_done(
        SummaryInput(
            settings.database,
            standing_of(state),
            command_of(config),
            rehearsed=config.getoption("bb_rehearse"),
            goes_back=config.getoption("bb_rollback") is not None,
            lost_backup=_lost_backup(state, backup_folder(settings)),
            left=state.left,
            broken_by=state.broken_by,
        ),
        state.details,
        state.done,
        state.preflight,
    )
    state.is_told = True
    is_brief = reporter.config.getoption("verbose") < 0
    if is_brief and (state.left is None or state.left.is_as_it_was):
        reporter.write_line(visible_line(lines[0]))
        return
    reporter.write_sep("=", visible_line(settings.database.name))
    for line in lines:
        reporter.write_line(visible(line))


def tell_untold(config: pytest.Config) -> None:
    """Write the summary where nobody has, for pytest leaves it out when something is amiss."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    state = config.stash[APPLY_SESSION]
    if reporter is None or state.is_told:
        return
    try:
        write_apply_summary(reporter)
    except Exception:
        if state.left is not None and not state.is_told:
            reporter.write_sep("=", visible_line(state.left.database.name))
            for line in (str(state.left), *describe_left(state.left, "pytest")):
                reporter.write_line(visible(line))
        raise
