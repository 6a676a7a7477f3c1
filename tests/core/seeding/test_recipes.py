"""From where on rows meet what a later migration requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.checking import chain_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = "CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL REFERENCES assets (name));"
OLD = "CREATE TABLE assets (name TEXT PRIMARY KEY);"
DROPS = (
    "CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
    "INSERT INTO new SELECT * FROM files;\nDROP TABLE files;\nALTER TABLE new RENAME TO files;\n"
    "DROP TABLE assets;"
)
MERGES = (
    "-- bb: requires files: NOT EXISTS (SELECT 1 FROM assets AS o WHERE o.name = files.name)\n"
    "INSERT INTO assets SELECT name FROM files GROUP BY name;"
)


def test_a_table_of_that_name_before_is_not_the_one_that_is_meant(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, OLD + FILES, DROPS, OLD, MERGES, rows=60)

    assert chain.state(1).row_counts == {"assets": 60, "files": 60}
    assert chain.evidence(3).up.succeeded
    assert chain.evidence(3).state.row_counts["files"] >= 45
