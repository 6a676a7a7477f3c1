"""What is advised where rows get no value in a column that may not be NULL; then it is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, code TEXT);"
REBUILT = (
    "CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT, code TEXT, token TEXT NOT NULL{});"
    "\n{}\nDROP TABLE trips; ALTER TABLE new RENAME TO trips;\n"
)
COPY = "INSERT INTO new (id, name, code) SELECT id, name, code FROM trips;"
WITH_EACH = "INSERT INTO new (id, name, code, token) SELECT id, name, code, 't' || id FROM trips;"
LATER = "CREATE UNIQUE INDEX by_token ON trips ({});"
ADDED = "ALTER TABLE trips ADD COLUMN token TEXT NOT NULL;"


def cause_of(folder: Path, step: str) -> str:
    """Return what is advised where ``step`` first fails."""
    return judge_last("up_applies", chain_of(folder, TRIPS, step)).findings[0].cause


@pytest.mark.parametrize(
    "step",
    [
        REBUILT.format(" UNIQUE", COPY),
        REBUILT.format(", UNIQUE (Token)", COPY),
        REBUILT.format("", COPY) + LATER.format("token"),
        REBUILT.format("", COPY) + LATER.format("token COLLATE NOCASE"),
        ADDED + LATER.format("token"),
    ],
)
def test_no_default_is_advised_where_each_row_needs_a_value_of_its_own(
    tmp_path: Path, step: str
) -> None:
    cause = cause_of(tmp_path, step)

    assert "as it must be unique, a default would do for one row" in cause
    assert "give each row a value of its own, made of its key, say" in cause


@pytest.mark.parametrize(
    ("step", "advice"),
    [
        (REBUILT.format("", COPY), "give it a value, or a DEFAULT"),
        (REBUILT.format(", UNIQUE (token, id)", COPY), "give it a value, or a DEFAULT"),
        (REBUILT.format("", COPY) + LATER.format("token, name"), "or a DEFAULT"),
        (
            REBUILT.format("", COPY) + LATER.replace(";", " WHERE id = 1;").format("token"),
            "or a DEFAULT",
        ),
        (ADDED, "give it a default (NOT NULL DEFAULT ..)"),
        (ADDED + LATER.format("id, token"), "give it a default (NOT NULL DEFAULT ..)"),
    ],
)
def test_a_default_is_advised_where_rows_may_share_a_value(
    tmp_path: Path, step: str, advice: str
) -> None:
    assert advice in cause_of(tmp_path, step)


@pytest.mark.parametrize(
    ("unique", "advice"),
    [
        (" UNIQUE", "give each of them another one on the way, made of its key, say; if real rows"),
        ("", "give them one on the way (coalesce(..)); if real rows"),
    ],
)
def test_what_is_copied_without_a_value_gets_another_one_where_it_must_be_unique(
    tmp_path: Path, unique: str, advice: str
) -> None:
    table = f"CREATE TABLE new (id INTEGER PRIMARY KEY, code TEXT NOT NULL{unique});"

    assert advice in cause_of(tmp_path, f"{table}\nINSERT INTO new SELECT id, code FROM trips;")


@pytest.mark.parametrize(
    "step",
    [
        REBUILT.format(" UNIQUE", WITH_EACH),
        REBUILT.format("", WITH_EACH) + LATER.format("token"),
        REBUILT.format(" DEFAULT 'x'", COPY),
        "ALTER TABLE trips ADD COLUMN token TEXT NOT NULL DEFAULT 'x';",
        (
            "ALTER TABLE trips ADD COLUMN token TEXT; UPDATE trips SET token = 't' || id;\n"
            + REBUILT.format("", "INSERT INTO new SELECT * FROM trips;")
            + LATER.format("token")
        ),
        (
            "CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT, code TEXT NOT NULL UNIQUE);"
            "INSERT INTO new SELECT id, name, 't' || id FROM trips; DROP TABLE new;"
        ),
    ],
)
def test_what_is_advised_runs(tmp_path: Path, step: str) -> None:
    evidence = chain_of(tmp_path, TRIPS, step).evidence(1)

    assert {judge(check, evidence).outcome for check in CHECKS} <= {
        Outcome.PASSED,
        Outcome.SKIPPED,
    }


def test_a_table_that_is_to_be_empty_is_said_to_be_what_was_not_judged(tmp_path: Path) -> None:
    evidence = chain_of(tmp_path, TRIPS, ADDED).evidence(1)
    up_applies, survives = (judge(check, evidence) for check in CHECKS[:2])

    assert up_applies.findings[0].allow == "-- bb: requires trips: 0"
    assert up_applies.narrowed == "all rows but those of trips, which is to be empty"
    assert survives.reason == "no generated rows in trips: it is required to be empty"


def test_what_else_is_required_is_said_beside_it(tmp_path: Path) -> None:
    both = f"CREATE UNIQUE INDEX by_code ON trips (name);{ADDED}"

    assert judge_last("up_applies", chain_of(tmp_path, TRIPS, both)).narrowed == (
        "rows that meet the requires lines of up_applies, with trips empty"
    )


def test_following_the_line_for_an_empty_table_leaves_no_failure(tmp_path: Path) -> None:
    evidence = chain_of(tmp_path, TRIPS, f"-- bb: requires trips: 0\n{ADDED}").evidence(1)

    assert Outcome.FAILED not in {judge(check, evidence).outcome for check in CHECKS}
