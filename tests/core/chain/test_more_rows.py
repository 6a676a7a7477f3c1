"""Where a migration leaves few rows of a table, later ones meet more that it has left."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.chain import Chain
    from pytest_bbmigrate.sql.values import Cell

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER);"
COSTS = "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip INTEGER NOT NULL REFERENCES trips (id));"
KEEPS_A_THIRD = "DELETE FROM trips WHERE id % 3;"
ADDS = "ALTER TABLE trips ADD COLUMN memo TEXT;"


def values(chain: Chain, position: int, sql: str) -> list[tuple[Cell, ...]]:
    """Return the rows of a query on the state after the first ``position``."""
    with closing(open_image(chain.state(position).image)) as db:
        return db.execute(sql).fetchall()


def test_later_migrations_have_rows_enough_and_all_have_gone_through_it(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, KEEPS_A_THIRD, ADDS, rows=60)

    assert chain.state(2).row_counts["trips"] >= 45
    assert values(chain, 2, "SELECT id FROM trips WHERE id % 3") == []
    assert chain.evidence(2).state.row_counts["trips"] >= 45


def test_what_it_is_judged_on_stays_what_it_was(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, TRIPS, KEEPS_A_THIRD, ADDS, rows=60)
    chain.state(2)

    (lost,) = judge("data_survives", chain.evidence(1)).findings

    assert chain.evidence(1).state.row_counts["trips"] == 60
    assert (lost.kind, lost.total) == ("rows lost", 60)


def test_rows_that_referred_to_deleted_ones_are_there_again_too(tmp_path: Path) -> None:
    orphans = f"{KEEPS_A_THIRD}\nDELETE FROM costs WHERE trip NOT IN (SELECT id FROM trips);"
    chain = chain_of(tmp_path, TRIPS + COSTS, orphans, ADDS, rows=60)

    assert chain.state(2).row_counts["costs"] >= 45
    assert values(chain, 2, "PRAGMA foreign_key_check") == []


def test_rows_that_are_to_differ_from_then_on_are_drawn_so(tmp_path: Path) -> None:
    moods = "CREATE TABLE moods (id INTEGER PRIMARY KEY, category TEXT NOT NULL);"
    rebuilt = (
        "ALTER TABLE moods RENAME TO old;\n"
        "CREATE TABLE moods (id INTEGER PRIMARY KEY, category TEXT NOT NULL UNIQUE);\n"
        "INSERT OR IGNORE INTO moods SELECT * FROM old;\nDROP TABLE old;"
    )
    chain = chain_of(tmp_path, moods, rebuilt, ADDS.replace("trips", "moods"), rows=100)

    assert chain.evidence(1).up_diff is not None
    assert chain.state(2).row_counts["moods"] >= 75


def test_a_table_that_it_deletes_all_of_but_one_row_stays_so(tmp_path: Path) -> None:
    one = "DELETE FROM trips WHERE id <> (SELECT min(id) FROM trips);"
    chain = chain_of(tmp_path, TRIPS, one, ADDS, rows=60)

    assert chain.state(2).row_counts["trips"] == 1
    assert judge("up_applies", chain.evidence(2)).outcome is Outcome.PASSED


def test_rows_that_the_user_gave_stay_alone(tmp_path: Path) -> None:
    own: dict[str, list[dict[str, Cell]]] = {"trips": [{"id": number} for number in range(1, 9)]}
    chain = chain_of(tmp_path, TRIPS, KEEPS_A_THIRD, ADDS, rows=60, own_rows=own)

    assert values(chain, 2, "SELECT id FROM trips") == [(3,), (6,)]


def test_rows_of_a_base_are_among_them(tmp_path: Path) -> None:
    base = image_of(TRIPS, "INSERT INTO trips (id, name) VALUES (1, 'Alps'), (3, 'Sea')")
    chain = chain_of(tmp_path, KEEPS_A_THIRD, ADDS, base=base, rows=60)

    assert values(chain, 1, "SELECT name FROM trips WHERE id = 3") == [("Sea",)]
    assert chain.state(1).row_counts["trips"] >= 45


def test_where_more_rows_are_refused_it_goes_on_with_those_that_are_left(tmp_path: Path) -> None:
    keeps_few = f"CREATE TABLE n (n CHECK (n < 100)); {KEEPS_A_THIRD}\n"
    counts = f"{keeps_few}INSERT INTO n SELECT count(*) FROM trips;"
    chain = chain_of(tmp_path, TRIPS, counts, ADDS, rows=60)

    assert chain.evidence(1).narrowed is None
    assert chain.state(2).row_counts["trips"] >= 15
    assert chain.is_whole(2)
