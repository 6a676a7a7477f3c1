"""Names of databases that the commands have trouble with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.plugin.real_database import ask, litter, names, run_sql, write_steps

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNER = "-- migrate:up\nALTER TABLE accounts ADD COLUMN owner TEXT;\n"


def make(project: pytest.Pytester, name: str) -> Path:
    write_steps(project, ACCOUNTS)
    path = project.path / name
    run_sql(path, ACCOUNTS)
    return path


def test_a_name_that_begins_with_a_tilde_is_a_name(project: pytest.Pytester) -> None:
    path = make(project, "~nobody-has-this-name.db")

    result = project.runpytest(f"--bb-db={path.name}", "--bb-adopt=001_step")

    assert result.ret == pytest.ExitCode.OK, result.errlines
    assert names(path) == ["001_step"]


@pytest.mark.parametrize("command", ["--bb-adopt=001_step", "--bb-backup"])
def test_a_name_too_long_for_its_backups_is_told(project: pytest.Pytester, command: str) -> None:
    path = make(project, f"{'long' * 54}.db")
    before = path.read_bytes()

    result = project.runpytest(f"--bb-db={path.name}", command)

    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(["ERROR: *its name has 219 bytes, and 2?? at most leave room *"])
    assert path.read_bytes() == before
    assert litter(project) == [path.name]


def test_after_a_rollback_to_the_beginning_undo_works_as_printed(project: pytest.Pytester) -> None:
    write_steps(project, f"-- migrate:up\n{ACCOUNTS}-- migrate:down\nDROP TABLE accounts;\n")
    path = project.path / "budget_buddy.db"
    assert project.runpytest("--bb-apply", "--bb-create").ret == pytest.ExitCode.OK
    run_sql(path, "CREATE TABLE cache (id INTEGER)")
    back = project.runpytest("--bb-rollback")
    (undo,) = [line for line in back.outlines if line.startswith("undo ")]

    undone = project.runpytest(*undo.split()[2:])

    assert back.ret == undone.ret == pytest.ExitCode.OK, undone.errlines
    assert names(path) == ["001_step"]


def test_what_restores_a_database_of_an_odd_name_works_as_printed(
    project: pytest.Pytester,
) -> None:
    write_steps(project, ACCOUNTS)
    path = project.path / "e\x1bsc; 'a\\b.db"
    assert project.runpytest("--bb-apply", "--bb-create", f"--bb-db={path.name}").ret == 0
    run_sql(path, "INSERT INTO accounts (name) VALUES ('checking')")
    backed_up = project.runpytest("--bb-backup", f"--bb-db={path.name}")
    write_steps(project, ACCOUNTS, "ALTER TABLE accounts ADD COLUMN trip TEXT;\n")
    applied = project.runpytest("--bb-apply", f"--bb-db={path.name}")
    (undo,) = [line for line in applied.outlines if line.startswith("undo ")]

    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {undo.removeprefix('undo').strip()}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split("\0")[1:-1]
    undone = project.runpytest(*words)

    assert backed_up.ret == applied.ret == undone.ret == pytest.ExitCode.OK, undone.errlines
    assert names(path) == ["001_step"]
    assert ask(path, "SELECT name FROM accounts") == [("checking",)]
