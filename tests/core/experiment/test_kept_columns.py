"""Where parents and children hold what they held, no reference is looked for again."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_bbmigrate.experiment.observe import observe
from pytest_bbmigrate.experiment.references import KeptColumns, find_dangling
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.sqlite_files import open_contents, open_image, take_image

BEFORE = """
CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT UNIQUE, note TEXT DEFAULT 'x');
CREATE TABLE costs (id INTEGER PRIMARY KEY, trip TEXT REFERENCES trips (name));
INSERT INTO trips (name) VALUES ('Oslo'), ('Rome');
INSERT INTO costs (trip) VALUES ('Oslo'), ('Rome');
"""
REBUILT = """
CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT UNIQUE{}, note TEXT DEFAULT 'x');
INSERT INTO other SELECT * FROM trips;
DROP TABLE trips;
ALTER TABLE other RENAME TO trips;
"""


def made(*scripts: str) -> bytes:
    """Return the database that ``scripts`` make."""
    with closing(open_image(b"")) as db:
        for script in scripts:
            db.executescript(script)
        return take_image(db)


def has_kept(change: str) -> bool:
    """Return whether the names of trips are known to be as they were after ``change``."""
    before, after = snapshot_of(made(BEFORE)), snapshot_of(made(BEFORE, change))
    diff = observe(before, after)
    kept = KeptColumns(before.schema, after.schema, diff.untouched, diff.tables)
    return kept.has("trips", ("name",))


@pytest.mark.parametrize("change", ["", "ALTER TABLE trips DROP COLUMN note", REBUILT.format("")])
def test_columns_are_kept_where_a_table_holds_what_it_held(change: str) -> None:
    assert has_kept(change)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM trips WHERE name = 'Oslo'",
        "UPDATE trips SET name = 'oslo' WHERE name = 'Oslo'",
        "ALTER TABLE trips RENAME COLUMN name TO title",
        "ALTER TABLE trips RENAME TO journeys",
        REBUILT.format(" COLLATE NOCASE"),
    ],
)
def test_columns_are_not_kept_where_rows_or_what_they_compare_as_changed(change: str) -> None:
    assert not has_kept(change)


def test_references_between_kept_columns_are_not_looked_for_again() -> None:
    before = snapshot_of(made(BEFORE))
    after = snapshot_of(made(BEFORE, "ALTER TABLE trips DROP COLUMN note"))
    diff = observe(before, after)
    schemas = (before.schema, after.schema)
    with closing(open_contents(before.image, after.image)) as pair:
        statements: list[str] = []
        pair.set_trace_callback(statements.append)

        assert find_dangling(pair, *schemas, diff.renames, diff.untouched, diff.tables) == ()
        assert statements == []
        assert find_dangling(pair, *schemas, diff.renames, diff.untouched) == ()
        assert statements
