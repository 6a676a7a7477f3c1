"""Writing generated rows ends, whatever triggers and requirements do with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.experiment.requirements import requirement_error
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling import queries, writing
from pytest_bbmigrate.seeding.filling.fill import fill_columns, fill_tables
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of
from tests.core.filling import database, filled

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
LOG = "CREATE TABLE log (id INTEGER PRIMARY KEY, x TEXT);"
GROWS = "CREATE TRIGGER grows AFTER {} ON t BEGIN INSERT INTO {} (x) SELECT x FROM {}; END;"
ENDLESS = "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c)"
ADDS = "ALTER TABLE t ADD COLUMN n INTEGER;"
CALLS = 20  # of the progress handler, in place of some hundred: the tests would take seconds
REASON = "no row could be added, with the trigger grows: it takes too long, and was given up"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEAST_CALLS", CALLS)
    monkeypatch.setattr(queries, "CALLS_OF_A_WRITE", CALLS)


def test_rows_are_added_until_a_trigger_has_added_enough() -> None:
    with filled(TABLE + GROWS.format("INSERT", "t", "t"), Recipe(rows=40)) as it:
        (count,) = it.values("SELECT count(*) FROM t")

        assert 40 <= count < 100
        assert it.filling.unfilled == ()


def test_a_table_whose_trigger_fills_another_without_end_stays_empty_and_says_so() -> None:
    sql = LOG + TABLE + GROWS.format("INSERT", "log", "log")
    with filled(sql, Recipe(rows=60)) as it:
        (unfilled,) = it.filling.unfilled

        assert unfilled.table == "t"
        assert unfilled.reason.startswith(REASON)
        assert it.values("SELECT count(*) FROM log") == [60]
        assert it.values("SELECT count(*) FROM t") == [0]


def test_a_column_whose_trigger_goes_on_without_end_gets_no_value_and_says_so() -> None:
    with database(TABLE + LOG) as (db, _):
        db.executemany("INSERT INTO t (x) VALUES (?)", [("a",)] * 60)
        db.execute("INSERT INTO log (x) VALUES ('a')")
        db.execute(ADDS)
        db.execute(GROWS.format("UPDATE", "log", "log"))
        filling = fill_columns(db, read_schema(db), [("t", "n")], Recipe(rows=60))

        (unfilled,) = filling.unfilled
        assert (unfilled.column, "takes too long" in unfilled.reason) == ("n", True)
        assert db.execute("SELECT count(*) FROM log").fetchone() == (1,)


def test_a_requirement_that_is_endless_for_some_values_is_not_enforced() -> None:
    endless = Requirement("t", (), f"id <> 7 OR {ENDLESS}", 1)
    with database(TABLE) as (db, schema):
        fill_tables(db, schema, ["t"], Recipe(rows=20, requires=(endless,)))

        assert requirement_error(db, schema, endless) is None
        assert db.execute("SELECT count(*) FROM t").fetchone() == (20,)
        assert db.execute("SELECT count(*) FROM sqlite_temp_master").fetchone() == (0,)


@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
def test_what_is_written_since_ends_too(tmp_path: Path, event: str) -> None:
    grows = GROWS.format(event, "log", "log")
    down = "DROP TRIGGER grows;\nALTER TABLE t DROP COLUMN n;"
    steps = f"-- migrate:up\n{ADDS}\n{grows}\n-- migrate:down\n{down}\n"
    chain = chain_of(tmp_path, LOG + TABLE, steps, rows=30)

    verdict = judge("down_restores", chain.evidence(1))

    assert verdict.outcome in {Outcome.PASSED, Outcome.FAILED}
