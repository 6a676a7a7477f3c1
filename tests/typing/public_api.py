"""How an app and a test use what pytest-bbmigrate exports, for mypy to check; nothing here is run.

Each ``type: ignore`` is a use that must be an error: mypy says so where it is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import pytest
from sqlite_utils import Database

import pytest_bbmigrate
from pytest_bbmigrate import (
    MigrationUnderTest,
    assert_foreign_keys,
    assert_preserved,
    pending,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def an_app_asks_what_is_pending(folder: Path) -> None:
    assert_type(pending("budget_buddy.db", "migrations"), tuple[str, ...])
    assert_type(pytest_bbmigrate.pending(folder / "budget_buddy.db", folder), tuple[str, ...])

    pending(folder, folder, order=folder, placeholders={"a": "b"}, ignore=["*.sh"])
    pending("budget_buddy.db")  # type: ignore[call-arg]
    pending("budget_buddy.db", ["001_accounts"])  # type: ignore[arg-type]
    pending(b"budget_buddy.db", "migrations")  # type: ignore[arg-type]
    pending("budget_buddy.db", "migrations").append("001")  # type: ignore[attr-defined]


@pytest.mark.bb_migration("020_going_out")
def a_test_runs_one_migration(bb_migration: MigrationUnderTest) -> None:
    assert_type(bb_migration.before, Database)
    assert_type(bb_migration.up(), Database)
    assert_type(bb_migration.after, Database)
    assert_type(bb_migration.down(), Database)
    bb_migration.before.table("transactions").insert({"id": 1})
    assert_type(bb_migration.after["transactions"].count_where("amount < ?", [0]), int)

    bb_migration.up("020_going_out")  # type: ignore[call-arg]
    bb_migration.after = bb_migration.before  # type: ignore[misc]
    bb_migration.revert()  # type: ignore[attr-defined]


def a_test_compares_databases(
    bb_head: Database,
    bb_head_path: Path,
    bb_at: Callable[[str], Database],
    bb_snapshot: Callable[[Database], bytes],
) -> None:
    before = bb_snapshot(bb_head)
    assert_preserved(before, bb_head)
    assert_preserved(bb_at("003_add_trip_tags"), bb_head.conn, "inserts trips", "deletes trips")
    assert_preserved(before, bb_head_path)
    assert_preserved(before, bb_head, "-- bb: changes trips.name", schema=False)
    assert_foreign_keys(bb_head)
    assert_foreign_keys(bb_head_path)

    assert_preserved(before, bb_head, schema="trips")  # type: ignore[arg-type]
    assert_preserved(before)  # type: ignore[call-arg]
    assert_preserved(str(bb_head_path), bb_head)  # type: ignore[arg-type]
    assert_preserved(before, bb_head, ["inserts trips"])  # type: ignore[arg-type]
    assert_foreign_keys("budget_buddy.db")  # type: ignore[arg-type]


def what_is_not_exported() -> None:
    pytest_bbmigrate.take_snapshot(Path())  # type: ignore[attr-defined]
