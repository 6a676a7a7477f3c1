"""What was broken before a migration is named where it keeps the migration from running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.checking import NOTES, chain_of, judge_last
from tests.core.running import image_of

if TYPE_CHECKING:
    from pathlib import Path

LOG = "CREATE TABLE log (note_id INTEGER);"
BROKEN = (
    "CREATE TRIGGER notes_log AFTER UPDATE ON notes "
    "BEGIN INSERT INTO log (note_id) VALUES (new.number); END;"
)
BROKEN_VIEW = "CREATE VIEW titles AS SELECT title FROM papers;"


def cause_of(folder: Path, base: str, step: str) -> str:
    """Return what is said of a step that does not run."""
    chain = chain_of(folder, step, base=image_of(base))
    return judge_last("up_applies", chain).findings[0].cause


def test_a_trigger_that_did_not_compile_before_is_named_where_it_is_fired(tmp_path: Path) -> None:
    step = "-- bb: changes notes.mood\nUPDATE notes SET mood = upper(mood);"

    assert cause_of(tmp_path, NOTES + LOG + BROKEN, step).startswith(
        "it fires trigger notes_log on notes, which did not compile before"
    )


def test_a_view_that_did_not_compile_before_is_named_where_alter_table_meets_it(
    tmp_path: Path,
) -> None:
    step = "ALTER TABLE notes RENAME TO letters;"

    assert cause_of(tmp_path, NOTES + BROKEN_VIEW, step).startswith(
        "view titles did not compile before this migration either"
    )


@pytest.mark.parametrize(
    "step",
    [
        "UPDATE notes SET mood = number;",
        "DELETE FROM notes WHERE number = 1;",
        "ALTER TABLE notes DROP COLUMN number;",
    ],
)
def test_another_fault_is_not_laid_to_a_broken_trigger(tmp_path: Path, step: str) -> None:
    assert "did not compile" not in cause_of(tmp_path, NOTES + LOG + BROKEN, step)
