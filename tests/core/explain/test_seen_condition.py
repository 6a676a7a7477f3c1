"""The condition of an UPDATE, offered where every row that changed was seen to meet it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, kind TEXT, at TEXT, stamp TEXT);"
STAMPED = (
    f"{NOTES} CREATE TRIGGER touch AFTER UPDATE ON notes BEGIN"
    " UPDATE notes SET stamp = 'now' WHERE id = NEW.id; END;"
)
REBUILD = (
    "CREATE TABLE n (id INTEGER PRIMARY KEY, kind TEXT, at TEXT, stamp TEXT);"
    "INSERT INTO n SELECT {} FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;"
)
SET = "UPDATE notes SET kind = 'a' WHERE id > 9;"
COPIED = REBUILD.format("id, kind, at, stamp")


@pytest.mark.parametrize(
    ("schema", "step", "line"),
    [
        # The table is rebuilt later in the file.
        (NOTES, f"{SET} {COPIED}", "notes.kind where id > 9"),
        # By a trigger, where the UPDATE sets something else; a new column in its condition.
        (STAMPED, "UPDATE notes SET at = 'x' WHERE id = 3;", "notes.stamp where id = 3"),
        (
            STAMPED,
            (
                "ALTER TABLE notes ADD COLUMN day TEXT NOT NULL DEFAULT '';"
                "UPDATE notes SET day = 'x' WHERE coalesce(day, '') = '' AND id >= 4;"
            ),
            "notes.stamp where id >= 4",
        ),
        # Near misses: more rows changed than it says, an OR with what is new, all of it is new.
        (NOTES, f"{SET} {REBUILD.format('id, upper(id), at, stamp')}", "notes.kind"),
        (
            STAMPED,
            (
                "ALTER TABLE notes ADD COLUMN day TEXT NOT NULL DEFAULT '';"
                "UPDATE notes SET day = 'x' WHERE day = '' OR id >= 4;"
            ),
            "notes.stamp",
        ),
        (
            STAMPED,
            (
                "ALTER TABLE notes ADD COLUMN day TEXT NOT NULL DEFAULT '';"
                "UPDATE notes SET day = 'x' WHERE day = '';"
            ),
            "notes.stamp",
        ),
    ],
)
def test_the_line_has_the_condition_that_all_changed_rows_met(
    tmp_path: Path, schema: str, step: str, line: str
) -> None:
    found = judge_last("data_survives", chain_of(tmp_path, schema, step)).findings
    lines = [finding.allow for finding in found]

    again = judge_last("data_survives", chain_of(tmp_path, schema, "\n".join([*lines, step])))

    assert lines[-1] == f"-- bb: changes {line}"
    assert again.outcome is Outcome.PASSED
