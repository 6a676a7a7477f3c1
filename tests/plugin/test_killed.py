"""A run that is killed: what it has started ends with it, and the next run finds its way."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from subprocess import DEVNULL
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.depth import every
from tests.plugin.real_database import ask, backups, litter, names
from tests.processes import wait_for_end, wait_until

if TYPE_CHECKING:
    from pathlib import Path

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
STARTS = """
import os, pathlib, time

def up(db):
    db.execute("ALTER TABLE accounts ADD COLUMN note TEXT")
    if ".bbmigrate-" in os.environ.get("TMPDIR", "") and WAITS:  # in a rehearsal
        if os.fork() == 0:
            time.sleep(600)
        if os.fork() == 0:
            os.setsid()  # as a daemon does
            time.sleep(600)
        pathlib.Path(os.environ["TMPDIR"], "begun").touch()
        time.sleep(600)

def down(db):
    db.execute("ALTER TABLE accounts DROP COLUMN note")
"""
WITHOUT_SIGNAL = """
from pytest_bbmigrate.processes import launch, parent
parent.PR_SET_PDEATHSIG = -1  # in what it forks
TAKE_AWAY = "from pytest_bbmigrate.processes import parent; parent.PR_SET_PDEATHSIG = -1; main = "
for name in ("START", "START_ISOLATED"):
    setattr(launch, name, getattr(launch, name).replace("main = ", TAKE_AWAY))
"""


@pytest.mark.parametrize("mode", every(2, ["delete", "wal"]))
@pytest.mark.parametrize("conftest", ["", WITHOUT_SIGNAL], ids=["by signal", "by looking"])
def test_what_a_rehearsal_has_started_ends_with_a_killed_run(
    project: pytest.Pytester, conftest: str, mode: str
) -> None:
    (project.path / "conftest.py").write_text(conftest)
    folder = project.mkdir("migrations")
    (folder / "001_step.sql").write_text(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);\n"
    )
    (folder / "002_starts.py").write_text(STARTS.replace("WAITS", "True"))
    database = make_accounts(project, mode)
    with project.popen([*PYTEST, "--bb-apply"], stdout=DEVNULL, stderr=DEVNULL) as run:
        wait_until(lambda: list(project.path.glob(".budget_buddy.db.bbmigrate-*/**/begun")))
        (session,) = psutil.Process(run.pid).children()
        started = [each.pid for each in session.children(recursive=True)]
        session.kill()
    wait_for_end(*started)

    assert len(started) >= 5  # lock, watch, rehearsal, and what the migration has started
    assert run.returncode == 137
    (folder / "002_starts.py").write_text(STARTS.replace("WAITS", "False"))
    assert project.run(*PYTEST, "--bb-apply").ret == pytest.ExitCode.OK
    assert set(litter(project)) == {"stdout", "stderr"}  # of the runs themselves
    assert names(database) == ["001_step", "002_starts"]
    assert ask(database, "SELECT name FROM accounts") == [("Private Bank",)]
    assert len(backups(project)) == 3  # of the adoption, of the killed run, of this one


def make_accounts(project: pytest.Pytester, mode: str) -> Path:
    """Make the database with the first migration applied and a row of the user's."""
    database = project.path / "budget_buddy.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute(f"PRAGMA journal_mode = {mode}")
    assert project.run(*PYTEST, "--bb-adopt=001_step").ret == pytest.ExitCode.OK
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("INSERT INTO accounts (name) VALUES ('Private Bank')")
    return database
