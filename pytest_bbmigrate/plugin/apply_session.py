"""A session that applies: what it does around its tests, and how its steps are reported."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.run import HistoryChanged, run_apply
from pytest_bbmigrate.apply.workspace import tidy
from pytest_bbmigrate.errors import BBMigrateError, SettingsError, StepFailed
from pytest_bbmigrate.plugin.apply_gate import describe_faults
from pytest_bbmigrate.plugin.apply_order import (
    order_apply,
    order_of,
    refuse_unknown_target,
    run_preflight,
)
from pytest_bbmigrate.plugin.apply_summary import APPLY_SESSION, ApplySession, tell_untold
from pytest_bbmigrate.plugin.judged import ORDER_INPUT, judge_in_order, refuse_unjudged
from pytest_bbmigrate.plugin.options import settings_of
from pytest_bbmigrate.plugin.ordering import SET_ASIDE_OUTPUT, record_set_aside
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import TEXT, fix
from pytest_bbmigrate.plugin.step_reporter import StepReporter
from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch, refuse_exits
from pytest_bbmigrate.private import telling
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import (
    describe_preflight,
)
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_bbmigrate.apply.model import Preflight

BEFORE_TESTS = "preflight"
CHECKS_STEP = "checks"
STEPS = (BEFORE_TESTS, CHECKS_STEP, "lock", "backup", "rehearsal", "smoke", "publish", "verify")


def prepare_apply(session: pytest.Session) -> None:
    """Look at the real database before anything is collected; what is wrong is told later.

    Raises: pytest.UsageError when the option of a command names no version, or an argument a
        migration that is not to be applied or taken back.
    """
    config = session.config
    state = config.stash[APPLY_SESSION] = ApplySession(DatabaseWatch(settings_of(config).database))
    if config.getoption("collectonly"):
        return
    started = time.perf_counter()
    refuse_exits(config)
    project = project_of(config)
    try:
        refuse_unknown_target(config, project.catalogue)
        with telling(everything=config.getoption("bb_show_values")):
            state.preflight = run_preflight(config, project.settings, project.catalogue)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    except BBMigrateError as error:
        state.fault = str(error)
    state.seconds = time.perf_counter() - started
    if state.preflight is not None:
        judge_in_order(config, *order_of(state.preflight))
        refuse_unjudged(config)
    config.pluginmanager.register(ApplyHooks(session), "bbmigrate_apply")


class ApplyHooks:
    """The hooks of a session that applies."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down what became of a check."""
        state = self._session.config.stash[APPLY_SESSION]
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
                APPLY_SESSION
            ].database_watch.undo_mode()  # where nobody has looked
            self._refuse_success()
            return (yield)
        finally:
            self._refuse_success()
            tell_untold(self._session.config)

    def _refuse_success(self) -> None:
        state = self._session.config.stash[APPLY_SESSION]
        is_done = state.done is not None or (state.preflight and not state.preflight.pending)
        if not is_done and self._session.exitstatus == pytest.ExitCode.OK:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Apply, once every test has run to its end, and before pytest says that all is done."""
        result = yield
        conclude(self._session)
        return result


def tell_worker(node: Any) -> None:
    """Give a worker of xdist the order of the migrations, when there is something to apply."""
    found = node.config.stash[APPLY_SESSION].preflight
    if found is not None:
        node.workerinput[ORDER_INPUT] = order_of(found)


def note_report(config: pytest.Config, report: pytest.TestReport) -> None:
    """Take down what became of a check."""
    properties = dict(report.user_properties)
    if "bb_check" not in properties or (report.when != "call" and report.passed):
        return
    gate, subject = config.stash[APPLY_SESSION].gate, str(properties["bb_migration"])
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
    state = session.config.stash[APPLY_SESSION]
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
    state = session.config.stash[APPLY_SESSION]
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
    order = order_apply(session.config, found)
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
