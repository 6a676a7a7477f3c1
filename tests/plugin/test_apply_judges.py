"""An apply judges what it applies, a rollback what it rolls back, and neither anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask, names

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note TEXT);"
ROWS = "INSERT INTO tx VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');"
LOSES = "-- bb: inserts nowhere\nDELETE FROM tx WHERE id > 2;"  # nothing of it is declared
INDEX = "-- migrate:up\nCREATE INDEX i ON tx (amount);\n-- migrate:down\nDROP INDEX i;\n"
MEMO = "-- migrate:up\nALTER TABLE tx ADD COLUMN memo;\n-- migrate:down\n"
MEMO += "ALTER TABLE tx DROP COLUMN memo;\n"
ONLY_EMPTY = "CREATE TABLE empty (id CHECK (id IS NULL));\nINSERT INTO empty SELECT id FROM tx;"
MARKED = """
import pytest

@pytest.mark.bb_migration("NAME")
def test_of_it(bb_migration):
    bb_migration.up()
    assert FINE
"""


@pytest.fixture
def tx(project: pytest.Pytester) -> Path:
    """Return a database that has two migrations, one of which fails its checks today."""
    write(project, m001_tx=TX, m002_loses=LOSES)
    return database(project, TX + ROWS, "001_tx", "002_loses")


def judged(result: pytest.RunResult) -> set[str]:
    """Return the migrations of which a check was reported, with -v."""
    lines = (line.split("::")[0] for line in result.outlines if "_survives" in line)
    return {line.rpartition("/")[2].removesuffix(".sql") for line in lines if line.endswith("sql")}


@pytest.mark.parametrize("arguments", every(2, [[], ["-p", "xdist", "-n2"]]))
def test_a_fault_of_an_applied_migration_keeps_no_other_from_being_applied(
    project: pytest.Pytester, tx: Path, arguments: list[str]
) -> None:
    write(project, m003_index=INDEX)
    project.makepyfile(test_old=MARKED.replace("NAME", "002_loses").replace("FINE", "False"))

    result = project.runpytest_subprocess("--bb-apply", "-v", *arguments)

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "bbmigrate: migrations, 3 migrations, 1 of them to be judged, 12 rows in each table, *",
            "1 migration proved forward, 1 of them back",
            "2 applied migrations ran unjudged",
            "applied 003_index",
        ]
    )
    assert "001_tx.sql" not in result.stdout.str()
    assert "test_of_it" not in result.stdout.str()
    assert names(tx) == ["001_tx", "002_loses", "003_index"]


def test_a_fault_of_an_applied_migration_keeps_none_from_being_taken_back(
    project: pytest.Pytester,
) -> None:
    write(project, m001_tx=TX, m002_loses=LOSES, m003_index=INDEX, m004_later="DELETE FROM tx;")
    tx = database(
        project, TX + ROWS + "CREATE INDEX i ON tx (amount);", "001_tx", "002_loses", "003_index"
    )

    result = project.runpytest("--bb-rollback=1", "-v")

    assert result.ret == pytest.ExitCode.OK
    assert judged(result) == {"003_index"}
    result.stdout.fnmatch_lines(["2 applied migrations ran unjudged", "rolled back 003_index"])
    assert names(tx) == ["001_tx", "002_loses"]
    assert ask(tx, "SELECT count(*) FROM tx") == [(3,)]


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("migrations/001_tx.sql", "001_tx"),
        ("migrations/002_loses.sql::data_survives", "002_loses"),
        ("migrations/004_memo.sql", "004_memo"),
    ],
)
def test_to_name_one_that_is_not_to_be_applied_is_a_usage_error(
    project: pytest.Pytester, tx: Path, argument: str, name: str
) -> None:
    write(project, m003_index=INDEX, m004_memo=MEMO)
    before = tx.read_bytes()

    result = project.runpytest("--bb-apply", "--bb-to=003_index", argument)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: {argument}: {name} is not what this run would change, *pytest {argument} judges*"]
    )
    assert tx.read_bytes() == before


def test_one_that_is_named_and_pending_is_judged(project: pytest.Pytester, tx: Path) -> None:
    write(project, m003_index=INDEX)

    result = project.runpytest(
        "--bb-apply", "migrations::catalogue_reads", "migrations/003_index.sql"
    )

    assert result.ret == pytest.ExitCode.OK
    assert names(tx)[-1] == "003_index"


def test_what_comes_after_the_last_that_is_asked_for_is_not_judged(
    project: pytest.Pytester, tx: Path
) -> None:
    write(project, m003_index=INDEX, m004_broken="-- bb: deletes nowhere\nDELETE FROM tx;")

    result = project.runpytest("--bb-apply", "--bb-to=003_index", "-v")

    assert result.ret == pytest.ExitCode.OK
    assert judged(result) == {"003_index"}
    assert names(tx)[-1] == "003_index"


@pytest.mark.parametrize("fine", [True, False])
def test_a_test_of_what_is_pending_counts(
    project: pytest.Pytester, tx: Path, *, fine: bool
) -> None:
    write(project, m003_index=INDEX)
    project.makepyfile(test_new=MARKED.replace("NAME", "3").replace("FINE", str(fine)))

    result = project.runpytest("--bb-apply")

    assert (result.ret == pytest.ExitCode.OK) is fine
    assert (names(tx)[-1] == "003_index") is fine


@pytest.mark.parametrize("marker", ["'009_nothing'", "", "7"])
def test_a_marker_that_names_no_migration_is_not_passed_over(
    project: pytest.Pytester, tx: Path, marker: str
) -> None:
    write(project, m003_index=INDEX)
    project.makepyfile(test_new=MARKED.replace('"NAME"', marker).replace("FINE", "True"))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert names(tx) == ["001_tx", "002_loses"]


def test_one_that_ran_on_other_rows_than_these_runs_on_none(
    project: pytest.Pytester,
) -> None:
    write(project, m001_tx=TX, m002_empty=ONLY_EMPTY, m003_index=INDEX)
    tx = database(project, TX + ONLY_EMPTY, "001_tx", "002_empty")

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    assert names(tx)[-1] == "003_index"


def test_one_that_runs_on_no_rows_either_leaves_nothing_to_judge_by(
    project: pytest.Pytester,
) -> None:
    write(project, m001_tx=TX, m002_never="INSERT INTO nowhere VALUES (1);", m003_index=INDEX)
    tx = database(project, TX, "001_tx", "002_never")

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["not tried, for 002_never does not apply", "003_index: up_applies failed"]
    )
    assert names(tx)[-1] == "002_never"
