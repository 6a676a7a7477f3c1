from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.sqlite_files import read_image
from tests.plugin.sample import FORGETS, write_migrations


def configure(project: pytest.Pytester, *lines: str) -> None:
    """Write a pytest.ini with few rows and ``lines``."""
    (project.path / "tox.ini").unlink()
    (project.path / "pytest.ini").write_text("\n".join(["[pytest]", "bb_rows = 12", *lines, ""]))


def test_help_shows_every_option(project: pytest.Pytester) -> None:
    help_text = project.runpytest("--help").stdout.str()

    _, _, ours = help_text.partition("SQLite migrations:")
    group = ours.partition("\n\n")[0]
    # Python 3.13 shows the optional value of an option with two names once.
    shown = " ".join(group.split()).replace("--bb-adopt, ", "--bb-adopt=[NAME], ")
    assert shown == (
        "--bb-check-migrations Prove every migration on realistic data, forward and back "
        "--bb-migrations=DIR Folder of the migrations (default: migrations) "
        "--bb-db=FILE Database that the migrations are for (default: budget_buddy.db) "
        "--bb-rows=N Rows to generate in each table (default: 200) "
        "--bb-seed=N Seed of the generated rows (default: 20260101) "
        "--bb-runs-as=TOOL Tool by whose rules the files run (default: as the folder's form says) "
        "--bb-backup-dir=DIR Folder for backups (default: the database's own) "
        "--bb-apply Prove the migrations, then apply the pending ones to the real database "
        "--bb-rollback=[N|NAME] Roll back the last apply, or the last N, or what came after NAME "
        "--bb-restore=[BACKUP] Restore a backup, the latest one or the one named "
        "--bb-backup Make a verified backup "
        "--bb-adopt=[NAME], --bb-baseline=[NAME] "
        "Say which version a database without history is; record it with NAME or auto "
        "--bb-status Show which migrations are applied and which are pending, and exit "
        "--bb-rehearse Do all of --bb-apply but publish "
        "--bb-create Let --bb-apply make the database file "
        "--bb-allow-late Apply migrations that come before an applied one, now "
        "--bb-skip-way-back Do not rehearse the down parts on the real rows "
        "--bb-show-values Show values of your own rows in failures "
        "--bb-in-process Run migrations in pytest's own process, for a debugger "
        "--bb-no-cache Try every check anew, and keep no verdict for the next run "
        "--bb-discard-changes Let a restore or a rollback lose what was written since "
        "--bb-draft-contracts=[FILE] Write the contract lines for what fails (default: where "
        "bb_contracts has them) "
        "--bb-since=REF Judge the migrations that a git REF does not have "
        "--bb-to=NAME Last migration that --bb-apply applies "
        "--bb-write-base=FILE "
        "Write the schema that --bb-adopt finds to lie before the first migration "
        "--bb-new=NAME Write the next numbered migration from a template, and exit"
    )
    for name in (
        *("base", "invariants", "connection", "rows_from", "check_from", "strict"),
        *("backup_dir", "keep_backups", "zone", "seconds", "memory", "smoke_seconds"),
        *("placeholders", "ignore", "order", "contracts", "steps"),
    ):
        assert f"  bb_{name} (" in help_text


def test_markers_are_known(project: pytest.Pytester) -> None:
    project.runpytest("--markers").stdout.fnmatch_lines(
        [
            "@pytest.mark.bb_migration(name): test of one migration, which the fixture *",
            "@pytest.mark.bb_smoke: smoke test of the app on the migrated database",
        ]
    )


def test_the_header_says_what_is_checked_on_what(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "--collect-only")

    amount = "3 migrations, 12 rows in each table, seed 20260101"
    result.stdout.fnmatch_lines(
        [f"bbmigrate: migrations, {amount}, SQLite {sqlite3.sqlite_version}, runner unknown: *"]
    )


def test_the_command_line_goes_before_the_configuration(project: pytest.Pytester) -> None:
    write_migrations(project)
    write_migrations(project, folder="other", _004_last__sql="SELECT 1;")
    configure(project, "bb_migrations = migrations", "bb_seed = 1")

    result = project.runpytest(
        "--bb-check-migrations", "--co", "--bb-migrations=other", "--bb-rows=7", "--bb-seed=2"
    )

    result.stdout.fnmatch_lines(["bbmigrate: other, 4 migrations, 7 rows in each table, seed 2, *"])


def test_a_path_counts_from_where_it_was_given(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project, folder="db/migrations")
    configure(project, "bb_migrations = db/migrations")
    monkeypatch.chdir(project.path / "db")

    from_configuration = project.runpytest("--bb-check-migrations", "--co")
    from_command_line = project.runpytest(
        "--bb-check-migrations", "--co", "-o", "bb_migrations=", "--bb-migrations=migrations"
    )

    line = "bbmigrate: db/migrations, 3 migrations, *"
    from_configuration.stdout.fnmatch_lines([line])
    from_command_line.stdout.fnmatch_lines([line])


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="[tool.pytest] is read from pytest 9 on")
def test_native_toml_takes_native_values(project: pytest.Pytester) -> None:
    write_migrations(project)
    (project.path / "tox.ini").unlink()
    (project.path / "pyproject.toml").write_text(
        "[tool.pytest]\nbb_rows = 9\nbb_seed = 3\nbb_strict = true\n"
        'bb_invariants = ["one: SELECT 1"]\n'
    )

    result = project.runpytest("--bb-check-migrations", "--co")

    result.stdout.fnmatch_lines(["bbmigrate: *, 9 rows in each table, seed 3, *"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bb-rows=-1"], "--bb-rows = -1: a positive integer is wanted"),
        (["--bb-rows=many"], "--bb-rows = many: a positive integer is wanted"),
        (["--bb-seed=now"], "--bb-seed = now: an integer is wanted"),
        (["-o", "bb_rows=0"], "bb_rows = 0: a positive integer is wanted"),
        (["-o", "bb_rows=many"], "bb_rows: an integer is wanted (*)"),
        (["-o", "bb_strict=maybe"], "bb_strict: true or false is wanted (*)"),
        (["-o", "bb_base=gone.sql"], "bb_base = gone.sql: there is no such file (*)"),
        (["-o", "bb_rows_from=gone"], "bb_rows_from = gone: there is no such folder (*)"),
        (["-o", "bb_connection=app"], "bb_connection = app: package.module:function is wanted"),
        (["-o", "bb_connection=gone:f"], "bb_connection = gone:f: gone cannot be imported *"),
        (["-o", "bb_invariants=money"], "bb_invariants = money: a line 'name: SELECT ..' *"),
        (["-o", "bb_check_from=002_trip_tag"], "bb_check_from = 002_trip_tag: *002_trip_tags*"),
    ],
)
@pytest.mark.parametrize("asked", [["--bb-check-migrations"], ["migrations/003_funds.py"]])
def test_a_wrong_value_is_one_clear_line(
    project: pytest.Pytester, arguments: list[str], message: str, asked: list[str]
) -> None:
    write_migrations(project)

    result = project.runpytest(*asked, *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len([line for line in result.errlines if line]) == 1


def test_a_wrong_value_on_the_command_line_is_refused_in_any_session(
    project: pytest.Pytester,
) -> None:
    project.makepyfile("def test_app(): pass")

    assert project.runpytest("--bb-rows=-1").ret == pytest.ExitCode.USAGE_ERROR


def test_a_wrong_value_in_the_configuration_does_not_matter_unused(
    project: pytest.Pytester,
) -> None:
    project.makepyfile("def test_app(): pass")
    configure(project, "bb_seed = now")

    assert project.runpytest().ret == pytest.ExitCode.OK


def test_the_summary_says_what_was_proved(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(
        [
            "*=== migrations ===*",
            "3 migrations proved forward, 2 of them back",
            "on up to 24 rows, * values compared",
            "skipped: *: 002_trip_tags",
        ]
    )


def test_the_summary_says_what_failed(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql=FORGETS)

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(
        ["3 of 4 migrations proved forward, 2 of them back", "failed: 004_forget: data_survives"]
    )


def test_quiet_is_one_line(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "-q")

    ours = [line for line in result.outlines if "migration" in line]
    assert len(ours) == 1
    assert ours[0].startswith("3 migrations proved forward, 2 of them back; on up to 24 rows, ")


def test_nothing_asked_is_no_summary(project: pytest.Pytester) -> None:
    write_migrations(project)

    result = project.runpytest("--bb-check-migrations", "--collect-only")

    result.stdout.no_fnmatch_line("*=== migrations ===*")


def test_a_rerun_repeats_the_options_that_were_given(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project, folder="db/migrations", _004_forget__sql=FORGETS)
    monkeypatch.chdir(project.path / "db")

    result = project.runpytest(
        "--bb-check-migrations", "--bb-migrations=migrations", "--bb-seed=7", "--bb-db=my money.db"
    )

    options = "--bb-migrations=migrations '--bb-db=my money.db' --bb-seed=7"
    result.stdout.fnmatch_lines(
        [f"*rerun *pytest {options} migrations/004_forget.sql::data_survives"]
    )


def test_the_checks_begin_where_they_are_told_to(project: pytest.Pytester) -> None:
    write_migrations(project)
    configure(project, "bb_check_from = 003_funds")

    result = project.runpytest("--bb-check-migrations")

    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["2 earlier migrations ran unjudged, as bb_check_from says"])


def test_an_earlier_migration_is_judged_when_it_is_named(project: pytest.Pytester) -> None:
    write_migrations(project)
    configure(project, "bb_check_from = 003_funds")

    project.runpytest("migrations/001_accounts.sql").assert_outcomes(passed=6)


def test_an_invariant_that_changes_fails(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_double__sql="-- bb: changes transactions.amount\nUPDATE transactions SET amount = id;",
    )
    configure(
        project, "bb_invariants =", "    money is conserved: SELECT sum(amount) FROM transactions"
    )

    result = project.runpytest("migrations/004_double.sql::data_survives")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*money is conserved*"])


def test_the_apps_functions_are_there(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_upper__sql="CREATE TABLE words (w TEXT); INSERT INTO words VALUES (shout('a'));",
    )
    project.makepyfile(
        app_connection="def prepare(db): db.create_function('shout', 1, lambda s: s.upper())"
    )
    configure(project, "bb_connection = app_connection:prepare")

    project.runpytest("migrations/004_upper.sql").assert_outcomes(passed=4, skipped=2)


def test_the_users_rows_are_used(project: pytest.Pytester) -> None:
    write_migrations(project, _004_forget__sql="UPDATE accounts SET name = 'x';")
    (project.mkdir("rows") / "accounts.csv").write_text("id,name\n1,Harbour Street\n")
    configure(project, "bb_rows_from = rows")

    result = project.runpytest("migrations/004_forget.sql::data_survives", "--bb-show-values")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*id=1: 'Harbour Street' -> 'x'*"])


def test_rows_that_do_not_read_are_a_usage_error(project: pytest.Pytester) -> None:
    write_migrations(project)
    (project.mkdir("rows") / "accounts.json").write_text("[{")
    configure(project, "bb_rows_from = rows")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *accounts.json*"])


BASELINE = """\
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts (id), note TEXT
);
"""


def make_project_on_a_base(project: pytest.Pytester, base: str, *, name: str = "bb_base") -> None:
    """Write a folder whose first migration needs tables that only a base has."""
    folder = project.mkdir("migrations")
    (folder / "trip_tags.sql").write_text("ALTER TABLE transactions ADD COLUMN trip_tag TEXT;\n")
    configure(project, f"{name} = {base}")


def test_a_base_of_sql_is_where_the_first_migration_starts(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.sql")
    (project.path / "models.sql").write_text(f"BEGIN;\n{BASELINE}COMMIT;\n")

    project.runpytest("--bb-check-migrations").assert_outcomes(passed=5, skipped=2)


def test_the_base_may_still_be_called_bb_baseline(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.sql", name="bb_baseline")
    (project.path / "models.sql").write_text(BASELINE)

    project.runpytest("--bb-check-migrations").assert_outcomes(passed=5, skipped=2)

    (project.path / "models.sql").unlink()
    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bb_baseline = models.sql: there is no such file (*)"])


def test_two_names_of_the_base_at_once_are_refused(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.sql")
    (project.path / "models.sql").write_text(BASELINE)

    result = project.runpytest("--bb-check-migrations", "-o", "bb_baseline=models.sql")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bb_base and bb_baseline are one setting; give bb_base"])


def test_a_base_may_be_a_database(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.db")
    with closing(sqlite3.connect(project.path / "models.db")) as db:
        db.executescript(BASELINE)
    before = read_image(project.path / "models.db")

    project.runpytest("--bb-check-migrations").assert_outcomes(passed=5, skipped=2)

    assert read_image(project.path / "models.db") == before


def test_a_base_may_need_the_apps_functions(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.sql")
    (project.path / "models.sql").write_text(
        BASELINE + "INSERT INTO accounts (name) VALUES (shout('joint'));\n"
    )
    project.makepyfile(
        app_functions="def prepare(db): db.create_function('shout', 1, lambda s: s.upper())"
    )

    result = project.runpytest("--bb-check-migrations", "-o", "bb_connection=app_functions:prepare")

    result.assert_outcomes(passed=5, skipped=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"CREATE TABLE a (b);\nSELECT * FROM c;\n", "models.sql:2: no such table: c"),
        (b"CREATE TABLE a (b);\nSELECT 'c;\n", "models.sql:2: *"),
        (b"-- \xff\n", "models.sql: neither an SQLite database nor SQL in UTF-8 (*)"),
        (b"BEGIN; CREATE TABLE a (b);\n", "models.sql: its BEGIN has no COMMIT"),
        (b"SQLite format 3\0, or not", "models.sql: cannot be read as an SQLite database (*)"),
        (b"ATTACH 'budget_buddy.db' AS real;\n", "models.sql:1: *; ATTACH and VACUUM INTO are *"),
        (b"VACUUM INTO 'budget_buddy.db';\n", "models.sql:1: *; ATTACH and VACUUM INTO are *"),
    ],
)
def test_a_base_that_does_not_read_is_a_usage_error(
    project: pytest.Pytester, content: bytes, message: str
) -> None:
    make_project_on_a_base(project, "models.sql")
    (project.path / "models.sql").write_bytes(content)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{message}"])
    assert not (project.path / "budget_buddy.db").exists()


@pytest.mark.parametrize(
    ("first", "last", "put"),
    [(0, -1000, b""), (0, -4096, b"\xff" * 4096)],
    ids=["cut off", "overwritten"],
)
def test_a_damaged_base_is_a_usage_error(
    project: pytest.Pytester, first: int, last: int, put: bytes
) -> None:
    make_project_on_a_base(project, "models.db")
    with closing(sqlite3.connect(project.path / "models.db")) as db:
        db.executescript(BASELINE)
    whole = (project.path / "models.db").read_bytes()
    (project.path / "models.db").write_bytes(whole[first:last] + put)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *models.db: is damaged (*); bb_base wants a sound *"])


def test_old_values_that_break_a_constraint_are_no_damage(project: pytest.Pytester) -> None:
    make_project_on_a_base(project, "models.db")
    with closing(sqlite3.connect(project.path / "models.db")) as db:
        db.create_function("shout", 1, str.upper)
        db.executescript(
            f"{BASELINE} CREATE TABLE old (a CHECK (shout(a) = a), b);"
            "PRAGMA ignore_check_constraints = ON;"
            "INSERT INTO old VALUES ('a', NULL); PRAGMA writable_schema = ON;"
            "UPDATE sqlite_schema SET sql = replace(sql, ', b)', ', b NOT NULL)');"
        )
    project.makepyfile(
        app_functions="def prepare(db): db.create_function('shout', 1, lambda s: s.upper())"
    )
    args = ("--bb-check-migrations", "-o", "bb_connection=app_functions:prepare")

    result = project.runpytest(*args, "--collect-only")

    assert result.ret == pytest.ExitCode.OK


def test_strict_fails_what_had_no_rows(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_never__sql="CREATE TABLE never (id INTEGER PRIMARY KEY, n NOT NULL CHECK (n <> n));",
        _005_change__sql="UPDATE never SET n = 1;",
    )
    check = "migrations/005_change.sql::data_survives"

    project.runpytest(check).assert_outcomes(skipped=1)
    project.runpytest(check, "-o", "bb_strict=true").assert_outcomes(failed=1)


def test_the_real_database_is_not_opened(project: pytest.Pytester) -> None:
    write_migrations(project)
    (project.path / "budget_buddy.db").write_text("no database at all")

    project.runpytest("--bb-check-migrations").assert_outcomes(passed=17, skipped=2)

    assert sorted(path.name for path in project.path.iterdir() if "budget" in path.name) == [
        "budget_buddy.db"
    ]


def test_no_folder_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    ways_out = (
        "bb_migrations or --bb-migrations=DIR, or write the first migration with --bb-new=NAME"
    )
    result.stderr.fnmatch_lines(
        [f"ERROR: the migration folder */migrations is not there; name another with {ways_out}"]
    )


@pytest.mark.parametrize("file", [None, "README.md"])
def test_an_empty_folder_is_a_usage_error(project: pytest.Pytester, file: str | None) -> None:
    folder = project.mkdir("migrations")
    if file:
        (folder / file).write_text("Nothing yet.")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the migration folder */migrations is there, but no migration is in it; *"]
    )
