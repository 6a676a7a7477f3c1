from __future__ import annotations

import re
import sys

import pytest

from tests.depth import every
from tests.plugin.sample import FORGETS, MARKED, write_migrations

OUTCOME = re.compile(r"(?:\[(gw\d)\].*)?(PASSED|FAILED|SKIPPED) (\S+::\S+)")


@pytest.fixture(autouse=True)
def xdist_loaded(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pytest of the test load xdist beside our plugin."""
    assert project
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate -p xdist")


def test_a_character_that_no_worker_can_send_is_escaped(project: pytest.Pytester) -> None:
    write_migrations(project, _004_odd__py="def up(db): raise ValueError('caf\\udce9')\n")

    result = project.run(sys.executable, "-m", "pytest", "migrations/004_odd.py", "-n", "1")

    result.stdout.fnmatch_lines(
        [r"up does not run: ValueError: caf\udce9", "* 1 failed, 5 skipped *"]
    )


def test_two_workers_give_the_same_verdicts(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)
    project.makepyfile(test_marked=MARKED)
    arguments = ["--bb-check-migrations", "-p", "no:cacheprovider", "-v"]

    alone = project.runpytest(*arguments, "-rA")
    spread = project.run(sys.executable, "-m", "pytest", *arguments, "-n", "2")

    verdicts = {node_id: outcome for _, outcome, node_id in OUTCOME.findall(alone.stdout.str())}
    found = OUTCOME.findall(spread.stdout.str())
    in_progress = [(worker, outcome, node_id) for worker, outcome, node_id in found if worker]
    assert verdicts["migrations/004_forget.sql::data_survives"] == "FAILED"
    assert len(in_progress) == 27
    assert verdicts == {
        node_id: outcome for _, outcome, node_id in in_progress if outcome != "SKIPPED"
    }
    # The checks of one migration stay on one worker, where they share its experiment.
    places = {(worker, node_id.split("::")[0]) for worker, _, node_id in in_progress}
    assert len(places) == 6
    summary = ["3 of 4 migrations proved forward, 2 of them back", "failed: 004_forget: data_*"]
    alone.stdout.fnmatch_lines(summary)
    spread.stdout.fnmatch_lines(summary)


@pytest.mark.parametrize(
    ("arguments", "scheduler"),
    every(
        2,
        [
            (["--dist=load", "--bb-check-migrations"], "LoadFileScheduling"),
            (["--dist=load", "migrations/001_accounts.sql"], "LoadFileScheduling"),
            (["--dist=worksteal", "--bb-check-migrations"], "WorkStealingScheduling"),
            (["--dist=load", "test_marked.py"], "LoadScheduling"),
        ],
    ),
)
def test_only_the_default_distribution_is_replaced(
    project: pytest.Pytester, arguments: list[str], scheduler: str
) -> None:
    write_migrations(project)
    project.makepyfile(test_marked=MARKED)
    config = project.parseconfigure("--tx=2*popen", *arguments)

    made = config.hook.pytest_xdist_make_scheduler(config=config, log=None)

    assert type(made).__name__ == scheduler


def test_a_wrong_setting_ends_the_session_before_a_worker_starts(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "-n", "2", "--bb-rows=-1")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --bb-rows = -1: a positive integer is wanted"])
    result.stdout.no_fnmatch_line("*workers*")


def test_checks_run_without_xdist(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "-p", "no:xdist.plugin")

    result.assert_outcomes(passed=17, skipped=2)
