"""Every index that a column stands in is named where SQLite refuses to drop it for the first."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.indexes_in_the_way import with_every_index
from pytest_bbmigrate.runner import Failure
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.verdict import Finding
from tests.core.checking import chain_of, judge_last
from tests.core.running import image_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = Path("002_step.sql")
FIRST = "error in index by_name after drop column: no such column: deleted"
DROP = "ALTER TABLE trips DROP COLUMN deleted"
BEFORE = """
    CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, deleted INTEGER, place TEXT UNIQUE);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, deleted INTEGER);
    CREATE INDEX by_name ON trips (name) WHERE deleted IS NULL;
    CREATE INDEX by_word ON trips (name) WHERE name <> 'deleted';
    CREATE INDEX notes_by_deleted ON notes (deleted);
"""


def advised(
    more: str = "", executed: Sequence[str] = (), message: str = FIRST, drop: str = DROP
) -> str:
    with closing(open_image(image_of(BEFORE + more))) as db:
        before = read_schema(db)
    finding = Finding("does not run", "down", FILE, cause="DROP INDEX by_name first\nnoted")
    return with_every_index(finding, Failure(FILE, 1, drop, message), before, executed).cause


@pytest.mark.parametrize(
    "index",
    [
        "other ON trips (deleted)",
        "other ON trips (name, DELETED DESC)",
        "other ON trips (abs(deleted))",
        'other ON trips (name) WHERE "Deleted" IS NOT NULL',
    ],
)
def test_a_second_index_that_the_column_stands_in_is_named_with_the_first(index: str) -> None:
    both = "DROP INDEX by_name and DROP INDEX other first\nnoted"

    assert advised(f"CREATE INDEX {index};") == both
    assert advised(executed=[f"CREATE INDEX {index}"]) == both


@pytest.mark.parametrize(
    "executed",
    [
        ["DROP INDEX other"],
        ["DROP TABLE other_trips"],
        ["ALTER TABLE trips RENAME COLUMN deleted TO gone"],
        ["ALTER TABLE trips RENAME TO journeys"],
    ],
)
def test_an_index_that_is_elsewhere_or_gone_by_then_is_not_named(executed: list[str]) -> None:
    more = (
        "CREATE INDEX other ON trips (deleted);"
        "CREATE TABLE other_trips (deleted); CREATE INDEX third ON other_trips (deleted);"
    )
    expected = "DROP INDEX by_name first\nnoted"
    if executed == ["DROP TABLE other_trips"]:
        expected = "DROP INDEX by_name and DROP INDEX other first\nnoted"

    assert advised(more, executed) == expected


def test_an_index_is_followed_with_its_table_and_its_column() -> None:
    executed = ["ALTER TABLE trips RENAME TO ways", "ALTER TABLE ways RENAME deleted TO gone"]

    assert (
        advised(
            'CREATE INDEX "by day" ON trips (deleted);',
            executed,
            drop="ALTER TABLE ways DROP COLUMN gone",
        )
        == 'DROP INDEX by_name and DROP INDEX "by day" first\nnoted'
    )


@pytest.mark.parametrize(
    ("message", "drop"),
    [(FIRST, DROP), ("no such index: by_name", DROP), (FIRST, "program.py")],
)
def test_where_one_alone_is_known_the_advice_stays(message: str, drop: str) -> None:
    assert advised(message=message, drop=drop) == "DROP INDEX by_name first\nnoted"


def test_dropping_all_that_a_failure_names_is_enough(tmp_path: Path) -> None:
    base = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);"
    step = """\
-- migrate:up
ALTER TABLE trips ADD COLUMN deleted INTEGER;
CREATE INDEX by_name ON trips (name) WHERE deleted IS NULL;
CREATE INDEX trips_deleted ON trips (deleted);
-- migrate:down
{}ALTER TABLE trips DROP COLUMN deleted;
"""
    drops = "DROP INDEX by_name;\nDROP INDEX trips_deleted;\n"
    refused = judge_last("down_restores", chain_of(tmp_path, base, step.format("")))
    mended = judge_last("down_restores", chain_of(tmp_path, base, step.format(drops)))

    assert refused.findings[0].cause == "DROP INDEX by_name and DROP INDEX trips_deleted first"
    assert mended.findings == ()
