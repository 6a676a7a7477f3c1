"""What comes in between while a command is at work on a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.record_version import record_version
from pytest_bbmigrate.plugin import adopt_command
from tests.plugin.real_database import ask, run_sql, write_steps

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"


@pytest.fixture
def money(project: pytest.Pytester) -> Path:
    """Return a database that one migration made by hand."""
    write_steps(project, ACCOUNTS)
    path = project.path / "budget_buddy.db"
    run_sql(path, ACCOUNTS, "INSERT INTO accounts VALUES (1, 'checking')")
    return path


@pytest.mark.parametrize("wanted", ["auto", "001_step"])
def test_a_schema_that_changes_once_it_is_recognised_is_not_recorded(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    def change_first(*args: object, **kwargs: object) -> object:
        run_sql(money, "ALTER TABLE accounts ADD COLUMN note TEXT")
        return record_version(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(adopt_command, "record_version", change_first)

    result = project.runpytest(f"--bb-adopt={wanted}")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines(["ERROR: *its schema is not what it was*nothing was recorded*"])
    assert ask(money, "SELECT name FROM sqlite_schema WHERE name LIKE '!_bb%' ESCAPE '!'") == []
    assert not list(project.path.glob("*.backup.*"))


TERMINATES = """
import os, signal
from pytest_bbmigrate.apply import backups

def terminate_first(*args, back_up=backups.back_up, **kwargs):
    os.kill(os.getpid(), signal.SIGTERM)
    return back_up(*args, **kwargs)

backups.back_up = terminate_first
"""


def test_a_backup_that_is_terminated_leaves_no_copy(
    project: pytest.Pytester, money: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    project.makeconftest(TERMINATES)
    before = sorted(project.path.iterdir())

    result = project.runpytest_subprocess("--bb-backup")

    left = [path for path in sorted(project.path.iterdir()) if path not in before]
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stderr.fnmatch_lines(["interrupted: *"])
    assert not [path for path in left if "budget_buddy.db" in path.name]
    assert ask(money, "SELECT name FROM accounts") == [("checking",)]
