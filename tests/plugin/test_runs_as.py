"""``bb_runs_as`` and ``bb_foreign_keys``: by whose rules a session runs the files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cases import CASES
from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask

if TYPE_CHECKING:
    from pathlib import Path

FAMILY = (
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);\n"
    "CREATE TABLE costs (id INTEGER PRIMARY KEY,"
    " trip_id INTEGER REFERENCES trips (id) ON DELETE CASCADE);\n"
)
REAL = FAMILY + (
    "INSERT INTO trips VALUES (1, 'Oslo'), (2, 'Rome');"
    "INSERT INTO costs VALUES (1, 1), (2, 2), (3, 2);"
)
DELETES = (
    "-- bb: deletes trips where name = 'Rome'\n"
    "-- bb: deletes costs\n"
    "DELETE FROM trips WHERE name = 'Rome';\n"
)
REBUILD = CASES / "data_survives" / "cascade_under_d1" / "migrations"


def configure(project: pytest.Pytester, *lines: str) -> None:
    (project.path / "pytest.ini").write_text("\n".join(["[pytest]", "bb_rows = 12", *lines, ""]))


def lay(project: pytest.Pytester) -> Path:
    """Put the folder there whose parent is rebuilt; return it."""
    folder: Path = project.path / "migrations"
    shutil.copytree(REBUILD, folder, dirs_exist_ok=True)
    return folder


def test_the_header_says_that_nobody_has_said_who_runs_it(project: pytest.Pytester) -> None:
    lay(project)

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(
        [
            "bbmigrate: migrations, *, runner unknown: set bb_runs_as",
            "note: 002_account_colors: where foreign keys are on, ON DELETE takes rows *",
        ]
    )
    assert result.ret == pytest.ExitCode.OK


def test_beside_the_file_of_wrangler_the_children_are_lost_and_why_is_told(
    project: pytest.Pytester,
) -> None:
    lay(project)
    (project.path / "wrangler.toml").write_text('name = "budget"\n')

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(
        [
            "bbmigrate: migrations, *, run as d1, foreign keys on",
            "transactions lost 12 of 12 rows",
            "*why*D1 has foreign keys on, and runs a file in a transaction, where PRAGMA*",
            "failed: 002_account_colors: data_survives",
        ]
    )


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        (["bb_runs_as = sqlx"], [], "run as sqlx, foreign keys on"),
        (["bb_runs_as = sqlx"], ["--bb-runs-as=yoyo"], "run as yoyo, foreign keys off"),
        (["bb_foreign_keys = off"], [], "runner unknown: set bb_runs_as, foreign keys off"),
        (["bb_runs_as = d1", "bb_foreign_keys = off"], [], "run as d1, foreign keys off"),
        (
            ["bb_runs_as = goose"],
            [],
            "run as goose, foreign keys off (bb_foreign_keys = on where its connection *)",
        ),
    ],
)
def test_the_header_says_by_whose_rules_it_runs(
    project: pytest.Pytester, lines: list[str], arguments: list[str], said: str
) -> None:
    lay(project)
    configure(project, *lines)

    result = project.runpytest("--bb-check-migrations", "--collect-only", *arguments)

    result.stdout.fnmatch_lines([f"bbmigrate: migrations, *, {said}"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bb_runs_as = rails", "bb_runs_as = rails: one of bbmigrate, sqlite3, dbmate, *is wanted"),
        ("bb_foreign_keys = yes", "bb_foreign_keys = yes: on or off is wanted"),
    ],
)
def test_a_wrong_value_is_a_usage_error(project: pytest.Pytester, line: str, message: str) -> None:
    lay(project)
    configure(project, line)

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_hook_that_turns_foreign_keys_on_is_obeyed(project: pytest.Pytester) -> None:
    write(project, m001_base=FAMILY, m002_rome="DELETE FROM trips WHERE name IS NULL;\n")
    project.makepyfile(app="def opened(db):\n    db.execute('PRAGMA foreign_keys = ON')\n")
    configure(project, "bb_connection = app:opened")

    result = project.runpytest("--bb-check-migrations")

    result.stdout.fnmatch_lines(["*costs lost * of 12 rows*"])


@pytest.mark.parametrize(("keys", "left"), [("on", [(1,)]), ("off", [(1,), (2,), (3,)])])
def test_an_apply_runs_with_the_foreign_keys_of_the_settings(
    project: pytest.Pytester, keys: str, left: list[tuple[int]]
) -> None:
    step = DELETES if keys == "on" else "ALTER TABLE trips ADD COLUMN days INTEGER;\n"
    write(project, m001_base=FAMILY, m002_rome=step)
    path = database(project, REAL, "001_base")
    configure(project, f"bb_foreign_keys = {keys}")

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK, result.outlines
    assert ask(path, "SELECT id FROM costs ORDER BY id") == left


def test_under_a_profile_that_has_them_on_a_rehearsal_loses_what_the_tool_would(
    project: pytest.Pytester,
) -> None:
    write(project, m001_base=FAMILY, m002_rome=DELETES)
    path = database(project, REAL, "001_base")
    configure(project, "bb_runs_as = prisma")

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK, result.outlines
    assert ask(path, "SELECT id FROM costs ORDER BY id") == [(1,)]


def test_a_database_with_the_record_of_another_tool_is_as_it_was(
    project: pytest.Pytester,
) -> None:
    write(project, m001_base=FAMILY, m002_days="ALTER TABLE trips ADD COLUMN days INTEGER;\n")
    path = database(project, REAL + "CREATE TABLE _prisma_migrations (id TEXT);", "001_base")
    before = path.read_bytes()

    result = project.runpytest("--bb-apply")
    rehearsed = project.runpytest("--bb-rehearse")

    result.stdout.fnmatch_lines(["*prisma records in its table _prisma_migrations*"])
    assert result.ret != pytest.ExitCode.OK
    assert rehearsed.ret == pytest.ExitCode.OK
    assert path.read_bytes() == before
