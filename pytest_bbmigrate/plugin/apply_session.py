"""The hooks of a session that applies: what it does before, between and after its tests."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.run import HistoryChanged, run_apply
from pytest_bbmigrate.apply.workspace import clean_up
from pytest_bbmigrate.errors import BBMigrateError, SettingsError, StepFailed
from pytest_bbmigrate.plugin.apply_gate import describe_faults
from pytest_bbmigrate.plugin.apply_order import (
    order_apply,
    order_of,
    refuse_unknown_target,
    run_preflight,
)
from pytest_bbmigrate.plugin.apply_summary import (
    APPLY_SESSION,
    ApplySession,
    write_summary_if_missing,
)
from pytest_bbmigrate.plugin.early_backup import (
    back_up_before_checks,
    backs_up_early,
    describe_early_end,
    end_early_backup,
    give_way,
)
from pytest_bbmigrate.plugin.judged import ORDER_INPUT, judge_in_order, refuse_unjudged
from pytest_bbmigrate.plugin.options import app_python_of, settings_of
from pytest_bbmigrate.plugin.ordering import SET_ASIDE_OUTPUT, record_set_aside
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import TEXT_PROPERTY, freeze_text
from pytest_bbmigrate.plugin.step_reporter import StepReporter
from pytest_bbmigrate.plugin.tamper_watch import DatabaseWatch, refuse_exits
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.processes.app_python import unreadable_here
from pytest_bbmigrate.processes.signals import terminated_like_interrupted
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.report.applied import describe_preflight
from pytest_bbmigrate.runner.connection_hook import LateHook
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_bbmigrate.apply.model import Preflight

PREFLIGHT_STEP = "preflight"
CHECKS_STEP = "checks"
STEPS = (PREFLIGHT_STEP, CHECKS_STEP, "lock", "backup", "rehearsal", "smoke", "publish", "verify")


def prepare_apply(session: pytest.Session) -> None:
    """Run the preflight on the real database before anything is collected.

    What is wrong with the database is reported later, as a step that failed.

    Raises: pytest.UsageError when a command names no version that there is, or an argument a
        migration that this session neither applies nor rolls back.
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
        with showing_values(everything=config.getoption("bb_show_values")):
            state.preflight = run_preflight(config, project.settings, project.catalogue)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    except BBMigrateError as error:
        python = app_python_of(config)
        hook = project.environment.prepare_connection
        not_called = hook.fault if isinstance(hook, LateHook) else ""
        state.fault = f"{error}{unreadable_here(python, str(error))}{not_called}"
    state.seconds = time.perf_counter() - started
    if state.preflight is not None:
        judge_in_order(config, *order_of(state.preflight))
        refuse_unjudged(config)
    config.pluginmanager.register(ApplyHooks(session), "bbmigrate_apply")
    config.add_cleanup(lambda: write_summary_if_missing(config))  # where pytest fails to finish


class ApplyHooks:
    """The hooks of a session that applies."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the result of a check, and notice when a test has changed the database."""
        state = self._session.config.stash[APPLY_SESSION]
        if hasattr(report, "node"):  # of a worker: xdist has counted again, without our steps
            self._session.testscollected += state.uncounted_steps
            state.uncounted_steps = 0
        record_check(self._session.config, report)
        state.database_watch.notice(f"{report.nodeid} had run")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # of xdist, which has no type hints
        """Keep which smoke tests a worker has set aside."""
        output = getattr(node, "workeroutput", {})  # it has none when it was killed
        if SET_ASIDE_OUTPUT in output:
            record_set_aside(self._session.config, *output[SET_ASIDE_OUTPUT])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Make sure that a session that should have applied, and did not, does not end with 0.

        The summary is written here where pytest has left it out, or another plugin has raised.
        """
        try:
            # Also where no test ran to its end, so that nobody has looked at the database.
            self._session.config.stash[APPLY_SESSION].database_watch.restore_mode()
            self._end_early_backup()
            self._refuse_success()
            return (yield)
        finally:
            self._refuse_success()
            write_summary_if_missing(self._session.config)

    def _end_early_backup(self) -> None:
        try:
            end_early_backup(self._session.config.stash[APPLY_SESSION])
        except KeyboardInterrupt:  # the session is at its end already
            self._session.exitstatus = pytest.ExitCode.INTERRUPTED

    def _refuse_success(self) -> None:
        state = self._session.config.stash[APPLY_SESSION]
        is_done = state.result is not None or (state.preflight and not state.preflight.pending)
        if not is_done and self._session.exitstatus == pytest.ExitCode.OK:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Apply when every test has run to its end, before pytest reports that all is done.

        Where there is a backup from before the tests, SIGTERM ends them as Ctrl-C does.
        """
        config = self._session.config
        is_early = backs_up_early(config, config.stash[APPLY_SESSION])
        with terminated_like_interrupted() if is_early else nullcontext():
            result = yield
        apply_if_proved(self._session)
        return result


def send_order(node: Any) -> None:
    """Send a worker of xdist the order of the migrations, when there is something to apply."""
    preflight = node.config.stash[APPLY_SESSION].preflight
    if preflight is not None:
        node.workerinput[ORDER_INPUT] = order_of(preflight)


def record_check(config: pytest.Config, report: pytest.TestReport) -> None:
    """Record the result of a check, and what went wrong in its set-up or teardown."""
    properties = dict(report.user_properties)
    if "bb_check" not in properties or (report.when != "call" and report.passed):
        return
    gate, subject = config.stash[APPLY_SESSION].gate, str(properties["bb_migration"])
    check = str(properties["bb_check"])
    gate.record(
        subject,
        check,
        str(properties.get("bb_verdict", "")) if report.when == "call" else "",
        report.outcome,
        expected=str(getattr(report, "wasxfail", "")),
    )
    if report.when == "call" and properties.get(TEXT_PROPERTY) != freeze_text(config).key:
        gate.refuse(subject, check, "judged another text than the one that is to be applied")


def report_preflight(session: pytest.Session) -> bool | None:
    """Report the preflight; return True, which ends pytest's loop, when no test is to run."""
    state = session.config.stash[APPLY_SESSION]
    if session.config.getoption("collectonly"):
        return None
    state.database_watch.notice("the tests were collected")
    reporter = StepReporter(session, state.steps_done)
    backed_up = back_up_before_checks(
        session.config, state, lambda part: reporter.progress(PREFLIGHT_STEP, part)
    )
    preflight = state.preflight
    # Our steps count as tests, for pytest shows how many of all have run.
    state.uncounted_steps = 1
    if preflight is not None and preflight.pending:
        state.uncounted_steps = len(STEPS) - preflight.is_rollback
    session.testscollected += state.uncounted_steps
    if preflight is None:
        reporter.report(PREFLIGHT_STEP, "failed", state.fault, state.seconds)
        return True
    settings = project_of(session.config).settings
    if not preflight.pending and (tidied := clean_up(settings.database, backup_folder(settings))):
        preflight = state.preflight = replace(preflight, notes=(*preflight.notes, tidied))
    text = "\n".join(filter(None, (describe_preflight(preflight, settings.database), backed_up)))
    reporter.report(PREFLIGHT_STEP, "passed", text, state.seconds)
    return None if preflight.pending else True


def apply_if_proved(session: pytest.Session) -> None:
    """Apply, or roll back, when this session has proved every migration concerned."""
    state = session.config.stash[APPLY_SESSION]
    preflight = state.preflight
    if preflight is None or not preflight.pending:
        return
    reporter = StepReporter(session, state.steps_done)
    faults = (
        state.database_watch.fault(),
        state.database_watch.restore_mode(),
        _gate_fault(session, state, preflight),
    )
    if any(faults):
        end_early_backup(state)
        found = describe_early_end(session.config, state)
        reporter.report(CHECKS_STEP, "failed", "\n".join(filter(None, (*faults, found))), 0.0)
        return
    reporter.report(CHECKS_STEP, "passed", "every check of every pending migration passed", 0.0)
    order = order_apply(session.config, preflight, lambda backup: give_way(state, backup))
    try:
        state.result = run_apply(order, reporter)
    except StepFailed as error:  # the run has reported the step as failed
        state.applied_by_another = isinstance(error, HistoryChanged)
    except Exception as error:
        state.unexpected_error = type(error).__name__
        raise
    finally:
        state.file_found = reporter.file_found


def _gate_fault(session: pytest.Session, state: ApplySession, preflight: Preflight) -> str:
    """Return why nothing may be applied after the session's tests, or ''."""
    project = project_of(session.config)
    # The names as the checks report them.
    names = [visible_line(migration.name) for migration in preflight.pending]
    faults = state.gate.faults(names, visible_line(project.settings.migrations.name))
    if session.testsfailed:
        faults = (f"{session.testsfailed} of the session's tests failed", *faults)
    if not faults:
        return ""
    return f"{state.database_watch.summary}: not everything was proved\n{describe_faults(faults)}"
