from __future__ import annotations

import sqlite3

import pytest

from tests.plugin.sample import write_migrations


@pytest.mark.parametrize("arguments", [["--bb-check-migrations"], ["migrations"], ["--bb-status"]])
def test_an_sqlite_older_than_those_tested_is_refused(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    write_migrations(project)
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.37.2")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: SQLite 3.37.2 is too old *SQLite 3.38 or newer"])


def test_an_old_sqlite_is_nothing_to_a_session_that_asks_for_no_check(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    project.makepyfile(test_app="def test_app(): pass")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))

    result = project.runpytest()

    result.assert_outcomes(passed=1)
