"""Which rows are left out where a migration refuses some: no others than need be."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.sqlite_files import open_image
from tests.core.checking import chain_of
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.experiment.model import Evidence

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER);"
COSTS = "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip INTEGER NOT NULL REFERENCES trips (id));"
PLACES = "CREATE TABLE places (trip INTEGER PRIMARY KEY REFERENCES trips (id), name TEXT);"


def narrowed_counts(evidence: Evidence) -> dict[str, int]:
    """Return how many rows of each table up refused."""
    assert evidence.narrowed is not None
    return dict(evidence.narrowed.left_out)


def test_a_row_that_is_refused_without_its_children_is_tried_with_them(tmp_path: Path) -> None:
    needs_place = (
        "CREATE TABLE seen (id INTEGER PRIMARY KEY, place TEXT NOT NULL);\n"
        "INSERT INTO seen SELECT trips.id, places.trip FROM trips"
        " LEFT JOIN places ON places.trip = trips.id;"
    )
    evidence = chain_of(tmp_path, TRIPS + PLACES, needs_place, rows=60).evidence(1)

    assert evidence.state.row_counts["trips"] >= 45
    assert evidence.state.row_counts["places"] >= 45
    assert narrowed_counts(evidence).keys() == {"trips"}
    assert narrowed_counts(evidence)["trips"] <= 10


def test_a_row_that_needs_all_of_its_children_is_tried_with_all(tmp_path: Path) -> None:
    base = image_of(
        TRIPS + COSTS,
        "INSERT INTO trips (id, cents) VALUES (1, 2), (2, 3)",
        "INSERT INTO costs VALUES (1, 1), (2, 1), (3, 2)",
    )
    as_many = (
        "CREATE TABLE sums (n CHECK (n = 0));\n"
        "INSERT INTO sums SELECT cents - (SELECT count(*) FROM costs WHERE trip = trips.id)"
        " FROM trips;"
    )
    evidence = chain_of(tmp_path, as_many, base=base, rows=0).evidence(0)

    assert narrowed_counts(evidence) == {"trips": 1}
    assert dict(evidence.state.row_counts) == {"trips": 1, "costs": 2}


def test_other_rows_stand_in_for_those_that_are_left_out(tmp_path: Path) -> None:
    refuses = (
        "CREATE TABLE rich (cents CHECK (cents % 5 <> 0));\n"
        "INSERT INTO rich SELECT trips.cents FROM costs JOIN trips ON trips.id = costs.trip;"
    )
    evidence = chain_of(tmp_path, TRIPS + COSTS, refuses, rows=80).evidence(1)

    assert evidence.up.succeeded
    assert narrowed_counts(evidence)
    assert evidence.state.row_counts["costs"] >= 60
    with closing(open_image(evidence.state.image)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_rows_that_had_no_parent_before_are_not_left_out_for_that(tmp_path: Path) -> None:
    base = image_of(
        TRIPS + COSTS,
        "INSERT INTO trips (id, cents) VALUES (1, -1), (2, 1)",
        "INSERT INTO costs VALUES (1, 1), (2, 2), (3, 99)",
    )
    no_debts = (
        "CREATE TABLE paid (cents CHECK (cents >= 0));\n"
        "INSERT INTO paid SELECT cents + 0 FROM trips;"
    )
    evidence = chain_of(tmp_path, no_debts, base=base, rows=0).evidence(0)

    assert narrowed_counts(evidence) == {"trips": 1}
    with closing(open_image(evidence.state.image)) as db:
        assert db.execute("SELECT id FROM costs").fetchall() == [(2,), (3,)]
