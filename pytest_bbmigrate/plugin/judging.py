"""The judge of a session: the process that runs its migrations and reaches the verdicts.

Imported in every session that checks: what the judge needs is imported where it is used.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.plugin import options

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.judge import Judge
    from pytest_bbmigrate.judge.kept_judge import KeptJudge
    from pytest_bbmigrate.judge.model import Opening
    from pytest_bbmigrate.judge.shared import SharedJudge
    from pytest_bbmigrate.judge.sharing import Sharing
    from pytest_bbmigrate.project import Project

JUDGE_INPUT = "bb_judge"  # of xdist's workerinput: the name and token of the judge that is shared

_STARTED = pytest.StashKey["JudgeClient | SharedJudge"]()
_OPENED = pytest.StashKey["JudgeClient | SharedJudge | KeptJudge | Judge"]()


def judge_of(config: pytest.Config) -> JudgeClient | SharedJudge | KeptJudge | Judge:
    """Return this session's judge, which knows what is to be judged once this was called.

    Raises: CatalogueError when the folder does not read; pytest.UsageError as project_of does.
    """
    if _OPENED not in config.stash:
        from pytest_bbmigrate.plugin.session import project_of

        project = project_of(config)
        _ = project.catalogue  # or its error
        if judges_elsewhere(config):
            config.stash[_OPENED] = _opened(config, project)
        else:
            from pytest_bbmigrate.judge.judge import Judge

            config.stash[_OPENED] = Judge(project)
    return config.stash[_OPENED]


def _opened(config: pytest.Config, project: Project) -> JudgeClient | SharedJudge | KeptJudge:
    """Return the judge in a process of its own; where runs keep something, what has that first."""
    from pytest_bbmigrate.plugin.keeping import entries_of, kept_judge

    entries = entries_of(config)
    client = judging_process(config, starts=entries is None)
    if entries is None:
        client.open(_opening(config, project))
        return client
    return kept_judge(
        client,
        lambda: _opening(config, project),
        project,
        entries,
        shows_errors=shows_errors(config, project),
    )


def judging_process(config: pytest.Config, *, starts: bool = False) -> JudgeClient | SharedJudge:
    """Return the process that is to judge, made by the first call; it is told nothing yet.

    With ``starts`` it is started if it was not. A worker has that of its session, where its
    controller shares it.
    """
    if _STARTED not in config.stash:
        made = _shared_judge(config) or own_judge(config, starts=starts)
        config.stash[_STARTED] = made
        end_with_tests(config, made)
    judge = config.stash[_STARTED]
    if starts:
        judge.start()
    return judge


def own_judge(config: pytest.Config, *, starts: bool = True) -> JudgeClient:
    """Return a judge of this process's own, which is started unless told otherwise."""
    from pytest_bbmigrate.judge.process import start_process

    shared, python = writable_besides(config), options.app_python_of(config)
    process = start_process(shared, python) if starts else None
    # It imports the core while this process does.
    from pytest_bbmigrate.judge.client import JudgeClient

    return JudgeClient(shared, python, process)


def _shared_judge(config: pytest.Config) -> SharedJudge | None:
    """Return the judge of the session that this is a worker of; None where it is not shared."""
    told = getattr(config, "workerinput", {}).get(JUDGE_INPUT)
    if told is None or sys.platform != "linux":
        return None
    from pytest_bbmigrate.judge.shared import SharedJudge
    from pytest_bbmigrate.judge.visits import place_of

    name, token = told
    place = place_of(writable_besides(config), options.app_python_of(config))
    return SharedJudge(name, token, place, lambda: own_judge(config))


def writable_besides(config: pytest.Config) -> tuple[str, ...]:
    """Return the folders that a judge may write to besides its own."""
    from pytest_bbmigrate.sandbox.landlock import shared_memory_without

    database = options.settings_of(config).database
    return shared_memory_without(str(config.rootpath), str(database))


def end_with_tests(config: pytest.Config, judge: JudgeClient | SharedJudge | Sharing) -> None:
    """Have ``judge`` closed when the last test has run, and at the latest with the session."""
    config.add_cleanup(judge.close)
    config.pluginmanager.register(JudgeEnd(config, judge), "bbmigrate_judge_end")


class JudgeEnd:
    """Ends the process that judges when the last test has run, before others collect its data.

    What it has found is kept for the next run before.
    """

    def __init__(self, config: pytest.Config, judge: JudgeClient | SharedJudge | Sharing) -> None:
        self._config = config
        self._judge = judge

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """End it, whatever has ended the loop."""
        is_over = False
        try:
            result = yield
            is_over = True
            return result
        finally:
            from pytest_bbmigrate.plugin.keeping import keep_found

            try:
                keep_found(self._config.stash.get(_OPENED, None), is_over=is_over)
            finally:
                self._judge.close()


def judges_elsewhere(config: pytest.Config) -> bool:
    """Return whether migrations run in another process than this."""
    return options.IS_POSIX and not config.getoption("bb_in_process")


def _opening(config: pytest.Config, project: Project) -> Opening:
    from pytest_bbmigrate.catalogue import path_by
    from pytest_bbmigrate.judge.model import Opening
    from pytest_bbmigrate.plugin.session_text import freeze_text

    judged = None if project.judged is None else tuple(sorted(project.judged))
    order = tuple(migration.name for migration in project.catalogue.migrations)
    return Opening(
        settings=project.settings,
        path=path_by(options.app_python_of(config), config.rootpath),
        fixed=freeze_text(config),
        order=None if judged is None else order,
        judged=judged,
        fixes_modules=options.writes_database(config),
        shows_values=config.getoption("bb_show_values"),
        shows_errors=shows_errors(config, project),
        most_apart=0 if hasattr(config, "workerinput") else idle_cores(),
    )


def shows_errors(config: pytest.Config, project: Project) -> bool:
    """Return whether what a judge has printed may be shown."""
    from pytest_bbmigrate.plugin.session import may_show_errors

    return may_show_errors(config) and not project.hides_own


def idle_cores() -> int:
    """Return how many cores may judge besides the one of the judge: more than three gain nothing.

    The states are made one after another, which takes a quarter of the time.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return min(cores - 1, 3)


def start_early(config: pytest.Config) -> None:
    """Start the process that is to judge before anything is collected, where it will be asked.

    Where an earlier run has kept something, that may be never: ``start_for_more`` looks.
    """
    if judges_here(config) and judges_elsewhere(config):
        from pytest_bbmigrate.plugin.keeping import entries_of

        entries = entries_of(config)
        if entries is None or entries.are_none():
            judging_process(config, starts=True)


def start_for_more(config: pytest.Config) -> None:
    """Start the process that is to judge if not all that will be asked is kept."""
    from pytest_bbmigrate.judge.kept_judge import KeptJudge
    from pytest_bbmigrate.plugin.keeping import entries_of
    from pytest_bbmigrate.plugin.session import project_of

    if not (judges_here(config) and judges_elsewhere(config)) or entries_of(config) is None:
        return
    if not isinstance(project_of(config).reading, CatalogueError):
        judge = judge_of(config)
        if isinstance(judge, KeptJudge):
            judge.start()


def judges_here(config: pytest.Config) -> bool:
    """Return whether this process runs checks: under xdist its workers do."""
    return options.checks_are_wanted(config) and not (
        is_controller(config) or config.getoption("collectonly")
    )


def is_controller(config: pytest.Config) -> bool:
    """Return whether this process has workers of xdist run what is collected."""
    return (
        not hasattr(config, "workerinput")
        and config.getoption("dist", "no") != "no"
        and bool(config.getoption("tx", None))
    )


def refuse_debugger(config: pytest.Config) -> None:
    """Refuse options that a process of the migrations' own makes useless, or that it is needed for.

    Raises: pytest.UsageError.
    """
    in_process = config.getoption("bb_in_process")
    if in_process and options.writes_database(config):
        raise options.usage_error(
            "--bb-in-process: what changes a database runs its migrations in processes of their "
            "own; debug them with --bb-check-migrations --bb-in-process"
        )
    if in_process and options.settings_of(config).python is not None:
        raise options.usage_error(
            "--bb-in-process runs migrations in pytest's own Python, and bb_python names another: "
            "add -o bb_python= to debug them in this one"
        )
    if options.checks_are_wanted(config) and not in_process:
        for option, flag in (("usepdb", "--pdb"), ("trace", "--trace")):
            if config.getoption(option, default=False):
                raise options.usage_error(
                    f"{flag}: migrations run in a process of their own, which no debugger reaches: "
                    "add --bb-in-process"
                )
