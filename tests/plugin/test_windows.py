"""Windows, as far as it can be had elsewhere: without what it does not have, SQL and Python run."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.plugin import options
from pytest_bbmigrate.sandbox import script
from tests.plugin.sample import write_migrations

# Python's own modules and pytest are imported before; ours meet a system without these.
TAKES_AWAY = """
import asyncio, importlib.abc, os, signal, subprocess, sys
import faker, psutil, sqlite_utils, pytest

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"}
FUNCTIONS = (
    "chown fchmod fchown fork forkpty getegid geteuid getgid getgroups getpgid getpgrp getsid "
    "getuid killpg lchown mkfifo openpty posix_spawn pread pwrite setgid setpgid setsid setuid "
    "statvfs sysconf tcgetpgrp wait copy_file_range getxattr listxattr O_NOCTTY O_CLOEXEC "
    "O_NOFOLLOW O_NONBLOCK O_PATH O_DIRECTORY WNOHANG uname"
).split()
SIGNALS = "SIGKILL SIGHUP SIGQUIT SIGALRM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGUSR1 SIGPIPE".split()
sys.meta_path.insert(0, Absent())
for name in ABSENT:
    sys.modules.pop(name, None)
for place, names in ((os, FUNCTIONS), (signal, SIGNALS)):
    for name in names:
        if hasattr(place, name):
            delattr(place, name)
assert not [name for name in sys.modules if name.startswith("pytest_bbmigrate.sqlite_files")]
import pytest_bbmigrate.plugin.options
pytest_bbmigrate.plugin.options.IS_POSIX = False
"""
SCRIPT = """\
import sqlite3

def migrate():
    with sqlite3.connect("budget_buddy.db") as db:
        db.execute("CREATE TABLE notes (note TEXT)")
"""


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have our own code take this system for Windows."""
    monkeypatch.setattr(options, "IS_POSIX", False)
    monkeypatch.setattr(script, "IS_POSIX", False)


@pytest.mark.parametrize(
    "command",
    [
        "--bb-apply",
        "--bb-rehearse",
        "--bb-rollback",
        "--bb-restore",
        "--bb-backup",
        "--bb-adopt=auto",
    ],
)
@pytest.mark.usefixtures("windows")
def test_what_writes_a_database_is_refused_in_one_sentence(
    project: pytest.Pytester, command: str
) -> None:
    write_migrations(project)

    result = project.runpytest(command)

    named = "--bb-apply" if command == "--bb-rehearse" else command.partition("=")[0]
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line]
    assert line.startswith(f"ERROR: {named}: no database is written on Windows, whose locks are")
    assert sorted(path.name for path in project.path.iterdir()) == ["migrations", "tox.ini"]


@pytest.mark.usefixtures("windows")
def test_what_looks_at_a_database_is_not_refused(project: pytest.Pytester) -> None:
    write_migrations(project)

    assert project.runpytest("--bb-status").ret == pytest.ExitCode.OK
    assert project.runpytest("--bb-new=trips").ret == pytest.ExitCode.OK


@pytest.mark.usefixtures("started_anew")
def test_migrations_in_sql_and_python_are_checked_without_what_windows_does_not_have(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    project.makepyfile(takes_away=TAKES_AWAY)
    project.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", str(project.path))

    # Some pytests write their cache with what is not there.
    without = ("-p", "takes_away", "-p", "no:cacheprovider")
    result = project.runpytest_subprocess(*without, "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK, result.outlines
    result.stdout.fnmatch_lines(["3 migrations proved forward, 2 of them back"])


@pytest.mark.usefixtures("windows")
def test_a_script_is_not_run_and_that_is_said(project: pytest.Pytester) -> None:
    write_migrations(project, _004_notes__py=SCRIPT)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "up needs Linux or macOS, which is not there",
            "*a migration that is a program of its own is not run on Windows",
            "*check this one on Linux or macOS; those in SQL and with up(db) are checked here",
        ]
    )
