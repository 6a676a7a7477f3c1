"""What an app writes after up, in which columns, and what of it down has to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.experiment import WrittenRows

KEYED = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, mood TEXT);"
KEYLESS = "CREATE TABLE notes (text TEXT, mood TEXT, cents INTEGER);"
BY_TEXT = "CREATE TABLE notes (text TEXT PRIMARY KEY, mood TEXT, cents INTEGER) WITHOUT ROWID;"
BACKUP = "CREATE TABLE kept AS SELECT * FROM notes;"
CHANGED = "-- bb: changes notes.mood\n"


def both(up: str, down: str) -> str:
    """Return a migration with a down part."""
    return f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"


def written(folder: Path, base: str, step: str) -> WrittenRows:
    """Return what was written after up and what became of it."""
    found = chain_of(folder, base, step, rows=40).evidence(1).written
    assert found is not None
    return found


@pytest.mark.parametrize("base", [KEYED, KEYLESS, BY_TEXT])
def test_old_rows_are_edited_and_deleted_and_a_good_down_keeps_both(
    tmp_path: Path, base: str
) -> None:
    step = both("ALTER TABLE notes ADD COLUMN tag TEXT;", "ALTER TABLE notes DROP COLUMN tag;")
    found = written(tmp_path, base, step)

    assert "mood" in {column for _, column in found.edited}
    assert found.deleted == {"notes": 3}
    assert (found.edits_undone, found.deleted_back, found.differences) == ((), (), ())


def test_a_column_whose_values_are_refused_keeps_no_other_from_being_edited(tmp_path: Path) -> None:
    base = "CREATE TABLE notes (id INTEGER PRIMARY KEY, code TEXT UNIQUE, mood TEXT, text TEXT);"
    step = both("ALTER TABLE notes ADD COLUMN tag TEXT;", "ALTER TABLE notes DROP COLUMN tag;")
    found = written(tmp_path, base, step)

    columns = [column for _, column in found.edited]
    assert (columns.count("mood"), columns.count("text")) == (5, 5)
    assert found.passed_over >= 5 - columns.count("code") > 0


@pytest.mark.parametrize("base", [KEYED, BY_TEXT])
def test_a_backup_that_replaces_rows_undoes_edits_and_deletions(tmp_path: Path, base: str) -> None:
    up = f"{BACKUP} UPDATE notes SET mood = trim(mood);"
    down = "INSERT OR REPLACE INTO notes SELECT * FROM kept; DROP TABLE kept;"
    verdict = judge_last("down_restores", chain_of(tmp_path, base, CHANGED + both(up, down)))

    assert {f.kind for f in verdict.findings} == {"edits undone", "deleted rows back"}
    assert "mood" not in {f.column for f in verdict.findings}


def test_without_a_key_a_row_that_was_edited_is_known_by_all_of_its_values(tmp_path: Path) -> None:
    up = f"{BACKUP} ALTER TABLE notes ADD COLUMN tag TEXT;"
    down = (
        "DELETE FROM notes WHERE rowid IN (SELECT rowid FROM kept);"
        "INSERT INTO notes (rowid, text, mood, cents) SELECT rowid, * FROM kept;"
        "DROP TABLE kept; ALTER TABLE notes DROP COLUMN tag;"
    )
    found = written(tmp_path, KEYLESS, both(up, down))

    assert found.edits_undone
    assert found.deleted_back


def test_a_column_that_up_changed_or_moved_is_not_edited(tmp_path: Path) -> None:
    up = (
        "CREATE TABLE texts (note_id INTEGER PRIMARY KEY, body TEXT);"
        "INSERT INTO texts SELECT id, text FROM notes; UPDATE notes SET mood = 'x';"
    )
    found = written(tmp_path, KEYED, CHANGED + both(up, "DROP TABLE texts;"))

    assert found.edited == ()


def test_a_column_that_is_copied_under_its_own_name_is_edited(tmp_path: Path) -> None:
    up = "CREATE TABLE kept AS SELECT id, text FROM notes; UPDATE notes SET mood = 'x';"
    found = written(tmp_path, KEYED, CHANGED + both(up, "DROP TABLE kept;"))

    assert {column for _, column in found.edited} == {"text"}


def test_an_edit_follows_a_renamed_column(tmp_path: Path) -> None:
    up = "ALTER TABLE notes RENAME COLUMN text TO body;"
    found = written(tmp_path, KEYED, both(up, "ALTER TABLE notes RENAME COLUMN body TO text;"))

    assert ("notes", "body") in found.edited
    assert found.edits_undone == ()


@pytest.mark.parametrize("down", ["-- none", "CREATE INDEX i ON notes (id);"])
def test_rows_written_are_still_there_where_down_gives_a_column_no_name_back(
    tmp_path: Path, down: str
) -> None:
    step = both("ALTER TABLE notes RENAME COLUMN text TO body;", down)
    verdict = judge_last("down_restores", chain_of(tmp_path, KEYED, step))

    assert "written rows lost" not in {finding.kind for finding in verdict.findings}


def test_what_a_foreign_key_or_a_trigger_refuses_is_passed_over(tmp_path: Path) -> None:
    base = (
        KEYED + "CREATE TABLE tags (id INTEGER PRIMARY KEY, "
        "note_id INTEGER NOT NULL REFERENCES notes (id), tag TEXT);"
        "CREATE TRIGGER fixed BEFORE UPDATE OF text ON notes "
        "BEGIN SELECT RAISE(ABORT, 'no'); END;"
    )
    step = both("ALTER TABLE notes ADD COLUMN tag TEXT;", "ALTER TABLE notes DROP COLUMN tag;")
    found = written(tmp_path, base, step)

    assert {column for _, column in found.edited} == {"mood"}
    assert found.passed_over > 0
    assert (found.edits_undone, found.deleted_back) == ((), ())


NARROW = "CREATE TABLE kinds (id INTEGER PRIMARY KEY, kind TEXT NOT NULL);"
WIDE = "CREATE TABLE wide (id INTEGER PRIMARY KEY, kind TEXT);"


def rebuilt(create: str, name: str) -> str:
    """Return the rebuild of kinds by ``create``, which makes a table ``name``."""
    return (
        f"{create} INSERT INTO {name} SELECT * FROM kinds; DROP TABLE kinds;"
        f" ALTER TABLE {name} RENAME TO kinds;"
    )


def test_what_a_deferred_foreign_key_refuses_is_passed_over(tmp_path: Path) -> None:
    up = (
        "CREATE TABLE tags (note_id INTEGER NOT NULL REFERENCES notes (id)"
        " DEFERRABLE INITIALLY DEFERRED); INSERT INTO tags SELECT id FROM notes;"
    )
    found = written(tmp_path, KEYED, both(up, "DELETE FROM tags; DROP TABLE tags;"))

    assert found.passed_over
    assert found.deleted == {}


def test_that_down_refuses_what_only_up_allows_is_noted(tmp_path: Path) -> None:
    back = rebuilt(NARROW.replace("TABLE kinds", "TABLE narrow"), "narrow")
    step = "-- bb: alters kinds\n" + both(rebuilt(WIDE, "wide"), back)
    chain = chain_of(tmp_path, NARROW, step)
    verdict = judge_last("down_restores", chain)
    found = chain.evidence(1).written

    assert verdict.outcome is Outcome.PASSED
    (note,) = verdict.notes
    assert note.startswith("down does not run with rows that only up allows: NOT NULL constraint")
    assert found is not None
    assert 0 < found.counts["kinds"] < 5  # the others only up takes
