"""Where no kernel keeps Python migrations from the database, it is backed up before the checks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply import early_backup
from pytest_bbmigrate.sandbox import landlock
from tests.depth import every
from tests.plugin.no_landlock import take_landlock_away
from tests.plugin.real_database import ACCOUNTS, ask, backups, change, litter, names, write_steps

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = ["001_step"], ["001_step", "002_trips"]
ROWS = [(1, "checking"), (2, "savings")]
TRIPS = """\
import ctypes, os, shutil, time

C = ctypes.CDLL(None)
REAL = {real!r}

def up(db):
    {up}
    db.execute("ALTER TABLE accounts ADD COLUMN trip TEXT")

def down(db):
    {down}
    db.execute("ALTER TABLE accounts DROP COLUMN trip")
"""
SCRIPT = """\
# depends: 001_step
import ctypes, sqlite3

def migrate():
    ctypes.CDLL(None).truncate({real!r}, ctypes.c_long(100))
    with sqlite3.connect("budget_buddy.db") as db:
        db.execute("ALTER TABLE accounts ADD COLUMN trip TEXT")
"""
TRUNCATES = "C.truncate(REAL, ctypes.c_long(0))"
CUTS_OFF = "C.truncate(REAL, ctypes.c_long(5000))"
REMOVES = "C.unlink(REAL)"
OVERWRITES = "os.pwrite(C.open(REAL, os.O_WRONLY), b'other', 4096)"
REPLACES = (
    "C.rename(REAL, REAL + b'.%d.ini' % time.time_ns()); os.close(C.open(REAL, 0o102, 0o644))"
)
WRITES_AFTER_THE_CHECKS = """
import sqlite3

def pytest_runtest_logreport(report):
    if report.nodeid == "budget_buddy.db::checks" and report.when == "teardown":
        with sqlite3.connect("budget_buddy.db") as db:
            db.execute("DELETE FROM accounts")
        db.close()
"""

EXITS = """
import pytest

def pytest_runtest_setup(item):
    pytest.exit("enough")
"""


def make_money(project: pytest.Pytester) -> None:
    """Make a database with one migration applied and two rows."""
    write_steps(project, ACCOUNTS.replace(", owner TEXT, cents INTEGER", ""))
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    path = project.path / "budget_buddy.db"
    change(path, "INSERT INTO accounts VALUES (?, ?)", ROWS)


def write_trips(project: pytest.Pytester, up: str = "pass", down: str = "pass") -> None:
    """Write a pending migration in Python that does that besides."""
    real = str(project.path / "budget_buddy.db").encode()
    text = TRIPS.format(real=real, up=up, down=down)
    (project.path / "migrations" / "002_trips.py").write_text(text)


def left_beside(project: pytest.Pytester) -> list[str]:
    """Return what of ours is there but the database and whole backups."""
    return [name for name in litter(project) if "budget_buddy" in name]


def apply(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest on a system without Landlock."""
    if not (project.path / "conftest.py").exists():
        take_landlock_away(project)
    return project.runpytest_subprocess(*(arguments or ("--bb-apply",)))


def restore_as_told(project: pytest.Pytester, result: pytest.RunResult) -> pytest.RunResult:
    """Run the command that the last lines give, in another folder."""
    line = [line for line in result.outlines if line.startswith("restore ")][-1]
    elsewhere = project.mkdir("tests")
    os.chdir(elsewhere)
    return project.runpytest_subprocess(*shlex.split(line)[2:])


@pytest.mark.parametrize(
    ("does", "found"),
    every(
        2,
        [
            (TRUNCATES, "is empty: something truncated it"),
            (CUTS_OFF, "is cut short (5,000 bytes are left of *): something wrote to it"),
            (REMOVES, "is gone: something removed it"),
            (OVERWRITES, "is not as it was: something else wrote to it"),
            (REPLACES, "is another file now, which is empty: something replaced it"),
        ],
    ),
)
def test_what_the_checks_do_to_the_database_is_named_with_the_command_that_restores_it(
    project: pytest.Pytester, money: Path, does: str, found: str
) -> None:
    write_trips(project, up=does)
    before = money.read_bytes()

    result = apply(project)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "*no Landlock*: the database is backed up before they run",
            "*a Python migration has done that in its checks*",
            f"restore   pytest *--bb-restore={backup}*",
            f"not applied: checks failed; budget_buddy.db {found} while this run was at work",
            f"backup    {backup}",
            f"restore   pytest *--bb-restore={backup}*",
        ]
    )
    assert not money.exists() or money.read_bytes() != before
    assert ask(backup, "SELECT * FROM accounts") == ROWS
    assert restore_as_told(project, result).ret == pytest.ExitCode.OK
    assert ask(money, "SELECT * FROM accounts") == ROWS
    assert names(money) == OLD


def test_a_script_is_held_by_no_kernel_either(project: pytest.Pytester, money: Path) -> None:
    (project.path / "migrations" / "trips.py").write_text(SCRIPT.format(real=str(money).encode()))

    result = apply(project)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(money.read_bytes()) == 100
    (backup,) = backups(project)
    assert ask(backup, "SELECT * FROM accounts") == ROWS
    result.stdout.fnmatch_lines([f"restore   pytest *--bb-restore={backup}*"])


def test_a_rollback_is_backed_up_before_its_checks_too(
    project: pytest.Pytester, money: Path
) -> None:
    write_trips(project, down=f"os.path.exists({str(project.path / 'now.ini')!r}) and {TRUNCATES}")
    assert apply(project).ret == pytest.ExitCode.OK
    (made_by_apply,) = backups(project)
    (project.path / "now.ini").touch()

    result = apply(project, "--bb-rollback")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not money.read_bytes()
    (backup,) = set(backups(project)) - {made_by_apply}
    assert restore_as_told(project, result).ret == pytest.ExitCode.OK
    assert ask(money, "SELECT * FROM accounts") == [(*row, None) for row in ROWS]
    assert names(money) == NEW
    assert backup.exists()


def test_a_backup_that_is_removed_with_the_database_is_written_again(
    project: pytest.Pytester, money: Path
) -> None:
    data = project.mkdir("data")
    moved = money.rename(data / money.name)
    text = TRIPS.format(real=b"", up=f"shutil.rmtree({str(data)!r})", down="pass")
    (project.path / "migrations" / "002_trips.py").write_text(text)

    result = apply(project, "--bb-apply", "--bb-db=data/budget_buddy.db")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (backup,) = data.glob("budget_buddy.db.backup.*")
    result.stdout.fnmatch_lines(
        [
            "not applied: checks failed; budget_buddy.db is gone: something removed it *",
            f"note      budget_buddy.db: its backup {backup.name} was removed *, and is written *",
            f"backup    {backup}",
        ]
    )
    assert not moved.exists()
    assert restore_as_told(project, result).ret == pytest.ExitCode.OK
    assert ask(moved, "SELECT * FROM accounts") == ROWS


def test_what_is_written_between_the_checks_and_the_lock_is_noticed(
    project: pytest.Pytester, money: Path
) -> None:
    write_trips(project)
    take_landlock_away(project, WRITES_AFTER_THE_CHECKS)

    result = apply(project)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "not applied: backup failed; budget_buddy.db is not as it was: *",
            "note * if a program of yours has written to it, * restore nothing",
            f"restore   pytest *--bb-restore={backup} --bb-discard-changes",
        ]
    )
    assert ask(backup, "SELECT * FROM accounts") == ROWS
    assert names(money) == OLD
    assert left_beside(project) == []


@pytest.mark.parametrize("number", every(2, [signal.SIGINT, signal.SIGTERM]))
@pytest.mark.parametrize("does", ["pass", TRUNCATES])
def test_a_signal_in_the_checks_leaves_a_backup_only_where_it_is_needed(
    project: pytest.Pytester, money: Path, number: signal.Signals, does: str
) -> None:
    reached = project.path / "reached.ini"
    waits = f"os.close(C.open({str(reached).encode()!r}, 0o101, 0o644)); time.sleep(60)"
    write_trips(project, up=f"{does}; {waits}")
    take_landlock_away(project)
    before = money.read_bytes()
    command = [sys.executable, "-m", "pytest", "--bb-apply"]
    with project.popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT) as child:
        while not reached.exists():
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(number)
        output = child.communicate()[0].decode()

    assert child.returncode == pytest.ExitCode.INTERRUPTED, output
    if does == "pass":
        assert "not applied: the run was stopped; budget_buddy.db is as it was" in output
        assert backups(project) == []
        assert money.read_bytes() == before
    else:
        (backup,) = backups(project)
        assert "not applied: the run was stopped; budget_buddy.db is empty: " in output
        assert f"--bb-restore={backup}" in output
        assert ask(backup, "SELECT * FROM accounts") == ROWS
    assert left_beside(project) == []


def test_another_mode_is_put_back_and_no_backup_is_left(
    project: pytest.Pytester, money: Path
) -> None:
    write_trips(project, up="C.chmod(REAL, 0o666)")
    before, mode = money.read_bytes(), money.stat().st_mode

    result = apply(project)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["not applied: checks failed; budget_buddy.db is as it was"])
    assert (money.read_bytes(), money.stat().st_mode) == (before, mode)
    assert (backups(project), left_beside(project)) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "applied", "kept"),
    every(
        2,
        [
            (["--bb-apply"], NEW, 1),
            (["--bb-apply", "-n1", "-p", "xdist"], NEW, 1),
            (["--bb-rehearse"], OLD, 0),
            (["--bb-apply", "--deselect=migrations/002_trips.py"], OLD, 0),
        ],
    ),
)
def test_where_nothing_has_happened_to_it_no_second_backup_is_left(
    project: pytest.Pytester, money: Path, arguments: list[str], applied: list[str], kept: int
) -> None:
    write_trips(project)

    result = apply(project, *arguments)

    assert result.ret == (1 if "deselect" in arguments[-1] else 0)
    assert names(money) == applied
    assert len(backups(project)) == kept
    assert left_beside(project) == []


def test_migrations_in_sql_need_no_backup_before_the_checks(
    project: pytest.Pytester, money: Path
) -> None:
    (project.path / "migrations" / "002_trips.sql").write_text(
        "ALTER TABLE accounts ADD COLUMN trip TEXT;\n"
    )

    result = apply(project)

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*backed up before*")
    assert names(money) == NEW


def test_where_it_cannot_be_backed_up_no_check_runs(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(landlock, "abi_version", lambda: 0)
    monkeypatch.setattr(early_backup, "back_up_early", refuse)
    write_trips(project)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db cannot be backed up before the checks: No space left on device",
            "not applied: preflight failed; budget_buddy.db is as it was",
        ]
    )
    assert money.read_bytes() == before


def test_a_second_interrupt_while_it_looks_keeps_the_backup(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(landlock, "abi_version", lambda: 0)
    monkeypatch.setattr(early_backup, "end", interrupt)
    write_trips(project)
    project.makeconftest(EXITS)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    (backup,) = backups(project)
    result.stdout.fnmatch_lines(
        [
            "not applied: the run was stopped; budget_buddy.db could not be looked at *",
            f"restore   pytest *--bb-restore={backup} --bb-discard-changes",
        ]
    )
    assert money.read_bytes() == before
    assert ask(backup, "SELECT * FROM accounts") == ROWS
