"""What a DROP in the file says of an object that is made again, and what is noted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

VIEW = NOTES + "CREATE VIEW moods AS SELECT id, mood FROM notes;"
TAGS = "CREATE TABLE tags (note_id INTEGER, tag TEXT);"


def remade(body: str, *, first: str = "") -> str:
    """Return a migration that makes the view again with ``body``."""
    return f"{first}DROP VIEW moods; CREATE VIEW moods AS {body};"


def test_a_view_that_shows_none_of_its_rows_is_noted(tmp_path: Path) -> None:
    added = "ALTER TABLE notes ADD COLUMN gone_at TEXT; "
    step = remade("SELECT id, mood FROM notes WHERE gone_at = ''", first=added)
    verdict = judge_last("schema_survives", chain_of(tmp_path, VIEW, step))

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == (
        (
            "view moods was made again in other words, and shows none of the 20 rows that it showed"
            " before"
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        "SELECT n.id, n.mood, t.tag FROM notes n JOIN tags t ON t.note_id = n.id AND t.tag = 'no'",
        "SELECT id, mood FROM notes WHERE id > 3",
        "SELECT id, mood FROM notes LIMIT 7",
        "SELECT max(id) AS id, mood FROM notes GROUP BY mood",
        "SELECT id FROM notes",
    ],
)
def test_a_view_that_shows_less_is_another_one(tmp_path: Path, body: str) -> None:
    verdict = judge_last("schema_survives", chain_of(tmp_path, VIEW + TAGS, remade(body)))

    assert [(f.kind, f.name) for f in verdict.findings] == [("view changed", "moods")]
    assert verdict.findings[0].allow == "-- bb: alters view moods"


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("SELECT id, mood FROM notes WHERE id > 3", "2 of its 20 rows no more"),
        ("SELECT id, mood FROM notes LIMIT 7", "13 of its 20 rows no more"),
        ("SELECT id, upper(text) AS mood FROM notes LIMIT 7", "13 of its 20 rows not as they were"),
        (
            "SELECT id, mood FROM notes WHERE id > 3 UNION ALL SELECT -1, 'x'",
            "2 of its 20 rows not as they were",
        ),
    ],
)
def test_rows_are_shown_no_more_where_a_view_shows_none_that_it_did_not(
    tmp_path: Path, body: str, how: str
) -> None:
    verdict = judge_last("schema_survives", chain_of(tmp_path, VIEW, remade(body)))

    assert describe_failure(verdict, "").startswith(f"view moods shows {how}")


@pytest.mark.parametrize(
    "body",
    [
        "SELECT id, mood, text FROM notes",
        "SELECT n.id, n.mood FROM notes AS n LEFT JOIN tags AS t ON t.tag = n.text AND 0",
        "SELECT id, upper(mood) AS mood FROM notes",
        "SELECT id, mood FROM notes UNION ALL SELECT note_id, tag FROM tags",
        "SELECT id, mood FROM notes ORDER BY mood",
    ],
)
def test_a_view_that_shows_what_it_did_and_more_needs_no_word(tmp_path: Path, body: str) -> None:
    verdict = judge_last("schema_survives", chain_of(tmp_path, VIEW + TAGS, remade(body)))

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == ()


def test_rows_that_are_deleted_as_declared_are_not_missed_in_a_view(tmp_path: Path) -> None:
    deleted = "-- bb: deletes notes\nDELETE FROM notes WHERE id > 5; "
    step = remade("SELECT id, mood, text FROM notes", first=deleted)

    assert not judge_last("schema_survives", chain_of(tmp_path, VIEW, step)).findings


@pytest.mark.parametrize(
    ("trigger", "write", "is_found"),
    [
        ("AFTER UPDATE", "UPDATE notes SET mood = 'x'", True),
        ("AFTER UPDATE OF text", "UPDATE notes SET mood = 'x'", False),
        ("AFTER INSERT", "INSERT INTO notes (mood) VALUES ('x')", True),
        ("AFTER INSERT", "UPDATE notes SET mood = 'x'", False),
        ("BEFORE DELETE", "DELETE FROM notes WHERE id = 1", True),
        ("AFTER UPDATE", "UPDATE tags SET tag = 'x'", False),
    ],
)
def test_a_trigger_that_is_dropped_so_as_not_to_fire_is_to_come_back(
    tmp_path: Path, trigger: str, write: str, *, is_found: bool
) -> None:
    base = f"{NOTES}{TAGS}CREATE TRIGGER w {trigger} ON notes BEGIN SELECT 1; END;"
    step = f"DROP TRIGGER w; {write};"
    verdict = judge_last("schema_survives", chain_of(tmp_path, base, step))

    assert [f.kind for f in verdict.findings] == (["trigger lost"] if is_found else [])


def test_a_trigger_that_is_dropped_after_the_write_is_dropped_for_good(tmp_path: Path) -> None:
    base = NOTES + "CREATE TRIGGER w AFTER UPDATE ON notes BEGIN SELECT 1; END;"
    step = "UPDATE notes SET mood = 'x'; DROP TRIGGER w;"

    assert not judge_last("schema_survives", chain_of(tmp_path, base, step)).findings
