"""What would have no effect is refused: settings that there are not, options that do nothing."""

from __future__ import annotations

import pytest

from tests.plugin.sample import write_migrations

INI = "[pytest]\nbb_databse = other.db\n"
TOML = '[tool.pytest.ini_options]\nbb_databse = "other.db"\n'
FILES = {
    "tox.ini": INI,
    "pytest.ini": INI,
    "setup.cfg": INI.replace("pytest", "tool:pytest"),
    "pyproject.toml": TOML,
}


@pytest.mark.parametrize("command", ["--bb-check-migrations", "--bb-status", "--bb-apply"])
@pytest.mark.parametrize("name", FILES)
def test_a_setting_that_there_is_not_is_refused_with_the_nearest_name(
    project: pytest.Pytester, name: str, command: str
) -> None:
    write_migrations(project)
    (project.path / "tox.ini").unlink()
    (project.path / name).write_text(FILES[name])

    result = project.runpytest(command)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bb_databse: no such setting; did you mean bb_database?"])
    assert not (project.path / "budget_buddy.db").exists()


def test_a_setting_of_the_command_line_is_looked_at_as_well(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "-o", "bb_sead=7")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bb_sead: no such setting; did you mean bb_seed?"])


def test_a_name_that_is_like_none_is_refused_with_all_there_are(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "-o", "bb_xyzzy=7")

    result.stderr.fnmatch_lines(["ERROR: bb_xyzzy: no such setting; there are bb_migrations, *"])


def test_settings_of_others_are_nobodys_business_here(project: pytest.Pytester) -> None:
    write_migrations(project)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nmarkers = slow: takes long\n")

    assert project.runpytest("--bb-check-migrations").ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bb-check-migrations", "--bb-to=002_trip_tags"], "--bb-to * --bb-apply"),
        (["--bb-create"], "--bb-create * --bb-apply"),
        (["--bb-status", "--bb-allow-late"], "--bb-allow-late * --bb-apply"),
        (["--bb-check-migrations", "--bb-skip-way-back"], "--bb-skip-way-back * --bb-apply"),
        (["--bb-rollback", "--bb-to=002_trip_tags"], "--bb-to * --bb-apply"),
        (["--bb-apply", "--bb-discard-changes"], "--bb-discard-changes * --bb-restore or *"),
    ],
)
def test_an_option_that_does_nothing_is_refused(
    project: pytest.Pytester, arguments: list[str], told: str
) -> None:
    write_migrations(project)

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: {told}".replace(" * ", " does nothing here: it goes with ")]
    )
