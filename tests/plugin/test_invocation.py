"""The commands that are printed act on the database of the session that prints them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.real_database import names, run_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNER = "-- migrate:up\nALTER TABLE accounts ADD COLUMN owner TEXT;\n"
OWNER += "-- migrate:down\nALTER TABLE accounts DROP COLUMN owner;\n"
QUOTED = "my bank 'x.db"
INI = "[pytest]\nbb_rows = 12\nbb_migrations = {}migrations\nbb_database = {}other.db\n"
# How a session may be told that it is about another database than the plain command here.
WAYS = {
    "--bb-db": ["--bb-db=other.db"],
    "-o": ["-o", "bb_database=other.db"],
    "-c": ["-c", "other.ini"],
    "--rootdir": [
        "--rootdir=sub",
        "-o",
        "bb_migrations=../migrations",
        "-o",
        "bb_database=../other.db",
    ],
    "an argument": ["sub/test_nothing.py"],
}


def make_two(project: pytest.Pytester) -> None:
    """Make two databases with both migrations applied to the first alone."""
    folder = project.mkdir("migrations")
    (folder / "001_accounts.sql").write_text(ACCOUNTS)
    for name in ("budget_buddy.db", "other.db"):
        result = project.runpytest("--bb-apply", "--bb-create", f"--bb-db={name}")
        assert result.ret == pytest.ExitCode.OK, result.outlines
    (folder / "002_owner.sql").write_text(OWNER)
    assert project.runpytest("--bb-apply").ret == pytest.ExitCode.OK
    (project.path / "other.ini").write_text(INI.format("", ""))
    sub = project.mkdir("sub")
    (sub / "tox.ini").write_text(INI.format("../", "../"))
    (sub / "test_nothing.py").write_text("def test_nothing(): pass\n")


@pytest.fixture
def other(project: pytest.Pytester, made_once: Callable[..., None]) -> Path:
    """Return the database that lacks the second migration."""
    made_once(make_two)
    return project.path / "other.db"


def told(result: pytest.RunResult, label: str) -> list[list[str]]:
    """Return the commands that follow ``label``, as a shell reads them."""
    (line,) = [line for line in result.outlines if line.strip().startswith(f"{label} ")]
    commands = line.strip().removeprefix(label).split(", or ")
    return [shlex.split(command)[1:] for command in commands]


@pytest.mark.parametrize(("way", "at"), [*((way, 0) for way in every(2, WAYS)), ("-o", 1)])
def test_what_undoes_an_apply_undoes_it_in_that_database(
    project: pytest.Pytester, other: Path, way: str, at: int
) -> None:
    untouched = (project.path / "budget_buddy.db").read_bytes()
    applied = project.runpytest("--bb-apply", *WAYS[way])
    there = names(other)
    undone = project.runpytest(*told(applied, "undo")[at])

    assert there == ["001_accounts", "002_owner"]
    assert undone.ret == pytest.ExitCode.OK, undone.errlines
    assert names(other) == ["001_accounts"]
    assert (project.path / "budget_buddy.db").read_bytes() == untouched


def test_a_name_is_quoted_as_a_shell_wants_it(project: pytest.Pytester, other: Path) -> None:
    path = other.rename(other.with_name(QUOTED))
    applied = project.runpytest("--bb-apply", f"--bb-db={QUOTED}")

    rollback, restore = told(applied, "undo")

    assert rollback == [f"--bb-db={QUOTED}", "--bb-rollback"]
    assert project.runpytest(*restore).ret == pytest.ExitCode.OK
    assert names(path) == ["001_accounts"]


@pytest.mark.parametrize("way", ["-c", "an argument"])
def test_a_failed_rehearsal_is_asked_again_of_that_database(
    project: pytest.Pytester, other: Path, way: str
) -> None:
    run_sql(other, "INSERT INTO accounts VALUES (1, 'Zqxv')")
    loses = (
        "DELETE FROM accounts WHERE name LIKE 'Zq' || 'xv%';\n"  # a name that is generated nowhere
    )
    (project.path / "migrations" / "003_trips.sql").write_text(loses)

    failed = project.runpytest("--bb-apply", "--bb-to=003_trips", *WAYS[way])
    (command,) = told(failed, "rerun")
    again = project.runpytest(*command)

    assert failed.ret == again.ret == pytest.ExitCode.TESTS_FAILED
    assert command[-2:] == ["--bb-rehearse", "--bb-to=003_trips"]
    again.stdout.fnmatch_lines(["003_trips: data_survives: *", "*other.db::rehearsal*"])
