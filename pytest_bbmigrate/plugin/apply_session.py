"""A session that applies: what it does around its tests, and how its steps are reported."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.backup_condition import lost_backup
from pytest_bbmigrate.apply.backup_owners import age_of
from pytest_bbmigrate.apply.preflight import preflight, preflight_back
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
from pytest_bbmigrate.apply.run import ApplyOrder, HistoryChanged, run_apply
from pytest_bbmigrate.apply.workspace import tidy
from pytest_bbmigrate.errors import BBMigrateError, SettingsError, StepFailed
from pytest_bbmigrate.plugin.apply_gate import ApplyGate, describe_faults
from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.judged import ORDER_INPUT, judge_in_order, refuse_unjudged
from pytest_bbmigrate.plugin.options import settings_of
from pytest_bbmigrate.plugin.ordering import SET_ASIDE_OUTPUT, record_set_aside
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import TEXT, fix
from pytest_bbmigrate.plugin.smoke.launch import run_smoke_tests
from pytest_bbmigrate.plugin.step_reporter import StepReporter
from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch, refuse_exits
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import (
    SummaryInput,
    describe_done,
    describe_left,
    describe_preflight,
)
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pytest_bbmigrate.apply.model import Preflight
    from pytest_bbmigrate.apply.run import ApplyResult
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.settings import Settings

BEFORE_TESTS = "preflight"
CHECKS_STEP = "checks"
STEPS = (BEFORE_TESTS, CHECKS_STEP, "lock", "backup", "rehearsal", "smoke", "publish", "verify")

PARAMETERS = re.compile(r"(?<=\w)\[.*\]")  # of a smoke test, by its node id: values

_APPLYING = pytest.StashKey["ApplySession"]()


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


def prepare_apply(session: pytest.Session) -> None:
    """Look at the real database before anything is collected; what is wrong is told later.

    Raises: pytest.UsageError when the option of a command names no version, or an argument a
        migration that is not to be applied or taken back.
    """
    config = session.config
    state = config.stash[_APPLYING] = ApplySession(DatabaseWatch(settings_of(config).database))
    if config.getoption("collectonly"):
        return
    started = time.perf_counter()
    refuse_exits(config)
    project = project_of(config)
    try:
        refuse_unknown_target(config, project.catalogue)
        with showing_values(everything=config.getoption("bb_show_values")):
            state.preflight = _preflight(config, project.settings, project.catalogue)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    except BBMigrateError as error:
        state.fault = str(error)
    state.seconds = time.perf_counter() - started
    if state.preflight is not None:
        judge_in_order(config, *order_of(state.preflight))
        refuse_unjudged(config)
    config.pluginmanager.register(ApplyHooks(session), "bbmigrate_apply")
    config.add_cleanup(lambda: tell_untold(config))  # where pytest never comes to its end


def refuse_unknown_target(config: pytest.Config, catalogue: Catalogue) -> None:
    """Raise SettingsError when ``--bb-to`` names no migration of ``catalogue``."""
    wanted = config.getoption("bb_to")
    try:
        _ = wanted and catalogue.position(wanted)
    except LookupError as error:
        raise SettingsError(f"--bb-to={wanted}: {error.args[0]}") from error


class ApplyHooks:
    """The hooks of a session that applies."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down what became of a check."""
        state = self._session.config.stash[_APPLYING]
        if hasattr(report, "node"):  # of a worker: xdist has counted anew, without our steps
            self._session.testscollected += state.steps
            state.steps = 0
        note_report(self._session.config, report)
        state.database_watch.look(f"{report.nodeid} had run")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # a type of xdist's, which has none
        """Take over which tests a worker has set aside."""
        output = getattr(node, "workeroutput", {})  # it has none when it was killed
        if SET_ASIDE_OUTPUT in output:
            record_set_aside(self._session.config, *output[SET_ASIDE_OUTPUT])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Have a session that should have applied, and did not, end with another code than 0.

        What became of the database is told last where pytest tells nothing, or others raise.
        """
        try:
            self._session.config.stash[
                _APPLYING
            ].database_watch.undo_mode()  # where nobody has looked
            self._refuse_success()
            return (yield)
        finally:
            self._refuse_success()
            tell_untold(self._session.config)

    def _refuse_success(self) -> None:
        state = self._session.config.stash[_APPLYING]
        is_done = state.done is not None or (state.preflight and not state.preflight.pending)
        if not is_done and self._session.exitstatus == pytest.ExitCode.OK:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Apply, once every test has run to its end, and before pytest says that all is done."""
        result = yield
        conclude(self._session)
        return result


def _preflight(config: pytest.Config, settings: Settings, catalogue: Catalogue) -> Preflight:
    if config.getoption("bb_rollback") is not None:
        return preflight_back(
            settings.database,
            catalogue,
            which=config.getoption("bb_rollback"),
            backup_folder=backup_folder(settings),
            hook=project_of(config).environment.prepare_connection,
        )
    return preflight(
        settings.database,
        catalogue,
        to=config.getoption("bb_to") or "",
        allow_late=config.getoption("bb_allow_late"),
        create=config.getoption("bb_create"),
        backup_folder=backup_folder(settings),
        hook=project_of(config).environment.prepare_connection,
    )


def order_of(found: Preflight) -> tuple[list[str], list[str]]:
    """Return the migrations in the order that the database gets them, and those to be judged."""
    applied = [migration.name for migration in found.statuses.applied]
    pending = [migration.name for migration in found.pending]
    others = [p.migration.name for p in found.statuses.entries]
    later = [name for name in others if name not in {*applied, *pending}]
    if found.goes_back:
        return [*found.applied, *later], pending
    return [*applied, *pending, *later], pending


def tell_worker(node: Any) -> None:
    """Give a worker of xdist the order of the migrations, when there is something to apply."""
    found = node.config.stash[_APPLYING].preflight
    if found is not None:
        node.workerinput[ORDER_INPUT] = order_of(found)


def note_report(config: pytest.Config, report: pytest.TestReport) -> None:
    """Take down what became of a check."""
    properties = dict(report.user_properties)
    if "bb_check" not in properties or (report.when != "call" and report.passed):
        return
    gate, subject = config.stash[_APPLYING].gate, str(properties["bb_migration"])
    check = str(properties["bb_check"])
    gate.note(
        subject,
        check,
        str(properties.get("bb_verdict", "")) if report.when == "call" else "",
        report.outcome,
        expected=str(getattr(report, "wasxfail", "")),
    )
    if report.when == "call" and properties.get(TEXT) != fix(config).key:
        gate.refuse(subject, check, "judged another text than the one that is to be applied")


def begin(session: pytest.Session) -> bool | None:
    """Report the preflight; return True, which ends the loop, when no test is to run."""
    state = session.config.stash[_APPLYING]
    if session.config.getoption("collectonly"):
        return None
    state.database_watch.look("the tests were collected")
    reporter = StepReporter(session, state.details)
    found = state.preflight
    # What is reported counts: pytest shows how far a session is.
    state.steps = 1
    if found is not None and found.pending:
        state.steps = len(STEPS) - found.goes_back
    session.testscollected += state.steps
    if found is None:
        reporter.report(BEFORE_TESTS, "failed", state.fault, state.seconds)
        return True
    settings = project_of(session.config).settings
    if not found.pending and (left := tidy(settings.database, backup_folder(settings))):
        found = state.preflight = replace(found, notes=(*found.notes, left))
    text = describe_preflight(found, settings.database)
    reporter.report(BEFORE_TESTS, "passed", text, state.seconds)
    return None if found.pending else True


def conclude(session: pytest.Session) -> None:
    """Apply, when every check of what is pending was proved in this session."""
    state = session.config.stash[_APPLYING]
    found = state.preflight
    if found is None or not found.pending:
        return
    reporter = StepReporter(session, state.details)
    faults = (
        state.database_watch.fault(),
        state.database_watch.undo_mode(),
        _gate_fault(session, state, found),
    )
    if any(faults):
        reporter.report(CHECKS_STEP, "failed", "\n".join(filter(None, faults)), 0.0)
        return
    reporter.report(CHECKS_STEP, "passed", "every check of every pending migration passed", 0.0)
    order = _order(session.config, found)
    try:
        state.done = run_apply(order, reporter)
    except StepFailed as error:  # reported as a failed step
        state.is_anothers = isinstance(error, HistoryChanged)
    except Exception as error:
        state.broken_by = type(error).__name__
        raise
    finally:
        state.left = reporter.left


def _gate_fault(session: pytest.Session, state: ApplySession, found: Preflight) -> str:
    """Return why nothing may be applied after the session's tests, or ''."""
    project = project_of(session.config)
    names = [visible_line(migration.name) for migration in found.pending]  # as a check reports it
    faults = state.gate.faults(names, visible_line(project.settings.migrations.name))
    if session.testsfailed:
        faults = (f"{session.testsfailed} of the session's tests failed", *faults)
    if not faults:
        return ""
    return f"{state.database_watch.standing}: not everything was proved\n{describe_faults(faults)}"


def _order(config: pytest.Config, found: Preflight) -> ApplyOrder:
    project = project_of(config)
    settings = project.settings
    return ApplyOrder(
        database=settings.database,
        backup_folder=backup_folder(settings),
        preflight=found,
        rehearsal=_rehearsal(config, found),
        smoke=lambda work: _smoke(config, work),
        publishes=not config.getoption("bb_rehearse"),
        keep_backups=settings.keep_backups,
        start=project.base,
        discards=config.getoption("bb_discard_changes"),
        fixed=fix(config),
    )


def _rehearsal(config: pytest.Config, found: Preflight) -> RehearsalOrder:
    settings = project_of(config).settings
    return RehearsalOrder(
        migrations=settings.migrations,
        names=tuple(migration.name for migration in found.pending),
        checksums=tuple(migration.checksum for migration in found.pending),
        database=settings.database,
        root=settings.root,
        connection=settings.connection,
        invariants=settings.invariants,
        skip_way_back=config.getoption("bb_skip_way_back"),
        strict=settings.strict,
        batch=found.batch,
        renamed=tuple(
            (place.applied_as, place.migration.name)
            for place in found.statuses.entries
            if place.applied_as is not None and place.applied_as != place.migration.name
        ),
        goes_back=found.goes_back,
        applied=found.applied,
        start=project_of(config).base,
        fixed=fix(config),
        importing=project_of(config).importing,
        since=project_of(config).began,
        shows_values=config.getoption("bb_show_values"),
    )


def _smoke(config: pytest.Config, work: Path) -> str:
    """Run the smoke tests on copies of ``work`` and say how many passed.

    Raises: StepFailed when one did not.
    """
    result = run_smoke_tests(config, work)
    if result.fault and config.getoption("bb_show_values"):
        raise StepFailed(f"{result.fault}\n{result.output}")
    if result.fault:
        raise StepFailed(PARAMETERS.sub("[..]", result.fault))
    return result.summary


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
    state, settings = config.stash[_APPLYING], project_of(config).settings
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
    state = config.stash[_APPLYING]
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
