"""What is told where nobody knows whether foreign keys are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, Profile
from pytest_bbmigrate.seeding.model import Recipe

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, seen TEXT);\n"
COSTS = (
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, cents INTEGER,\n"
    "    trip_id INTEGER REFERENCES trips (id) ON DELETE {});\n"
)
CASCADE = TRIPS + COSTS.format("CASCADE")
REBUILD = (
    "CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT, seen TEXT, days INTEGER);\n"
    "INSERT INTO trips_new (id, name, seen) SELECT id, name, seen FROM trips;\n"
    "DROP TABLE trips;\nALTER TABLE trips_new RENAME TO trips;\n"
)
OFF = "PRAGMA foreign_keys = OFF;\n"


def lost(
    folder: Path, before: str, step: str, profile: Profile = UNDECIDED, **said: bool
) -> tuple[str, ...]:
    """Return the tables named, as far as ``data_survives`` has a note that names them."""
    (folder / "001_base.sql").write_text(before)
    (folder / "002_step.sql").write_text(step)
    environment = RunEnvironment(profile=profile, foreign_keys=said.get("foreign_keys"))
    evidence = Chain(read_catalogue(folder), Recipe(rows=20), environment).evidence(1)
    assert evidence.up.succeeded
    notes = " ".join(judge("data_survives", evidence).notes)
    assert all(table in notes for table in evidence.lost_with_keys_on)
    assert ("where foreign keys are on" in notes) is bool(evidence.lost_with_keys_on)
    return evidence.lost_with_keys_on


@pytest.mark.parametrize("profile", [UNDECIDED, PROFILES["goose"], PROFILES["dbmate"]])
def test_a_rebuilt_parent_would_lose_its_children(tmp_path: Path, profile: Profile) -> None:
    assert lost(tmp_path, CASCADE, OFF + REBUILD, profile) == ("costs",)


def test_so_it_is_with_a_parent_that_was_renamed_first(tmp_path: Path) -> None:
    step = (
        "ALTER TABLE trips RENAME TO trips_old;\n"
        "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, seen TEXT, days INTEGER);\n"
        "INSERT INTO trips (id, name, seen) SELECT id, name, seen FROM trips_old;\n"
        "DROP TABLE trips_old;\n"
    )

    assert lost(tmp_path, CASCADE, step) == ("costs",)


def test_so_it_is_with_references_that_are_set_to_null(tmp_path: Path) -> None:
    assert lost(tmp_path, TRIPS + COSTS.format("SET NULL"), REBUILD) == ("costs",)


def test_so_it_is_with_a_parent_that_is_replaced(tmp_path: Path) -> None:
    step = "REPLACE INTO trips (id, name, seen) SELECT id, name, seen FROM trips;\n"

    assert lost(tmp_path, CASCADE, step) == ("costs",)


@pytest.mark.parametrize(
    ("before", "step"),
    [
        (CASCADE, "ALTER TABLE trips ADD COLUMN days INTEGER;\n"),
        (TRIPS + COSTS.format("RESTRICT"), REBUILD),
        (TRIPS, REBUILD),
        (CASCADE, f"-- bb: foreign_keys off\n{REBUILD}"),
        (CASCADE, "-- bb: drops costs\nDROP TABLE costs;\n"),
    ],
)
def test_nothing_is_told_where_nothing_would_be_lost_or_it_was_said(
    tmp_path: Path, before: str, step: str
) -> None:
    assert lost(tmp_path, before, step) == ()


def test_what_the_clock_writes_is_nothing_lost(tmp_path: Path) -> None:
    spent = CASCADE.replace("cents INTEGER", "cents INTEGER, seen TEXT")
    declared = "-- bb: changes costs.seen\n-- bb: deletes trips where id < 0\n"
    clock = "UPDATE costs SET seen = strftime('%f', 'now');\n"
    step = f"{declared}{clock}DELETE FROM trips WHERE id < 0;\n"

    assert lost(tmp_path, spent, step) == ()


def test_nothing_is_told_where_it_is_known(tmp_path: Path) -> None:
    assert lost(tmp_path, CASCADE, REBUILD, PROFILES["bbmigrate"]) == ()
    assert lost(tmp_path, CASCADE, REBUILD, PROFILES["sqlx"]) == ()
    assert lost(tmp_path, CASCADE, REBUILD, foreign_keys=False) == ()
    assert lost(tmp_path, CASCADE, REBUILD, foreign_keys=True) == ()
