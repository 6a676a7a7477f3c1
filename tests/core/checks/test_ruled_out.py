"""What ``requires`` keeps out of the rows is no reason to complain that nothing was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

BASE = (
    "CREATE TABLE other (id INTEGER PRIMARY KEY);"
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, kind TEXT, cents INTEGER);"
)
COPY = (
    "CREATE TABLE later (id INTEGER PRIMARY KEY, text TEXT, kind TEXT, cents INTEGER);"
    "INSERT INTO later SELECT * FROM notes WHERE {}; "
    "DROP TABLE notes; ALTER TABLE later RENAME TO notes;"
)
DOUBLES = (
    "DELETE FROM notes WHERE text IS NOT NULL "
    "AND id NOT IN (SELECT min(id) FROM notes GROUP BY text);"
)


@pytest.mark.parametrize(
    ("requires", "sql"),
    [
        ("notes: text IS NOT NULL", COPY.format("text IS NOT NULL")),
        ("notes: text IS NOT NULL", COPY.format("notes.text IS NOT NULL")),
        ("notes: text IS NOT NULL AND cents > 0 AND cents IS NOT NULL", COPY.format("cents > 0")),
        ("notes: coalesce(kind, '') IN ('in', 'out')", COPY.format("kind = 'in' OR kind = 'out'")),
        ("notes: text IS NOT NULL", "UPDATE notes SET text = '' WHERE text IS NULL;"),
        ("notes: kind IN ('in', 'out')", "UPDATE notes SET kind = 'in' WHERE kind = 'income';"),
        ("notes: cents <> 0", "DELETE FROM notes WHERE cents = 0;"),
        ("unique notes(text)", DOUBLES),
    ],
)
def test_a_statement_that_no_row_can_meet_is_not_missed(
    tmp_path: Path, requires: str, sql: str
) -> None:
    verdict = judge_last(
        "data_survives", chain_of(tmp_path, BASE, f"-- bb: requires {requires}\n{sql}"), strict=True
    )

    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("requires", "sql"),
    [
        ("notes: text IS NOT NULL", COPY.format("id IS NOT NULL")),
        ("notes: text IS NOT NULL", "DELETE FROM notes WHERE kind < 'a' AND kind > 'zzz';"),
        (
            "notes: cents > 10",
            "DELETE FROM notes WHERE cents > 20 AND kind < 'a' AND kind > 'zzz';",
        ),
        (
            "notes: cents IN (1, 2)",
            "DELETE FROM notes WHERE cents = 2 AND kind < 'a' AND kind > 'zzz';",
        ),
        ("other: id > 0", "DELETE FROM notes WHERE id < 0;"),
    ],
)
def test_a_statement_that_requires_says_nothing_of_is_missed(
    tmp_path: Path, requires: str, sql: str
) -> None:
    verdict = judge_last(
        "data_survives", chain_of(tmp_path, BASE, f"-- bb: requires {requires}\n{sql}")
    )

    assert verdict.outcome is Outcome.SKIPPED


def test_a_declaration_that_no_row_can_use_is_not_missed(tmp_path: Path) -> None:
    step = (
        "-- bb: requires notes: text IS NOT NULL\n-- bb: changes notes.text where text IS NULL\n"
        "UPDATE notes SET text = '' WHERE text IS NULL;"
    )
    verdict = judge_last("data_survives", chain_of(tmp_path, BASE, step), strict=True)

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == ("nothing needed `changes notes.text where text IS NULL`",)
