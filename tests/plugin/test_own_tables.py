"""Triggers on our own tables, which run when every check has looked at the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask, run_sql

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
NOTE = "-- migrate:up\nALTER TABLE tx ADD COLUMN note TEXT;\n-- migrate:down\n"
NOTE += "ALTER TABLE tx DROP COLUMN note;\n"
ROWS = "INSERT INTO tx (id, amount) VALUES (1, 10), (2, 20);"
TRIGGER = "CREATE TRIGGER hist {} BEGIN UPDATE tx SET amount = 0; END;"
IDENTITY = "CREATE TABLE _bb_database (id TEXT NOT NULL, digests TEXT NOT NULL);"
IDENTITY += "INSERT INTO _bb_database VALUES ('4f1c', '{}');"


@pytest.fixture
def tx(project: pytest.Pytester) -> Path:
    """Return a database of two rows with two migrations applied, and a third one pending."""
    write(project, m001_tx=TX, m002_note=NOTE, m003_memo="CREATE TABLE memo (id INTEGER);")
    sql = f"{TX}ALTER TABLE tx ADD COLUMN note TEXT;{ROWS}{IDENTITY}"
    return database(project, sql, "001_tx", "002_note")


@pytest.mark.parametrize("when", ["AFTER UPDATE ON _bb_migrations", "AFTER INSERT ON _bb_database"])
@pytest.mark.parametrize("command", ["--bb-apply", "--bb-rollback=1"])
def test_a_trigger_on_a_table_of_ours_changes_nothing(
    project: pytest.Pytester, tx: Path, when: str, command: str
) -> None:
    run_sql(tx, TRIGGER.format(when))
    before = tx.read_bytes()

    result = project.runpytest(command)

    table = when.rpartition(" ")[2]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*the table {table} has a trigger, hist, which would change *"])
    assert tx.read_bytes() == before
    assert ask(tx, "SELECT amount FROM tx") == [(10,), (20,)]


def test_neither_is_a_database_adopted_that_has_one(project: pytest.Pytester) -> None:
    write(project, m001_tx=TX)
    path = project.path / "budget_buddy.db"
    run_sql(path, TX, ROWS, IDENTITY.partition(";")[0])
    run_sql(path, TRIGGER.format("AFTER INSERT ON _bb_database"))
    before = path.read_bytes()

    result = project.runpytest("--bb-adopt=001_tx")

    assert result.ret != pytest.ExitCode.OK
    assert path.read_bytes() == before
