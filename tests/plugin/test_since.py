"""--bb-since: what a git ref has runs unjudged, and has to stay as it is."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.plugin.sample import write_migrations

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def shipped(project: pytest.Pytester) -> Callable[..., None]:
    write_migrations(project, _004_x__sql="CREATE TABLE x (id INTEGER PRIMARY KEY);")

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *arguments], cwd=project.path, check=True, capture_output=True)

    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Ship"], ["tag", "v1"]):
        git(*arguments)
    return git


@pytest.mark.usefixtures("shipped")
def test_only_what_the_ref_does_not_have_is_judged(project: pytest.Pytester) -> None:
    write_migrations(project, _005_y__sql="CREATE TABLE y (id INTEGER PRIMARY KEY);")

    result = project.runpytest("--bb-check-migrations", "--bb-since=v1")

    result.assert_outcomes(passed=5, skipped=2)
    result.stdout.fnmatch_lines(["4 earlier migrations ran unjudged, as --bb-since=v1 says"])


def test_what_has_shipped_must_stay(project: pytest.Pytester, shipped: Callable[..., None]) -> None:
    write_migrations(project, _004_x__sql="CREATE TABLE xx (id INTEGER PRIMARY KEY);")
    shipped("commit", "-qam", "Call it xx")

    result = project.runpytest("migrations::catalogue_reads", "--bb-since=v1")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["004_x was edited by commit * (Call it xx)", "*rerun *--bb-since=v1 *::catalogue_reads"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bb-check-migrations", "--bb-since=v9"], "--bb-since=v9: git knows no commit 'v9'*"),
        (
            ["--bb-check-migrations", "--bb-since=v1", "-o", "bb_check_from=004_x"],
            "--bb-since=v1 and bb_check_from = 004_x both say what is judged; *",
        ),
        (["--bb-apply", "--bb-since=v1"], "--bb-since and --bb-apply cannot be combined: *"),
        (["--bb-since=v1"], "--bb-since does nothing here: *"),
    ],
)
@pytest.mark.usefixtures("shipped")
def test_what_cannot_be_told_is_one_clear_line(
    project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
