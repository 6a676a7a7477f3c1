"""Smoke tests whose app does something to the real database while an apply has its lock."""

from __future__ import annotations

import shlex
import sqlite3
import stat
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);\n"
OWNERS = "ALTER TABLE accounts ADD COLUMN owner TEXT;\n"
APP = """\
import os, pathlib, signal, time, pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    real = pathlib.Path("budget_buddy.db")
    {}
"""
SAVINGS = [(1, "checking"), (2, "savings")]


def run_sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return [row for sql in statements for row in db.execute(sql).fetchall()]


def make_money(project: pytest.Pytester) -> None:
    """Make a database with rows, one migration applied and one pending."""
    migrations = project.mkdir("migrations")
    (migrations / "001_accounts.sql").write_text(ACCOUNTS)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    path = project.path / "budget_buddy.db"
    run_sql(path, "INSERT INTO accounts VALUES (1, 'checking'), (2, 'savings')")
    (migrations / "002_owners.sql").write_text(OWNERS)


def apply(project: pytest.Pytester, does: str, *options: str) -> pytest.RunResult:
    """Apply with a smoke test that does that."""
    project.makepyfile(test_app=APP.format(does))
    return project.runpytest_subprocess("--bb-apply", *options)


def restore_as_told(project: pytest.Pytester, result: pytest.RunResult) -> pytest.RunResult:
    """Run the command that the last lines give."""
    (line,) = [line for line in result.outlines if line.startswith("restore ")]
    return project.runpytest(*shlex.split(line)[2:])


def backup_in(project: pytest.Pytester) -> Path:
    (backup,) = project.path.glob("budget_buddy.db.backup.*")
    return backup


@pytest.mark.parametrize(
    ("does", "becomes"),
    [
        ("real.unlink(); assert False", "gone: something removed it while this run was at work"),
        (
            "real.write_bytes(b'dear diary' * 9999); assert False",
            "not as it was: something else wrote to it while this run was at work",
        ),
    ],
    ids=["removes it", "overwrites it"],
)
def test_an_app_that_does_away_with_the_database_and_fails_leaves_its_backup(
    project: pytest.Pytester, money: Path, does: str, becomes: str
) -> None:
    result = apply(project, does)
    kept = run_sql(backup_in(project), "SELECT id, name FROM accounts")
    restored = restore_as_told(project, result)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"not applied: smoke failed; budget_buddy.db is {becomes}",
            "backup    budget_buddy.db.backup.*",
            "restore   pytest --bb-restore=budget_buddy.db.backup.*",
        ]
    )
    result.stdout.no_fnmatch_line("*is as it was")
    assert kept == SAVINGS
    assert restored.ret == pytest.ExitCode.OK
    assert run_sql(money, "SELECT id, name FROM accounts") == SAVINGS


def test_an_app_that_removes_the_working_directory_too_leaves_the_last_lines(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.mkdir("folder")
    monkeypatch.chdir(folder)
    removes = f"pathlib.Path({str(money)!r}).unlink(); pathlib.Path({str(folder)!r}).rmdir()"
    project.makepyfile(test_app=APP.format(f"{removes}; assert False"))

    result = project.runpytest_subprocess(
        "--rootdir=..", "--bb-db=../budget_buddy.db", "--bb-apply", str(project.path)
    )

    assert result.ret != pytest.ExitCode.OK
    backup = backup_in(project)
    result.stdout.fnmatch_lines(
        [
            "not applied: smoke failed; budget_buddy.db is gone: *",
            f"backup    {backup}",
            f"restore   pytest * --bb-restore={backup}",
        ]
    )
    assert run_sql(backup, "SELECT id, name FROM accounts") == SAVINGS
    (command,) = (line for line in result.outlines if line.startswith("restore "))
    monkeypatch.chdir("/")
    typed = shlex.split(command.removeprefix("restore"))
    assert project.run(sys.executable, "-m", *typed).ret == pytest.ExitCode.OK
    assert run_sql(money, "SELECT id, name FROM accounts") == SAVINGS


def test_an_app_that_empties_the_database_and_passes_is_not_published_over(
    project: pytest.Pytester, money: Path
) -> None:
    result = apply(project, "os.truncate(real, 0)", "-q")
    emptied = money.stat().st_size
    restored = restore_as_told(project, result)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["publish failed; budget_buddy.db is empty: something truncated it while this run was *"]
    )
    assert emptied == 0
    assert restored.ret == pytest.ExitCode.OK
    assert run_sql(money, "SELECT id, name FROM accounts") == SAVINGS


def test_a_rehearsal_whose_app_removes_the_database_fails_and_leaves_its_backup(
    project: pytest.Pytester, money: Path
) -> None:
    result = apply(project, "real.unlink()", "--bb-rehearse")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["verify failed; *db is gone: *", "restore   pytest --bb-restore=*"]
    )
    assert not money.exists()
    assert run_sql(backup_in(project), "SELECT id, name FROM accounts") == SAVINGS


def test_an_app_that_removes_the_database_before_a_ctrl_c_leaves_its_backup(
    project: pytest.Pytester, money: Path
) -> None:
    result = apply(project, "real.unlink(); os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "not applied: the run was stopped; budget_buddy.db is gone: something removed it *",
            "restore   pytest --bb-restore=*",
        ]
    )
    assert not money.exists()
    assert run_sql(backup_in(project), "SELECT id, name FROM accounts") == SAVINGS


def test_another_mode_that_an_app_gives_the_database_is_undone_and_told(
    project: pytest.Pytester, money: Path
) -> None:
    money.chmod(0o640)

    result = apply(project, "real.chmod(0o666)")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["note      budget_buddy.db: its mode was changed to 666 while *: it is 640 again"]
    )
    assert stat.S_IMODE(money.stat().st_mode) == 0o640
    assert run_sql(money, "SELECT name FROM _bb_migrations") == [
        ("001_accounts",),
        ("002_owners",),
    ]
