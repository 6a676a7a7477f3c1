"""Smoke tests whose app spoils the database and the note on its backup as well."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.real_database import ACCOUNTS, ask, backups, change, write_steps

if TYPE_CHECKING:
    from pathlib import Path

APP = """\
import pathlib, pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    here = pathlib.Path()
    (here / "budget_buddy.db").write_bytes(b"garbled" * 9999)
    (note,) = here.glob(".budget_buddy.db.backup.*.json")
    DOES
    assert False
"""


def make_money(project: pytest.Pytester) -> None:
    """Make a database with a row, and a migration pending that can be taken for a second one."""
    write_steps(project, ACCOUNTS)
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    path = project.path / "budget_buddy.db"
    change(path, "INSERT INTO accounts (name) VALUES (?)", [("checking",)])
    write_steps(project, ACCOUNTS, "ALTER TABLE accounts ADD COLUMN trip TEXT;\n")


@pytest.mark.parametrize("does", every(2, ["note.write_bytes(b'')", "note.unlink()"]))
def test_the_command_that_is_named_restores_the_database_all_the_same(
    project: pytest.Pytester, money: Path, does: str
) -> None:
    project.makepyfile(test_app=APP.replace("DOES", does))
    result = project.runpytest_subprocess("--bb-apply")
    (line,) = [line for line in result.outlines if line.startswith("restore ")]
    (backup,) = backups(project)
    restored = project.runpytest(*shlex.split(line)[2:])

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"--bb-restore={backup.name} --bb-discard-changes" in line
    assert restored.ret == pytest.ExitCode.OK
    restored.stdout.no_fnmatch_line("*nothing tells*")
    assert ask(money, "SELECT name FROM accounts") == [("checking",)]
