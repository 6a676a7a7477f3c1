"""Which rows are left out where a migration refuses some: no others than need be."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.narrowed import rows_looked_at
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.checking import chain_of
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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


KINDS = "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT);"
OPS = "CREATE TABLE {} (id BLOB PRIMARY KEY, kind INTEGER NOT NULL REFERENCES kinds (id));"
NUMBERED = "CREATE TABLE n_{0} (id INTEGER PRIMARY KEY); INSERT INTO n_{0} SELECT id FROM {0};"


def test_of_tables_whose_rows_are_all_refused_all_are_counted_and_no_parent(tmp_path: Path) -> None:
    base = image_of(
        KINDS + OPS.format("ops") + OPS.format("more"),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        " INSERT INTO kinds SELECT i, 'k' FROM n",
        "INSERT INTO ops SELECT CAST('o' || id AS BLOB), id FROM kinds",
        "INSERT INTO more SELECT CAST('m' || id AS BLOB), id FROM kinds",
    )
    step = (
        NUMBERED.format("ops") + NUMBERED.format("more") + "CREATE TABLE n AS SELECT * FROM kinds;"
    )
    evidence = chain_of(tmp_path, step, base=base, rows=0).evidence(0)

    assert narrowed_counts(evidence) == {"ops": 60, "more": 60}
    assert evidence.state.row_counts["kinds"] == 60
    assert evidence.narrowed is not None
    assert not evidence.narrowed.is_cut_short


def test_what_was_not_tried_for_want_of_runs_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOST_RUNS", "MOST_STARTED"):
        monkeypatch.setattr(f"pytest_bbmigrate.chain.fewer_rows.{name}", 5)
    base = image_of(
        OPS.format("ops").replace(" REFERENCES kinds (id)", ""),
        "INSERT INTO ops VALUES (x'01', 1), (x'02', 2), (x'03', 3), (x'04', 4), (x'05', 5)",
    )
    evidence = chain_of(tmp_path, NUMBERED.format("ops"), base=base, rows=0).evidence(0)

    assert rows_looked_at(evidence) == (
        "all rows but 5 of ops, on which up does not run, or was not tried"
    )
