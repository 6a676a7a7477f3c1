"""A session takes from pytest's cache what an earlier one has found, and says so."""

from __future__ import annotations

import re
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.keeping import entries_of
from tests.plugin.sample import FORGETS, write_migrations

if TYPE_CHECKING:
    from pathlib import Path

CHECK = "--bb-check-migrations"
SAYS_CACHED = re.compile(r"^cached: .*\n| \(cached\)|; cached: .*$", re.MULTILINE)
SECONDS = re.compile(r" in \d+\.\d+s =+")


def text_of(result: pytest.RunResult) -> str:
    """Return what a session has printed, but for what it took and what is cached."""
    text = SECONDS.sub("", SAYS_CACHED.sub("", result.stdout.str()))
    return re.sub(" +", " ", text)


def kept_in(project: pytest.Pytester) -> list[Path]:
    return sorted(project.path.glob(".pytest_cache/d/bbmigrate/*"))


def test_what_is_kept_is_told_as_it_was_and_asked_of_nobody(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    first = project.runpytest(CHECK, "-v")
    fresh = project.runpytest(CHECK, "-v", "--bb-no-cache")
    monkeypatch.delattr("pytest_bbmigrate.judge.client.start_process")

    second = project.runpytest(CHECK, "-v")
    brief = project.runpytest(CHECK, "-q")

    assert text_of(second) == text_of(first) == text_of(fresh)
    assert second.ret == first.ret == fresh.ret == 0
    first.stdout.no_fnmatch_line("*(cached)*")
    fresh.stdout.no_fnmatch_line("*(cached)*")
    second.stdout.fnmatch_lines(
        [
            "migrations::catalogue_reads PASSED (cached) *",
            "migrations/001_accounts.sql::up_applies PASSED (cached) *",
            "migrations/002_trip_tags.sql::down_restores SKIPPED (cached) (no down part) *",
            "cached: 19 checks",
        ]
    )
    brief.stdout.fnmatch_lines(["3 migrations proved forward, *; cached: 19 checks"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept_in(project)} == {0o600}


def test_after_an_edit_the_rest_is_kept_and_a_failure_is_tried_anew(
    project: pytest.Pytester,
) -> None:
    write_migrations(project)
    project.runpytest(CHECK)
    write_migrations(project, _004_forget__sql=FORGETS)

    once, again = project.runpytest(CHECK, "-v"), project.runpytest(CHECK, "-v")
    fresh = project.runpytest(CHECK, "-v", "--bb-no-cache")

    assert text_of(once) == text_of(again) == text_of(fresh)
    assert once.ret == again.ret == fresh.ret == pytest.ExitCode.TESTS_FAILED
    again.stdout.fnmatch_lines(
        [
            "migrations/003_funds.py::up_repeats PASSED (cached) *",
            "migrations/004_forget.sql::data_survives FAILED *",
            "cached: * checks of 25",
        ]
    )


def test_a_spoilt_entry_is_none(project: pytest.Pytester) -> None:
    write_migrations(project)
    first = project.runpytest(CHECK)
    for path in kept_in(project):
        path.write_bytes(path.read_bytes()[:-1])

    second = project.runpytest(CHECK)

    assert text_of(second) == text_of(first)
    second.stdout.no_fnmatch_line("*(cached)*")


@pytest.mark.parametrize(
    "arguments", [["-p", "no:cacheprovider"], ["--bb-no-cache"], ["-o", "cache_dir=pytest.ini"]]
)
def test_without_a_cache_nothing_is_kept(project: pytest.Pytester, arguments: list[str]) -> None:
    write_migrations(project)
    (project.path / "pytest.ini").write_text((project.path / "tox.ini").read_text())

    result = project.runpytest("migrations/001_accounts.sql", *arguments, "-W", "ignore")

    result.assert_outcomes(passed=6)
    assert kept_in(project) == []


def test_an_apply_takes_nothing_and_a_check_does(project: pytest.Pytester) -> None:
    for arguments, takes in [
        ([CHECK], True),
        (["--bb-apply"], False),
        (["--bb-rollback=1"], False),
        ([CHECK, "--bb-no-cache"], False),
        ([CHECK, "--bb-in-process"], False),
    ]:
        assert (entries_of(project.parseconfigure(*arguments)) is not None) == takes


def test_what_is_not_kept_is_said_where_all_is(project: pytest.Pytester) -> None:
    write_migrations(project, _004_x__py="import uuid\n\n\ndef up(db):\n    uuid.uuid4()\n")
    project.runpytest(CHECK)

    result = project.runpytest(CHECK, "-v")

    result.stdout.fnmatch_lines(
        [
            "migrations/004_x.py::up_applies PASSED *",
            "cached: 18 checks of 25",
            "not kept for the next run, nor what comes after it: 004_x uses the module uuid",
        ]
    )
    result.stdout.no_fnmatch_line("*004_x*cached*")


def test_workers_keep_what_they_find_and_take_it(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate -p xdist")
    write_migrations(project)
    arguments = [sys.executable, "-m", "pytest", CHECK, "-n", "2"]
    project.run(*arguments)

    result = project.run(*arguments)

    result.stdout.fnmatch_lines(["cached: 19 checks"])


def test_what_a_migration_imports_may_be_where_only_collecting_has_led(
    project: pytest.Pytester,
) -> None:
    app = project.mkdir("app")
    (app / "__init__.py").touch()
    (app / "money.py").write_text("column = 'cents'\n")
    imports = (
        "from app.money import column\n\ndef up(db):\n    db['accounts'].add_column(column, int)\n"
    )
    write_migrations(project, _004_cents__py=imports)
    project.makepyfile(test_of_the_app="def test_it():\n    pass\n")

    paths = ("migrations", "test_of_the_app.py")
    first, second = project.runpytest(CHECK, *paths), project.runpytest(CHECK, *paths)

    assert first.ret == second.ret == 0
