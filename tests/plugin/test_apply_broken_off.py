"""What nobody expected, raised under the lock: the last lines tell what is left, and where."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.real_database import ACCOUNTS, ask, backups, change, litter, names, write_steps
from tests.processes import started_here

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = "ALTER TABLE accounts ADD COLUMN trip TEXT;\n"
RAISES_BY_REPORT = """\
def pytest_runtest_logreport(report):
    if report.nodeid == "budget_buddy.db::STEP" and report.when == "call":
        raise RuntimeError("of no known kind")
"""
RAISES_IN = """\
import MODULE as place

def fail(*_, **__):
    raise RuntimeError("of no known kind")

place.NAME = fail
"""
RAISES_AT_THE_END = """\
def pytest_SESSION_HOOK():
    raise RuntimeError("of no known kind")
"""
EXITS = """\
import pytest

def pytest_runtest_logreport(report):
    if report.nodeid == "budget_buddy.db::publish" and report.when == "call":
        pytest.exit("enough", returncode=0)
"""
OLD, NEW = ["001_step"], ["001_step", "002_step"]


def make_money(project: pytest.Pytester) -> None:
    """Make a database with one migration applied and a row, and a second one pending."""
    write_steps(project, ACCOUNTS)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    path = project.path / "budget_buddy.db"
    change(path, "INSERT INTO accounts (name) VALUES (?)", [("checking",)])
    write_steps(project, ACCOUNTS, TRIPS)


def raises_in(place: str) -> str:
    """Return a conftest.py that has ``place`` ('module:name') raise what nobody expects."""
    module, name = place.split(":")
    return RAISES_IN.replace("MODULE", module).replace("NAME", name)


def fail(*_: object, **__: object) -> None:
    """Raise what nobody expects."""
    raise RuntimeError("of no known kind")


def refuse_lock_held(path: Path) -> None:
    """Make sure that nobody has the lock any more, nor a process that could have it."""
    assert started_here() == []
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")


@pytest.mark.parametrize(
    "place",
    every(
        2,
        [
            "lock",
            "backup",
            "rehearsal",
            "pytest_bbmigrate.apply.run.refuse_forged_copy",
            "pytest_bbmigrate.apply.steps.note_mode",
            "pytest_bbmigrate.plugin.apply_order.run_smoke_tests",
        ],
    ),
    ids=every(
        2, ["lock told", "backup told", "rehearsal told", "rehearsal", "publish begun", "smoke"]
    ),
)
def test_an_unexpected_error_before_publish_ends_with_the_database_seen_as_it_was(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if "." in place:
        monkeypatch.setattr(place, fail)
    else:
        project.makeconftest(RAISES_BY_REPORT.replace("STEP", place))
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(
        [
            "INTERNALERROR> RuntimeError: of no known kind",
            "*= budget_buddy.db =*",
            (
                "not applied: the run was stopped by an unexpected RuntimeError; "
                "budget_buddy.db is as it was"
            ),
        ]
    )
    assert money.read_bytes() == before
    assert backups(project) == []
    assert litter(project) == []
    refuse_lock_held(money)


@pytest.mark.parametrize("step", ["publish", "verify"])
def test_an_unexpected_error_after_publish_ends_with_what_is_left_and_the_command_that_restores(
    project: pytest.Pytester, money: Path, step: str
) -> None:
    project.makeconftest(RAISES_BY_REPORT.replace("STEP", step))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "INTERNALERROR> RuntimeError: of no known kind",
            "*= budget_buddy.db =*",
            "applied 002_step*: the run was stopped after that by an unexpected RuntimeError*",
            f"backup    {backup.name}",
            f"undo      pytest*--bb-restore={backup.name}*",
        ]
    )
    assert names(money) == NEW
    assert ask(backup, "SELECT name FROM accounts") == [("checking",)]
    assert names(backup) == OLD
    assert litter(project) == []
    refuse_lock_held(money)


def test_an_unexpected_error_in_the_last_look_leaves_the_backup_and_names_it(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_bbmigrate.apply.run.refuse_forged_copy", fail)
    monkeypatch.setattr("pytest_bbmigrate.apply.lock.client.LockClient.inspect", fail)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "*= budget_buddy.db =*",
            (
                "not applied: the run was stopped by an unexpected RuntimeError; "
                "budget_buddy.db could not be looked at*"
            ),
            f"backup    {backup.name}",
            f"restore   pytest*--bb-restore={backup.name} --bb-discard-changes",
        ]
    )
    assert names(money) == OLD
    assert names(backup) == OLD
    refuse_lock_held(money)


def test_an_unexpected_error_after_the_release_leaves_what_was_verified_and_names_the_backup(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_bbmigrate.apply.run.prune", fail)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        ["*= budget_buddy.db =*", f"backup    {backup.name}", "undo      pytest*--bb-restore=*"]
    )
    assert names(money) == NEW
    refuse_lock_held(money)


def test_an_exit_with_code_0_under_the_lock_is_no_success(
    project: pytest.Pytester, money: Path
) -> None:
    project.makeconftest(EXITS)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "*= budget_buddy.db =*",
            "applied 002_step, but not verified: the run was stopped after that*",
            f"backup    {backup.name}",
        ]
    )
    assert names(money) == NEW
    refuse_lock_held(money)


@pytest.mark.parametrize(
    "conftest",
    [
        RAISES_AT_THE_END.replace("SESSION_HOOK", "sessionfinish"),
        RAISES_AT_THE_END.replace("SESSION_HOOK", "terminal_summary"),
    ],
    ids=["sessionfinish", "terminal_summary"],
)
def test_another_plugin_that_raises_at_the_end_keeps_the_last_lines_from_nobody(
    project: pytest.Pytester, money: Path, conftest: str
) -> None:
    project.makeconftest(conftest)

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(["RuntimeError: of no known kind"])
    told = result.outlines.index(next(x for x in result.outlines if "= budget_buddy.db =" in x))
    assert result.outlines[told + 1] == "applied 002_step"
    assert sum("= budget_buddy.db =" in line for line in result.outlines) == 1
    assert names(money) == NEW


def test_last_lines_that_cannot_be_put_in_words_still_name_the_backup(
    project: pytest.Pytester, money: Path
) -> None:
    project.makeconftest(raises_in("pytest_bbmigrate.plugin.apply_summary:describe_done"))

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret != pytest.ExitCode.OK
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "*= budget_buddy.db =*",
            "budget_buddy.db holds what was verified",
            f"backup    {backup.name}",
            f"restore   pytest --bb-restore={backup.name} --bb-discard-changes",
        ]
    )
    result.stderr.fnmatch_lines(["RuntimeError: of no known kind"])
    assert names(money) == NEW


def test_a_restore_that_is_broken_off_by_an_unexpected_error_tells_what_is_left(
    project: pytest.Pytester, money: Path
) -> None:
    assert project.runpytest("--bb-apply").ret == pytest.ExitCode.OK
    (backup,) = backups(project)
    before = money.read_bytes()
    project.makeconftest(raises_in("pytest_bbmigrate.apply.restore:compare"))

    result = project.runpytest_subprocess(f"--bb-restore={backup.name}")

    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(
        ["budget_buddy.db is as it was", "*RuntimeError: of no known kind"], consecutive=False
    )
    assert money.read_bytes() == before
    assert backups(project) == [backup]
    refuse_lock_held(money)
