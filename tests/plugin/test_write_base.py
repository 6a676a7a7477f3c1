"""A database whose tables the app made, and whose scripts were run by hand, is adopted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.real_database import SECRET, ask, run_sql, write_steps

if TYPE_CHECKING:
    from pathlib import Path

APP = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNERS = "ALTER TABLE accounts ADD COLUMN owner TEXT;\n"
TIDY = "-- bb: changes accounts.name\nUPDATE accounts SET name = trim(name);\n"
TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY);\n"
CANNOT_BE_SEEN = (
    "whether 002_step has run cannot be seen from the schema: --bb-adopt=NAME names the last one "
    "that has"
)
WRITES_IT = (
    "what the migrations start from is made by none of them: --bb-write-base=base.sql writes it, "
    "and bb_base names it then"
)
LEDGER = "CREATE TABLE schema_migrations (version varchar(128) primary key)"


@pytest.fixture
def bank(project: pytest.Pytester) -> Path:
    """Return the app's database after the first of three migrations, with a row."""
    write_steps(project, OWNERS, TIDY, TRIPS)
    path = project.path / "budget_buddy.db"
    run_sql(path, APP, OWNERS, f"INSERT INTO accounts VALUES (1, '{SECRET}', NULL)")
    return path


def test_the_base_is_written_and_the_version_recorded_by_one_command(
    project: pytest.Pytester, bank: Path
) -> None:
    before, files = bank.read_bytes(), sorted(project.path.iterdir())

    looked = project.runpytest("--bb-adopt")
    untouched = bank.read_bytes(), sorted(project.path.iterdir())
    status = project.runpytest("--bb-status")
    done = project.runpytest("--bb-adopt=002_step", "--bb-write-base=base.sql")

    assert looked.outlines == [
        "budget_buddy.db: it is at one of the versions 001_step, 002_step",
        "there      001_step",
        "not seen   002_step: the schema does not show what changes data alone",
        "not there  003_step",
        CANNOT_BE_SEEN,
        WRITES_IT,
        "--bb-adopt=NAME --bb-write-base=base.sql does both; nothing was written",
    ]
    assert untouched == (before, files)
    assert status.outlines[-1] == "--bb-adopt says which of them this database has, and records it"
    assert done.ret == pytest.ExitCode.OK
    written = [
        "wrote base.sql, from which the migrations make this schema exactly",
        "set in tox.ini: bb_base = base.sql",
    ]
    done.stdout.fnmatch_lines([*written, "2 migrations recorded as applied; --bb-apply goes on *"])
    assert SECRET not in (project.path / "base.sql").read_text()
    assert ask(bank, "SELECT name FROM _bb_migrations") == [("001_step",), ("002_step",)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bb-adopt=001_step"], "*made by none of them: --bb-write-base=base.sql writes it*"),
        (["--bb-adopt", "--bb-write-base=there.sql"], "ERROR: *is there already*not written over"),
        (["--bb-adopt", "--bb-write-base=migrations/base.sql"], "ERROR: *would be one of them"),
        (["--bb-status", "--bb-write-base=base.sql"], "ERROR: --bb-write-base does nothing here*"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_nothing_is_written(
    project: pytest.Pytester, bank: Path, arguments: list[str], message: str
) -> None:
    (project.path / "there.sql").write_text("mine")
    before = {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}

    result = project.runpytest(*arguments)

    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR)
    result.stderr.fnmatch_lines([message])
    assert {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()} == before
    assert bank.is_file()


def test_a_step_that_cannot_be_taken_back_is_named_and_no_file_written(
    project: pytest.Pytester, bank: Path
) -> None:
    drop = "-- bb: drops accounts.owner\nALTER TABLE accounts DROP COLUMN owner;"
    write_steps(project, drop)
    run_sql(bank, "ALTER TABLE accounts DROP COLUMN owner")

    result = project.runpytest("--bb-adopt", "--bb-write-base=base.sql")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines(
        [
            "ERROR: budget_buddy.db: it looks as if it were at the version 001_step; *",
            "001_step cannot be taken back: it drops column accounts.owner, *",
            "a backup from before that tells it: *",
            "no file was written",
        ]
    )
    assert not (project.path / "base.sql").exists()


def test_a_base_of_today_is_doubted(project: pytest.Pytester, bank: Path) -> None:
    (project.path / "today.sql").write_text(APP + OWNERS)
    project.makeini("[pytest]\nbb_base = today.sql\n")

    result = project.runpytest("--bb-adopt")

    assert bank.is_file()
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db: it is at the version before the first migration, or at one after it",
            "001_step does not run on a database without rows (*duplicate column name: owner)*",
            "is bb_base from before the first migration? without it, --bb-adopt finds out what *",
        ]
    )


def test_what_dbmate_has_recorded_is_told_and_its_part_in_what_follows(
    project: pytest.Pytester, bank: Path
) -> None:
    run_sql(bank, LEDGER, "INSERT INTO schema_migrations VALUES ('001')")

    result = project.runpytest("--bb-adopt=auto", "--bb-write-base=base.sql")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db: it is at the version 001_step",
            "dbmate's table schema_migrations agrees: it records 1 of 3 migrations",
            "set in tox.ini: bb_base = base.sql; bb_runs_as = dbmate",
            "1 migration recorded as applied; --bb-rehearse rehearses *, and dbmate applies it; *",
        ]
    )
    assert "schema_migrations" not in (project.path / "base.sql").read_text()


def test_what_the_other_tool_has_run_since_is_recorded_beside(
    project: pytest.Pytester, bank: Path
) -> None:
    write_steps(project, APP, OWNERS, TRIPS)
    run_sql(bank, LEDGER, "INSERT INTO schema_migrations VALUES ('001'), ('002')")
    project.runpytest("--bb-adopt=auto")
    again = project.runpytest("--bb-adopt=auto")
    run_sql(bank, TRIPS, "INSERT INTO schema_migrations VALUES ('003')")

    since = project.runpytest("--bb-adopt=auto")

    assert again.ret == pytest.ExitCode.TESTS_FAILED
    again.stderr.fnmatch_lines(["the history has them already; nothing was recorded"])
    assert since.ret == pytest.ExitCode.OK
    since.stdout.fnmatch_lines(["1 migration recorded as applied; *"])
    assert ask(bank, "SELECT name, batch FROM _bb_migrations") == [
        ("001_step", 1),
        ("002_step", 1),
        ("003_step", 2),
    ]


def test_what_the_shell_writes_as_schema_is_a_base(project: pytest.Pytester) -> None:
    write_steps(project, OWNERS)
    (project.path / "schema.sql").write_text(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);\n"
        "CREATE TABLE sqlite_sequence(name,seq);\n"
        "CREATE VIRTUAL TABLE docs USING fts5 (body)\n/* docs(body) */;\n"
        "CREATE TABLE IF NOT EXISTS 'docs_data'(id INTEGER PRIMARY KEY, block BLOB);\n"
        "CREATE TABLE sqlite_stat1(tbl,idx,stat);\n"
    )
    project.makeini("[pytest]\nbb_base = schema.sql\nbb_rows = 5\n")

    result = project.runpytest("--bb-check-migrations", "-k", "up_applies")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, deselected=6)
