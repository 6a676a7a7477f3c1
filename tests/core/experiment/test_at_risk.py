"""In which tables rows are written after up: where down could harm them, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.checking import chain_of
from tests.core.sqlite_builds import NEEDS_DBSTAT

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, tag_id INTEGER);"
TAGS = "CREATE TABLE tags (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips (id));"


def written_to(folder: Path, up: str, down: str, base: str = TRIPS) -> set[str] | None:
    """Return the tables that rows were written to, None where down was not run once more."""
    folder.mkdir(exist_ok=True)
    step = f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"
    evidence = chain_of(folder, base, step, rows=20).evidence(1)
    assert evidence.down is not None
    assert evidence.down.succeeded
    written = evidence.written
    assert (written is None) == (evidence.down_after_writing is None)
    return None if written is None else set(written.counts)


@NEEDS_DBSTAT
@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("CREATE INDEX by_name ON trips (name);", "DROP INDEX by_name;"),
        ("CREATE VIEW names AS SELECT name FROM trips;", "DROP VIEW names;"),
        (
            "CREATE TRIGGER held BEFORE DELETE ON trips BEGIN SELECT 1; END;",
            "DROP TRIGGER IF EXISTS held; -- trips",
        ),
    ],
)
def test_nothing_is_written_where_down_drops_what_holds_no_row(
    tmp_path: Path, up: str, down: str
) -> None:
    assert written_to(tmp_path, up, down) is None


@NEEDS_DBSTAT
def test_a_table_that_a_new_one_refers_to_is_written_to_only_where_down_reaches_it(
    tmp_path: Path,
) -> None:
    cleared = "UPDATE trips SET tag_id = tag_id WHERE id < 0;"

    assert written_to(tmp_path / "a", TAGS, "DROP TABLE tags;") == {"tags"}
    assert written_to(tmp_path / "b", TAGS, f"{cleared} DROP TABLE tags;") == {"tags", "trips"}


@NEEDS_DBSTAT
@pytest.mark.parametrize("kept", ["trip_id INTEGER REFERENCES tags (id)", "trip_id INTEGER"])
def test_a_table_that_refers_to_the_one_that_down_drops_is_written_to(
    tmp_path: Path, kept: str
) -> None:
    base = f"{TRIPS} CREATE TABLE kept (id INTEGER PRIMARY KEY, {kept});"
    refers = "REFERENCES" in kept

    written = written_to(tmp_path, f"{TAGS} SELECT count(*) FROM kept;", "DROP TABLE tags;", base)
    assert written == ({"kept", "tags", "trips"} if refers else {"tags"})
