"""A session in which a migration was not tried does not end with 0, and says why it was not."""

from __future__ import annotations

import pytest

from tests.depth import every
from tests.plugin.sample import DOES_NOT_APPLY, write_migrations

WAYS = {
    "a path": ["migrations/005_last.sql"],
    "a check": ["migrations/005_last.sql::data_survives"],
    "an expression": ["--bb-check-migrations", "-k", "005_last"],
    "quietly": ["migrations/005_last.sql", "-q"],
}
TOLD = "*not tried, for 004_nowhere does not apply*"
WHY = "*no such table: nowhere*"


@pytest.mark.parametrize("arguments", every(2, WAYS.values()), ids=every(2, WAYS))
def test_what_stands_in_the_way_is_told_once(
    project: pytest.Pytester, arguments: list[str]
) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY, _005_last__sql="SELECT 1;")

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([TOLD])
    result.stdout.fnmatch_lines([WHY])
    result.stdout.fnmatch_lines(["*004_nowhere.sql:1*"])


def test_one_that_runs_unjudged_is_told_if_it_does_not_run(project: pytest.Pytester) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY, _005_last__sql="SELECT 1;")
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_check_from = 005_last\n")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([TOLD])
    result.stdout.fnmatch_lines([WHY])


def test_a_check_of_one_that_does_not_run_says_why_where_nothing_else_does(
    project: pytest.Pytester,
) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY)

    result = project.runpytest("migrations/004_nowhere.sql::data_survives")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([WHY])


def test_where_its_own_check_tells_it_the_rest_is_skipped(project: pytest.Pytester) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY, _005_last__sql="SELECT 1;")

    result = project.runpytest("migrations/004_nowhere.sql", "migrations/005_last.sql")

    assert result.parseoutcomes()["failed"] == 1
    assert result.parseoutcomes()["skipped"] == 11


def test_what_the_set_up_lacks_is_told_once_and_ends_the_judging(project: pytest.Pytester) -> None:
    normalizes = "UPDATE accounts SET name = normalize(name);"
    write_migrations(project, _004_normal__sql=normalizes, _005_last__sql="SELECT 1;")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["failed"] == 1
    needs = "skipped: 004_normal needs function normalize, which is not here, *: 005_last"
    result.stdout.fnmatch_lines(["*up needs function normalize, which is not there*", needs])
