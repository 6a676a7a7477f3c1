"""A migration in Python that attacks the real database: in a session it harms nobody but itself."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sandbox import landlock
from tests.core.sandbox.test_part_attacks import ATTACKS
from tests.depth import every
from tests.plugin.real_database import ask
from tests.plugin.sample import in_short_summary, write_migrations

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not landlock.abi_version(), reason="the kernel holds nobody here: it has no Landlock"
)
BEGINS = """\
import ctypes, os, pathlib, shutil, signal, subprocess, sys, threading, time

REAL = {real!r}


def up(db):
    for attack in ATTACKS:
        try:
            exec(attack, globals())
        except BaseException:
            pass
    db.execute("CREATE TABLE attacked (id INTEGER PRIMARY KEY)")


def down(db):
    db.execute("DROP TABLE attacked")


ATTACKS = {attacks!r}
"""
LAST = "CREATE TABLE last (id INTEGER PRIMARY KEY);"
FORKS = ("a fork", "a daemon", "a thread", "at its end", "ptrace")


def attacks_of(kind: str) -> list[str]:
    """Return the attacks that start something, or those that do not."""
    return [
        attack for name, attack in ATTACKS.items() if name.startswith(FORKS) is (kind == "later")
    ]


def write_all(project: pytest.Pytester, second: str) -> None:
    """Write the sample's migrations, ``second``, and one that comes after it."""
    write_migrations(project, _004_attacks__py=second, _005_last__sql=LAST)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the content and mode of every file beside the database, by name."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mode)
        for path in folder.iterdir()
        if path.is_file()
    }


def verdicts(result: pytest.RunResult, migration: str) -> list[str]:
    """Return how each check of a migration has ended."""
    lines = (line.strip() for line in result.outlines)
    return sorted(
        match[1]
        for line in lines
        if (match := re.match(rf"migrations/{migration}\S*::(\w+ [A-Z]+)", line))
    )


def make_money(project: pytest.Pytester) -> None:
    """Make a real database in a folder with its backup, to be migrated by all."""
    write_migrations(project)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("command", every(2, ["--bb-apply", "--bb-check-migrations"]))
def test_what_attacks_the_real_database_harms_nobody_but_itself(
    project: pytest.Pytester, money: Path, command: str
) -> None:
    write_all(project, BEGINS.format(real=str(money), attacks=attacks_of("now")))
    before = files(project.path)

    result = project.runpytest(command, "-v")

    assert result.ret == pytest.ExitCode.TESTS_FAILED  # for the mode that it has changed
    assert files(project.path) == before
    assert ask(money, "SELECT count(*) FROM _bb_migrations") == [(3,)]
    if command == "--bb-check-migrations":
        write_all(project, BEGINS.format(real=str(money), attacks=[]))
        without = project.runpytest("--bb-check-migrations", "--bb-no-cache", "-v")
        for migration in ("001_accounts", "003_funds"):
            assert verdicts(result, migration) == verdicts(without, migration)
            assert len(verdicts(result, migration)) == 6


def test_what_attacks_it_a_moment_later_comes_too_late(
    project: pytest.Pytester, money: Path
) -> None:
    write_all(project, BEGINS.format(real=str(money), attacks=attacks_of("later")))
    before = files(project.path)

    result = project.runpytest("--bb-check-migrations", "-v")

    time.sleep(1)
    assert files(project.path) == before
    assert len(verdicts(result, "005_last")) == 6


def test_one_that_ends_its_process_by_the_c_library_fails_and_the_next_is_judged(
    project: pytest.Pytester,
) -> None:
    ends = "import ctypes\n\ndef up(db):\n    ctypes.CDLL(None)._exit(0)\n"
    write_migrations(project, _004_ends__py=ends)

    result = project.runpytest("--bb-check-migrations", "-v")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = "up does not run: its process ended *"
    line = in_short_summary("migrations/004_ends.py::up_applies", sentence)
    result.stdout.fnmatch_lines([line])
    assert all("FAILED" not in each for each in verdicts(result, "003_funds"))


def test_what_is_replayed_to_adopt_a_database_does_not_reach_it(project: pytest.Pytester) -> None:
    money = project.path / "budget_buddy.db"
    attacks = BEGINS.format(real=str(money), attacks=attacks_of("now"))
    write_migrations(project, _004_attacks__py=attacks)
    with closing(sqlite3.connect(money)) as db, db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    before = files(project.path)

    project.runpytest("--bb-adopt")

    assert files(project.path) == before
