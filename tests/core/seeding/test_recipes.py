"""From where on rows meet what a later migration requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment import requirements
from pytest_bbmigrate.seeding import recipes
from tests.core.checking import chain_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_bbmigrate.catalogue import Migration

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


def test_what_a_migration_makes_is_read_once_for_all_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    tables_made = recipes.tables_made

    def counted(migration: Migration) -> set[str]:
        read.append(migration.name)
        return tables_made(migration)

    monkeypatch.setattr(recipes, "tables_made", counted)
    asks = "-- bb: requires files: name <> ''\n-- bb: requires assets: name <> ''\nSELECT 1;"

    chain_of(tmp_path, OLD + FILES, asks, asks)

    assert read == ["001_step", "002_step"]


def test_references_are_not_looked_at_where_all_rows_meet_what_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []

    def noted(*arguments: object) -> dict[object, object]:
        looked.append(arguments)
        return {}

    monkeypatch.setattr(requirements, "orphans_there", noted)
    asks = "-- bb: requires files: length(name) > 0\nSELECT 1;"

    state = chain_of(tmp_path, OLD + FILES, "SELECT 1;", asks).state(2)

    assert state.row_counts["files"] > 0
    assert looked == []
