"""What a migration stamps with the time is another time than that of the rows there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain.next_second import may_stamp_rows
from pytest_bbmigrate.schema import Schema
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part

STAMP = "CAST(strftime('%s', 'now') AS INTEGER)"
STAMPED = f"""\
CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT, modified INTEGER DEFAULT ({STAMP}));
CREATE TRIGGER touch AFTER UPDATE ON lists BEGIN
    UPDATE lists SET modified = {STAMP} WHERE id = NEW.id;
END;
INSERT INTO lists (id, name) VALUES (0, 'none');
"""
EMPTY = Schema((), (), ())
DECLARED = "-- bb: changes lists.name\n"


def test_a_row_that_was_stamped_this_second_is_stamped_anew_in_the_next(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, STAMPED, f"{DECLARED}UPDATE lists SET name = 'all' WHERE id = 0;")

    (finding,) = judge_last("data_survives", chain).findings
    assert (finding.kind, finding.column, finding.count) == ("values changed", "modified", 1)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET at = CURRENT_TIMESTAMP;",
        "CREATE TABLE u AS SELECT datetime('now') AS at FROM t;",
        "CREATE TABLE u (at DEFAULT CURRENT_DATE); INSERT INTO u SELECT at FROM t;",
        "INSERT OR REPLACE INTO t VALUES (1, CURRENT_TIME);",
        "INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET at = date();",
    ],
)
def test_what_writes_the_time_over_what_is_there_waits(tmp_path: Path, sql: str) -> None:
    assert may_stamp_rows(up_of(tmp_path, sql), EMPTY)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET at = '2026-01-01';",
        "INSERT INTO t VALUES (1, CURRENT_TIMESTAMP);",
        "CREATE TABLE u (at TEXT DEFAULT CURRENT_TIMESTAMP);",
    ],
)
def test_what_writes_none_or_new_rows_alone_does_not_wait(tmp_path: Path, sql: str) -> None:
    assert not may_stamp_rows(up_of(tmp_path, sql), EMPTY)


def up_of(folder: Path, sql: str) -> Part:
    """Return the up part of a migration of this text."""
    (folder / "001_step.sql").write_text(sql)
    return read_catalogue(folder).migrations[0].up
