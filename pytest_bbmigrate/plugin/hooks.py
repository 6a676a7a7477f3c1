"""pytest's hooks. Each delegates; what a session does not use is never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.plugin import fixtures, option_table, options, selection
from pytest_bbmigrate.plugin.fixtures import (
    bb_at,
    bb_faker,
    bb_head,
    bb_head_path,
    bb_migration,
    bb_snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["bb_at", "bb_faker", "bb_head", "bb_head_path", "bb_migration", "bb_snapshot"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    option_table.add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    """Keep the paths after an option from being its value; have the session watched.

    Both come before any code of the user's is imported, and before output is captured.
    """
    options.attach_values(args)
    if options.is_watched(early_config):
        from pytest_bbmigrate.plugin.watcher import watch

        watch(early_config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Run a command that collects nothing, when one was given."""
    options.complete_command(config)
    if not options.names_command(config):
        return None
    options.refuse_unknown_settings(config)
    options.refuse_old_sqlite()
    from pytest_bbmigrate.plugin.commands import run_command

    return run_command(config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register our markers; say what this session collects."""
    fixtures.add_markers(config)
    selection.arrange_arguments(config)
    if options.checks_are_wanted(config):
        from pytest_bbmigrate.plugin import judging

        options.refuse_unknown_settings(config)
        judging.refuse_debugger(config)
        if judging.is_controller(config):
            from pytest_bbmigrate.plugin.xdist import prepare_workers

            prepare_workers(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """End the session with one clear line when a setting is wrong."""
    if options.gives_value(session.config):
        options.settings_of(session.config)
    if options.checks_are_wanted(session.config):
        options.refuse_old_sqlite()
        from pytest_bbmigrate.plugin import judging

        judging.start_early(session.config)
        from pytest_bbmigrate.plugin.session import prepare_checks

        prepare_checks(session.config)
        judging.start_for_more(session.config)
        from pytest_bbmigrate.plugin.grouping import prepare_grouping

        prepare_grouping(session.config)
    if session.config.getoption("bb_draft_contracts") is not None:
        from pytest_bbmigrate.plugin.drafting import prepare_drafting

        prepare_drafting(session.config)
    if options.writes_database(session.config):
        from pytest_bbmigrate.plugin.judged import receive_order
        from pytest_bbmigrate.plugin.session_text import freeze_text

        receive_order(session.config)
        freeze_text(session.config)
    if options.applies_here(session.config):
        from pytest_bbmigrate.plugin.apply_session import prepare_apply

        prepare_apply(session)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the judge which checks will be asked for."""
    if options.checks_are_wanted(session.config):
        from pytest_bbmigrate.plugin.grouping import shorten_progress
        from pytest_bbmigrate.plugin.items import expect_checks

        expect_checks(session)
        shorten_progress(session)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run no test when the real database cannot be changed, or nothing is to be changed."""
    if not options.applies_here(session.config):
        return None
    from pytest_bbmigrate.plugin.apply_session import report_preflight

    return report_preflight(session)


def pytest_report_header(config: pytest.Config) -> list[str] | None:
    """Say what is checked, and on what."""
    if not options.checks_are_wanted(config):
        return None
    from pytest_bbmigrate.plugin.terminal import header

    return header(config)


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what can hold neither a check nor a marked test."""
    return selection.passes_over(config, collection_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the migration folder."""
    if not options.checks_are_wanted(parent.config):
        return None
    from pytest_bbmigrate.plugin.collectors import collect_directory

    return collect_directory(path, parent)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Put the checks first, drop what is not to run, leave the smoke tests to their step."""
    config = session.config
    if not config.getoption("bb_check_migrations"):
        return (yield)
    from pytest_bbmigrate.plugin import ordering

    collected = items[:]
    ordering.keep_marked(session, items)
    result = yield
    if options.writes_database(config):
        from pytest_bbmigrate.plugin.judged import leave_out_unjudged

        leave_out_unjudged(config, items)
        ordering.set_smoke_tests_aside(config, items, collected)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skipped check name its migration's file; hide what checks print about own rows.

    What a check has found goes with its report.
    """
    report = yield
    if options.checks_are_wanted(item.config):
        from pytest_bbmigrate.plugin.items import complete_report

        complete_report(item, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Say of a check that nothing has changed which its verdict rests on."""
    if not options.checks_are_wanted(config):
        return None
    from pytest_bbmigrate.plugin.keeping import cached_status

    return cached_status(report)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was proved."""
    if options.checks_are_wanted(config):
        from pytest_bbmigrate.plugin.terminal import write_checks_summary

        write_checks_summary(terminalreporter)
    if config.getoption("bb_draft_contracts") is not None:
        from pytest_bbmigrate.plugin.drafting import write_draft_summary

        write_draft_summary(terminalreporter)
    if options.checks_are_wanted(config):
        from pytest_bbmigrate.plugin.grouping import write_next

        write_next(terminalreporter)
    if options.applies_here(config):
        from pytest_bbmigrate.plugin.apply_summary import write_apply_summary

        write_apply_summary(terminalreporter)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # of xdist, which has no type hints
    """Tell a worker who judges for it, and the order that migrations are applied in."""
    if options.checks_are_wanted(node.config):
        from pytest_bbmigrate.plugin.xdist import tell_judge

        tell_judge(node)
    if options.applies_here(node.config):
        from pytest_bbmigrate.plugin.apply_session import send_order

        send_order(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep a migration's checks on one worker."""
    if not options.checks_are_wanted(config):
        return None
    from pytest_bbmigrate.plugin.xdist import make_scheduler

    return make_scheduler(config, log)
