from __future__ import annotations

import pytest

from tests.plugin.sample import write_migrations


def test_the_next_migration_is_written(project: pytest.Pytester) -> None:
    folder = write_migrations(project)

    result = project.runpytest("--bb-new=Add trip notes")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines == ["wrote migrations/004_add_trip_notes.sql"]
    assert "-- Migration: Add trip notes" in (folder / "004_add_trip_notes.sql").read_text()


def test_the_first_migration_makes_its_folder(project: pytest.Pytester) -> None:
    result = project.runpytest("--bb-new=accounts.py", "--bb-migrations=db/migrations")

    assert result.outlines == ["wrote db/migrations/001_accounts.py"]
    assert (project.path / "db/migrations/001_accounts.py").is_file()


def test_nothing_is_collected(project: pytest.Pytester) -> None:
    project.makepyfile("raise SystemExit('imported')")

    assert project.runpytest("--bb-new=accounts").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("name", ["", "../accounts", "!!"])
def test_a_name_that_names_nothing_is_a_usage_error(project: pytest.Pytester, name: str) -> None:
    folder = write_migrations(project)
    before = sorted(folder.iterdir())

    result = project.runpytest(f"--bb-new={name}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --bb-new={name}: *"])
    assert sorted(folder.iterdir()) == before


def test_what_was_written_is_not_run_unwritten(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.runpytest("--bb-new=trip_notes")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*004_trip_notes.sql*"])
