"""One fault hides no other: where a migration does not run on all rows, the chain goes on."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.chain.going_on import Ground, go_on
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.experiment.run import ExperimentSetup
from pytest_bbmigrate.runner import Failure
from pytest_bbmigrate.runner.limits import is_of_limit, overdue, oversized, too_loud
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.core.checking import chain_of, judge_last
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.chain import Chain
    from pytest_bbmigrate.sql.values import Cell

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, mood TEXT, cents INTEGER);"
COSTS = "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip INTEGER NOT NULL REFERENCES trips (id));"
ADDS = "ALTER TABLE trips ADD COLUMN memo TEXT;"
UNIQUE = "CREATE UNIQUE INDEX by_name ON trips (name);"
STRICT_ON_MOOD = (
    "CREATE TABLE moods (mood TEXT NOT NULL CHECK (mood <> 'x'));\n"
    "INSERT INTO moods SELECT mood FROM trips;"
)
ABORTS = """\
CREATE TRIGGER no_debts BEFORE UPDATE ON trips WHEN NEW.cents < 0
BEGIN
    SELECT RAISE(ABORT, 'no debts');
END;
"""
NEEDS_ROWS_GONE = "CREATE TABLE none (id CHECK (id IS NULL)); INSERT INTO none SELECT 1 FROM trips;"


def counted(chain: Chain, position: int, sql: str) -> int:
    """Return the number that a query gives on the state after the first ``position``."""
    with closing(open_image(chain.state(position).image)) as db:
        return int(db.execute(sql).fetchone()[0])


def test_it_goes_on_with_rows_that_meet_the_line_which_is_offered(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, UNIQUE, ADDS, rows=50)
    up_applies, survives = (judge(check, chain.evidence(1)) for check in CHECKS[:2])

    (finding,) = up_applies.findings
    assert finding.allow == "-- bb: requires unique trips(name)"
    assert up_applies.narrowed == "rows that meet the requires lines of up_applies"
    assert survives.outcome is Outcome.PASSED
    assert survives.notes == ("judged on rows that meet the requires lines of up_applies",)
    assert chain.evidence(2).state.row_counts["trips"] >= 37
    assert judge("up_applies", chain.evidence(2)).outcome is Outcome.PASSED


def test_every_line_that_one_migration_needs_is_offered_at_once(tmp_path: Path) -> None:
    both = f"{UNIQUE}\nCREATE UNIQUE INDEX by_mood ON trips (mood);"

    verdict = judge_last("up_applies", chain_of(tmp_path, TRIPS, both))

    assert [finding.allow for finding in verdict.findings] == [
        "-- bb: requires unique trips(name)",
        "-- bb: requires unique trips(mood)",
    ]


def test_a_line_is_offered_beside_a_fault_that_no_line_allows(tmp_path: Path) -> None:
    both = (
        f"{UNIQUE}\nCREATE TABLE n (j TEXT);\nINSERT INTO n SELECT json(mood || name) FROM trips;"
    )
    chain = chain_of(tmp_path, TRIPS, both, ADDS)

    unique, malformed = judge("up_applies", chain.evidence(1)).findings

    assert unique.allow == "-- bb: requires unique trips(name)"
    assert (malformed.allow, malformed.observed) == ("", "malformed JSON")
    assert chain.evidence(2).up.succeeded


def test_a_line_that_does_not_help_is_not_offered(tmp_path: Path) -> None:
    twice = "CREATE TABLE new (name TEXT UNIQUE);\n" + "INSERT INTO new SELECT name FROM trips;" * 2

    (finding,) = judge_last("up_applies", chain_of(tmp_path, TRIPS, twice)).findings

    assert finding.allow == ""


def test_else_it_goes_on_without_the_rows_that_it_refuses(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS + ABORTS, "UPDATE trips SET cents = cents - 1;", ADDS, rows=50)
    evidence = chain.evidence(1)
    debts = counted(chain, 1, "SELECT count(*) FROM trips WHERE cents - 1 < 0")

    assert debts
    assert evidence.narrowed is not None
    assert evidence.narrowed.left_out == {"trips": debts}
    assert evidence.state.row_counts["trips"] == 50 - debts
    assert judge("up_applies", evidence).outcome is Outcome.FAILED
    assert judge("data_survives", evidence).findings[0].kind == "values changed"
    assert chain.state(2).row_counts["trips"] >= 37


def test_rows_that_refer_to_one_left_out_are_left_out_too(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS + COSTS + ABORTS, "UPDATE trips SET cents = cents - 1;")
    debts = "SELECT id FROM costs WHERE trip IN (SELECT id FROM trips WHERE cents - 1 < 0)"
    with closing(open_image(chain.state(1).image)) as db:
        of_debts = set(db.execute(debts))

    state = chain.evidence(1).state
    with closing(open_image(state.image)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute(debts).fetchall() == []
    assert of_debts


def test_which_rows_were_judged_is_said_in_every_verdict(tmp_path: Path) -> None:
    update = f"{UNIQUE}\nUPDATE trips SET cents = cents - 1;"
    evidence = chain_of(tmp_path, TRIPS + ABORTS, update).evidence(1)

    (said,) = {judge(check, evidence).narrowed for check in CHECKS}

    assert evidence.narrowed is not None
    assert said == (
        "rows that meet the requires lines of up_applies, but for "
        f"{evidence.narrowed.left_out['trips']} of trips, on which up does not run"
    )


def test_it_does_not_go_on_without_rows_that_the_user_gave(tmp_path: Path) -> None:
    own: dict[str, list[dict[str, Cell]]] = {
        "trips": [{"id": 1, "name": "Alps"}, {"id": 2, "name": "Alps"}, {"id": 3, "name": "Sea"}]
    }
    chain = chain_of(tmp_path, TRIPS + COSTS, UNIQUE, ADDS, own_rows=own)
    evidence = chain.evidence(1)

    assert judge("up_applies", evidence).outcome is Outcome.FAILED
    assert evidence.narrowed is not None
    assert evidence.narrowed.left_out == {"trips": 1}
    with pytest.raises(StateUnreachable, match="002_step does not apply"):
        chain.evidence(2)


def test_it_goes_on_with_all_rows_that_the_user_gave(tmp_path: Path) -> None:
    own: dict[str, list[dict[str, Cell]]] = {"costs": [{"id": number} for number in (1, 2, 3)]}
    tables = TRIPS + "CREATE TABLE costs (id INTEGER PRIMARY KEY);"
    chain = chain_of(tmp_path, tables, UNIQUE, ADDS, own_rows=own)

    assert chain.evidence(1).narrowed is not None
    assert chain.evidence(2).state.row_counts["costs"] == 3


def test_it_does_not_go_on_without_rows_of_the_base(tmp_path: Path) -> None:
    base = image_of(TRIPS, "INSERT INTO trips (name) VALUES ('Alps'), ('Alps')")
    chain = chain_of(tmp_path, UNIQUE, ADDS, base=base)

    assert [finding.step for finding in judge("up_applies", chain.evidence(0)).findings] == ["up"]
    with pytest.raises(StateUnreachable, match="001_step does not apply"):
        chain.evidence(1)


def test_it_goes_on_where_only_rows_beside_those_of_the_base_are_refused(tmp_path: Path) -> None:
    base = image_of(TRIPS, "INSERT INTO trips (name) VALUES ('Alps'), ('Sea')")
    chain = chain_of(tmp_path, UNIQUE, ADDS, base=base)

    assert judge("up_applies", chain.evidence(0)).outcome is Outcome.FAILED
    assert chain.evidence(1).state.row_counts["trips"] > 10


def test_python_goes_on_without_the_rows_that_it_refuses(tmp_path: Path) -> None:
    chain_of(tmp_path, TRIPS, rows=8)
    (tmp_path / "002_step.py").write_text(
        "def up(db):\n    for row in db['trips'].rows:\n        assert row['cents'] > 0\n"
    )
    chain = chain_of(tmp_path, TRIPS, rows=8)
    debts = counted(chain, 1, "SELECT count(*) FROM trips WHERE cents <= 0 OR cents IS NULL")

    narrowed = chain.evidence(1).narrowed

    assert debts
    assert narrowed is not None
    assert narrowed.left_out == {"trips": debts}


def test_what_takes_too_long_is_tried_on_the_empty_database_alone(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, ADDS)
    ground = Ground(chain.state(1), ExperimentSetup(chain.recipe, chain.environment))
    result = chain._up_result(1)
    failure = Failure(tmp_path, None, "", overdue(3))
    late = replace(result, up=replace(result.up, failure=failure))

    went_on = go_on(chain.catalogue.migrations[1], ground, late)

    assert went_on is not None
    assert went_on.ground.narrowed is not None
    assert went_on.ground.narrowed.is_empty


def test_what_no_migration_may_do_is_laid_to_no_row(tmp_path: Path) -> None:
    chain_of(tmp_path, TRIPS, rows=8)
    (tmp_path / "002_step.py").write_text(
        "import sqlite3\n\n\ndef up(db):\n    for row in db['trips'].rows:\n"
        "        sqlite3.connect('other.db')\n"
    )
    chain = chain_of(tmp_path, TRIPS, rows=8)

    narrowed = chain.evidence(1).narrowed

    assert narrowed is not None
    assert narrowed.is_empty  # no row was looked for: each run of Python is a process


@pytest.mark.parametrize("message", [overdue(3), oversized(10), too_loud()])
def test_what_is_said_of_a_limit_is_known_as_that(message: str) -> None:
    assert is_of_limit(message)


def test_else_it_goes_on_from_the_empty_database(tmp_path: Path) -> None:
    keeps = "CREATE TRIGGER kept BEFORE DELETE ON trips BEGIN SELECT RAISE(ABORT, 'kept'); END;"
    chain = chain_of(tmp_path, TRIPS + keeps, NEEDS_ROWS_GONE, ADDS, rows=50)
    evidence = chain.evidence(1)

    assert evidence.narrowed is not None
    assert evidence.narrowed.is_empty
    assert judge("data_survives", evidence).reason.startswith("up does not run on generated rows")
    assert judge("schema_survives", evidence).outcome is Outcome.PASSED
    assert chain.state(2).row_counts["trips"] == 50
    assert judge("up_applies", chain.evidence(2)).outcome is Outcome.PASSED


def test_one_that_does_not_run_on_the_empty_database_either_ends_the_chain(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "INSERT INTO nowhere VALUES (1);", ADDS)

    with pytest.raises(StateUnreachable, match="002_step does not apply"):
        chain.evidence(2)


def test_what_the_set_up_lacks_ends_the_chain_and_is_named(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, "UPDATE trips SET name = normalised(name);", ADDS)

    with pytest.raises(StateUnreachable, match="002_step needs function normalised, which is not"):
        chain.evidence(2)


def test_a_folder_of_many_faults_is_judged_to_its_end(tmp_path: Path) -> None:
    faults = (
        UNIQUE,
        "CREATE TABLE n (m TEXT NOT NULL); INSERT INTO n SELECT nullif(mood, name) FROM trips;",
        STRICT_ON_MOOD,
        "CREATE TABLE j (j TEXT); INSERT INTO j SELECT json(mood || name) FROM trips;",
        ABORTS + "UPDATE trips SET cents = cents - 1;",
    )
    chain = chain_of(tmp_path, TRIPS, *faults, ADDS, rows=40)

    failed = [
        position
        for position in range(7)
        if judge("up_applies", chain.evidence(position)).outcome is Outcome.FAILED
    ]

    assert failed == [1, 2, 3, 4, 5]
    assert chain.state(7).row_counts["trips"] >= 30


def test_a_table_that_is_to_be_empty_for_one_migration_has_rows_for_the_others(
    tmp_path: Path,
) -> None:
    needed = "-- bb: requires trips: 0\nALTER TABLE trips ADD COLUMN day TEXT NOT NULL;"
    chain = chain_of(tmp_path, TRIPS + COSTS, ADDS, needed, "SELECT 1;", rows=40)

    rows = [chain.evidence(position).state.row_counts for position in range(4)]

    assert [counts.get("trips") for counts in rows] == [None, 40, 0, 40]
    assert [counts.get("costs") for counts in rows] == [None, 40, 0, 40]
    outcomes = {judge("up_applies", chain.evidence(position)).outcome for position in range(4)}
    assert outcomes == {Outcome.PASSED}


def test_the_same_files_go_on_with_the_same_rows(tmp_path: Path) -> None:
    files = (TRIPS + COSTS + ABORTS, UNIQUE, "UPDATE trips SET cents = cents - 1;", ADDS)

    first, second = (chain_of(tmp_path, *files).state(4).image for _ in range(2))

    assert first == second


def test_what_an_earlier_migration_has_mended_stays_so(tmp_path: Path) -> None:
    dedupes = (
        "-- bb: deletes trips\n"
        "DELETE FROM trips WHERE id NOT IN (SELECT min(id) FROM trips GROUP BY name);"
    )
    tags = "CREATE TABLE tags (id INTEGER PRIMARY KEY, label TEXT);"
    unique_label = "CREATE UNIQUE INDEX by_label ON tags (label);"
    chain = chain_of(tmp_path, TRIPS + tags, dedupes, unique_label, UNIQUE, rows=60)

    assert judge("up_applies", chain.evidence(2)).outcome is Outcome.FAILED
    assert judge("up_applies", chain.evidence(3)).outcome is Outcome.PASSED
    assert chain.state(3).row_counts["tags"] >= 45


def test_a_table_of_which_few_rows_are_left_is_filled_up_again(tmp_path: Path) -> None:
    twelve = (
        "CREATE TABLE months (month TEXT UNIQUE);\n"
        "INSERT INTO months SELECT abs(cents) % 12 FROM trips;"
    )
    chain = chain_of(tmp_path, TRIPS, twelve, ADDS, rows=60)

    assert chain.evidence(1).state.row_counts["trips"] <= 24
    assert chain.state(2).row_counts["trips"] == 60
