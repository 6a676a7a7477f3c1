from __future__ import annotations

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.judge import judge as work  # imported here, or each session has its own
from tests.plugin.sample import (
    ALL,
    CHECKS,
    DOES_NOT_APPLY,
    FORGETS,
    UNFINISHED,
    collected,
    in_short_summary,
    write_migrations,
)


def test_a_check_is_an_item_of_its_migration(project: pytest.Pytester) -> None:
    write_migrations(project)

    assert collected(project, "--bb-check-migrations") == ALL


def test_plain_pytest_leaves_the_folder_alone(project: pytest.Pytester) -> None:
    folder = write_migrations(project)
    (folder / "notes.sql").write_text(UNFINISHED)
    project.makepyfile(test_app="def test_app(): pass")

    assert collected(project) == ["test_app.py::test_app"]
    assert collected(project, ".") == ["test_app.py::test_app"]


def test_the_folder_as_an_argument_is_all_of_its_checks(project: pytest.Pytester) -> None:
    write_migrations(project)

    assert collected(project, "migrations") == ALL


def test_the_folder_among_testpaths_is_all_of_its_checks(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makeini("[pytest]\ntestpaths = migrations unit\n")
    project.mkdir("unit").joinpath("test_app.py").write_text("def test_app(): pass\n")

    assert collected(project) == [*ALL, "unit/test_app.py::test_app"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["migrations/002_trip_tags.sql"], ALL[7:13]),
        (["migrations/003_funds.py"], ALL[13:]),
        (["migrations/002_trip_tags.sql::data_survives"], [ALL[8]]),
        (
            ["migrations/003_funds.py::up_applies", "migrations/001_accounts.sql"],
            [ALL[13], *ALL[1:7]],
        ),
        (["migrations::catalogue_reads"], [ALL[0]]),
        (["migrations::catalogue_reads", "migrations/003_funds.py::up_applies"], [ALL[0], ALL[13]]),
        (["migrations/003_funds.py::up_applies", "migrations::catalogue_reads"], [ALL[0], ALL[13]]),
        (
            [
                "migrations::catalogue_reads",
                "migrations/003_funds.py::up_repeats",
                "migrations/003_funds.py::up_applies",
            ],
            [ALL[0], ALL[13], ALL[18]],
        ),
        (
            [
                "migrations::catalogue_reads",
                "migrations/003_funds.py::up_repeats",
                "migrations/003_funds.py",
            ],
            [ALL[0], *ALL[13:]],
        ),
        (["migrations::catalogue_reads", "migrations"], ALL),
        (["migrations::catalogue_reads", "test_app.py"], [ALL[0], "test_app.py::test_app"]),
        (["migrations", "migrations/002_trip_tags.sql::data_survives"], ALL),
    ],
)
@pytest.mark.parametrize("flag", [[], ["--bb-check-migrations"]])
def test_what_was_named_is_the_selection(
    project: pytest.Pytester, arguments: list[str], expected: list[str], flag: list[str]
) -> None:
    write_migrations(project)
    project.makepyfile(test_app="def test_app(): pass")

    assert collected(project, *flag, *arguments) == expected


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("migrations/003_funds.py::up_apply", "not found: *003_funds.py::up_apply"),
        ("migrations/README.md", "not found: *README.md"),
        ("migrations/009_gone.sql", "file or directory not found: migrations/009_gone.sql"),
        ("migrations::data_survives", "*cannot contain :: selection parts: migrations::data_*"),
    ],
)
def test_what_is_not_there_is_a_usage_error(
    project: pytest.Pytester, argument: str, message: str
) -> None:
    (write_migrations(project) / "README.md").write_text("Ours.")

    result = project.runpytest(argument)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


@pytest.mark.parametrize("beside", ["migrations", "migrations::catalogue_reads", "."])
def test_what_is_not_there_beside_the_folder_is_a_usage_error(
    project: pytest.Pytester, beside: str
) -> None:
    write_migrations(project)

    result = project.runpytest(beside, "migrations/009_gone.sql")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*file or directory not found: migrations/009_gone.sql"])


def test_an_unknown_check_beside_the_folders_own_is_an_error(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest(
        "migrations::catalogue_reads", "migrations/002_trip_tags.sql::data_survive"
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["data_survive is not a check; the checks are up_applies, *"])


def test_a_nested_folder_has_its_whole_path_in_node_ids(project: pytest.Pytester) -> None:
    write_migrations(project, folder="backend/database/migrations")
    option = "--bb-migrations=backend/database/migrations"

    nested = [f"backend/database/{node_id}" for node_id in ALL]
    assert collected(project, option, "--bb-check-migrations") == nested
    assert collected(project, option, nested[3]) == [nested[3]]


def test_a_package_above_the_folder_is_not_imported(project: pytest.Pytester) -> None:
    folder = write_migrations(project, folder="backend/migrations")
    for package in (folder, folder.parent):
        (package / "__init__.py").write_text("raise SystemExit('the app was imported')\n")

    result = project.runpytest("--bb-migrations=backend/migrations", "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK


def test_a_migration_in_a_folder_of_its_own_goes_by_its_up_file(project: pytest.Pytester) -> None:
    folder = write_migrations(project)
    (folder / "004_goals").mkdir()
    (folder / "004_goals" / "up.sql").write_text("CREATE TABLE goals (id INTEGER PRIMARY KEY);")
    (folder / "004_goals" / "down.sql").write_text("DROP TABLE goals;")

    ids = [f"migrations/004_goals/up.sql::{check}" for check in CHECKS]
    assert collected(project, "--bb-check-migrations") == [*ALL, *ids]
    assert collected(project, "migrations/004_goals") == ids
    assert collected(project, "migrations/004_goals/up.sql::up_repeats") == ids[5:]
    assert collected(project, "migrations::catalogue_reads", "migrations/004_goals") == [
        ALL[0],
        *ids,
    ]


def test_a_migration_called_like_a_test_is_not_imported(project: pytest.Pytester) -> None:
    write_migrations(
        project, _004_test__py="def up(db): db.execute('SELECT 1')\n\ndef test_it(): 1 / 0\n"
    )

    ids = collected(project, "--bb-check-migrations")

    assert [node_id for node_id in ids if "_test" in node_id] == [
        f"migrations/004_test.py::{check}" for check in CHECKS
    ]


def test_norecursedirs_does_not_hide_the_folder(project: pytest.Pytester) -> None:
    write_migrations(project, folder="build/migrations")

    ids = [f"build/{node_id}" for node_id in ALL]
    assert collected(project, "--bb-migrations=build/migrations", "--bb-check-migrations") == ids
    assert (
        collected(project, "--bb-migrations=build/migrations", "--bb-check-migrations", ".") == ids
    )


def test_checks_that_a_conftest_hides_are_missed(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makeconftest(
        """
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(collection_path):
            return True if collection_path.name == "migrations" else None
        """
    )

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the checks of */migrations were not collected; *"])


def test_a_folder_outside_the_root_is_checked(project: pytest.Pytester) -> None:
    write_migrations(project, folder="shared/migrations")
    app = project.mkdir("app")
    (app / "pytest.ini").write_text(
        "[pytest]\nbb_migrations = ../shared/migrations\nbb_rows = 12\n"
    )
    project.chdir()

    result = project.runpytest("--rootdir=app", "-c", "app/pytest.ini", "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=17, skipped=2)


def test_one_file_of_a_folder_outside_the_root_is_a_usage_error(project: pytest.Pytester) -> None:
    write_migrations(project, folder="shared/migrations")
    app = project.mkdir("app")
    (app / "pytest.ini").write_text("[pytest]\nbb_migrations = ../shared/migrations\n")

    result = project.runpytest("-c", "app/pytest.ini", "shared/migrations/003_funds.py")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: shared/migrations/003_funds.py is not below the root folder */app; give the *"]
    )


def test_sound_migrations_pass(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=17, skipped=2)


def test_a_lost_value_fails_the_check_that_asks_for_it(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)

    result = project.runpytest("migrations/004_forget.sql", "-v")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "migrations/004_forget.sql::up_applies PASSED *",
            "migrations/004_forget.sql::data_survives FAILED *",
            "migrations/004_forget.sql::down_restores SKIPPED *",
            "*___ 004_forget: data_survives ___*",
            "*transactions.note changed in * of 12 rows*",
            "*rerun *pytest migrations/004_forget.sql::data_survives",
            in_short_summary(
                "migrations/004_forget.sql::data_survives", "*transactions.note changed in *"
            ),
        ]
    )


def test_a_failure_of_ours_shows_no_traceback(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)

    result = project.runpytest("migrations/004_forget.sql::data_survives")

    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*")


def test_a_fault_of_the_plugin_shows_its_traceback(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work, "judge", fail)
    write_migrations(project)

    result = project.runpytest("migrations/001_accounts.sql::up_applies", "--bb-in-process")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ZeroDivisionError in pytest-bbmigrate itself*", "*judge.py*"])


def test_a_set_up_that_breaks_during_a_check_is_told_in_one_line(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError(
            project.path / "budget_buddy.db", "was written to by a script"
        ) from OSError("what led to it")

    monkeypatch.setattr(work, "judge", fail)
    write_migrations(project)

    result = project.runpytest("migrations/001_accounts.sql::up_applies", "--bb-in-process")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*budget_buddy.db: was written to by a script"])
    result.stdout.no_fnmatch_line("*judge.py*")
    result.stdout.no_fnmatch_line("*what led to it*")


def test_after_one_that_does_not_apply_the_rest_is_skipped(project: pytest.Pytester) -> None:
    write_migrations(project, _004_nowhere__sql=DOES_NOT_APPLY, _005_last__sql="SELECT 1;")

    result = project.runpytest("migrations/004_nowhere.sql", "migrations/005_last.sql", "-rs")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1, skipped=11)
    result.stdout.fnmatch_lines(
        ["SKIPPED [[]6] migrations/005_last.sql:1: 004_nowhere does not apply, *"]
    )


def test_a_skip_names_the_migration_and_the_reason(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("migrations/002_trip_tags.sql", "-rs")

    result.stdout.fnmatch_lines(["SKIPPED [[]2] migrations/002_trip_tags.sql:1: *"])


@pytest.mark.parametrize("option", ["-k", "-m", "--deselect"])
def test_pytest_s_own_selection_works(project: pytest.Pytester, option: str) -> None:
    write_migrations(project)
    value = {"-k": "data_survives", "-m": "bb_smoke", "--deselect": "migrations/00"}[option]

    result = project.runpytest("--bb-check-migrations", option, value)

    passed = {"-k": 3, "-m": 0, "--deselect": 1}[option]
    result.assert_outcomes(passed=passed, deselected=19 - passed)


def test_last_failed_runs_what_failed(project: pytest.Pytester) -> None:
    folder = write_migrations(project, _004_forget__sql=FORGETS)
    project.runpytest("--bb-check-migrations").assert_outcomes(passed=20, failed=1, skipped=4)
    (folder / "004_forget.sql").write_text("SELECT 1;")

    result = project.runpytest("--bb-check-migrations", "--lf")

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_failed_first_puts_what_failed_first(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)
    project.runpytest("--bb-check-migrations")

    ids = collected(project, "--bb-check-migrations", "--ff")

    assert ids[0] == "migrations/004_forget.sql::data_survives"
    assert len(ids) == 25


def test_exit_first_ends_after_the_first_failure(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)

    result = project.runpytest("--bb-check-migrations", "-x", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=18, failed=1, skipped=2)


def test_junit_xml_tells_rows_and_values(project: pytest.Pytester) -> None:
    write_migrations(project)

    project.runpytest("migrations/002_trip_tags.sql::data_survives", "--junitxml=junit.xml")

    xml = (project.path / "junit.xml").read_text()
    assert 'classname="migrations.002_trip_tags.sql" name="data_survives"' in xml
    assert '<property name="bb_migration" value="002_trip_tags" />' in xml
    assert '<property name="bb_rows" value="24" />' in xml


def test_a_character_that_no_terminal_takes_is_escaped(project: pytest.Pytester) -> None:
    write_migrations(project, _004_odd__py="def up(db): raise ValueError('caf\\udce9')\n")

    result = project.runpytest("--bb-check-migrations", "-k", "004_odd")

    result.assert_outcomes(failed=1, skipped=5, deselected=19)
    result.stdout.fnmatch_lines(
        [r"up does not run: ValueError: caf\udce9", "  where *004_odd.py:1*"]
    )


def test_an_interrupt_during_a_check_ends_the_session(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "judge", interrupt)
    write_migrations(project)

    arguments = ["--bb-check-migrations", "--bb-in-process"]
    result = project.runpytest(*arguments, no_reraise_ctrlc=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED


SET = """\
from sqlite_utils import Migrations

steps = Migrations("steps")


@steps()
def m001_trips(db):
    db["trips"].create({"id": int}, pk="id")


@steps()
def m002_forgets(db):
    db["trips"].delete_where()
"""


def test_each_function_of_a_set_is_a_migration_with_checks_of_its_own(
    project: pytest.Pytester,
) -> None:
    folder = write_migrations(project)
    for path in folder.iterdir():
        path.unlink()
    (folder / "migrations.py").write_text(SET)
    items = {name: f"migrations/migrations.py::{name}" for name in ("m001_trips", "m002_forgets")}
    checks = [f"{item}::{check}" for item in items.values() for check in CHECKS]
    asked = f"{items['m002_forgets']}::data_survives"

    assert collected(project, "migrations") == ["migrations::catalogue_reads", *checks]
    assert collected(project, "migrations::catalogue_reads", asked) == [
        *("migrations::catalogue_reads", asked)
    ]

    result = project.runpytest(asked)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*m002_forgets: data_survives*", f"*rerun * pytest {asked}"])


def test_a_step_in_another_language_goes_by_its_file_and_fails_where_its_sql_stands(
    project: pytest.Pytester,
) -> None:
    folder = write_migrations(project)
    (folder / "004_forgets.go").write_text("package migrations\n")
    (project.path / "steps.toml").write_text(
        "'004_forgets.go' = '''\nUPDATE transactions\nSET note = NULL;\n'''\n"
    )

    asked = "migrations/004_forgets.go"
    result = project.runpytest(asked, "-o", "bb_steps=steps.toml")

    result.assert_outcomes(failed=1, passed=3, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*004_forgets: data_survives*",
            "  where       steps.toml:2 (up)",
            f"*rerun * {asked}::data_survives",
        ]
    )
