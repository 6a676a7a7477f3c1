"""What is advised where a copy is refused for its own columns, or a part has dropped its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.explain.copy_refused import BY_POSITION, DROPPED
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, seen TEXT);"
ORDER = "CREATE TABLE new (id INTEGER PRIMARY KEY, {}); INSERT INTO new SELECT {} FROM {};"
OTHERS = "CREATE TABLE notes (text TEXT NOT NULL, seen TEXT, id INTEGER PRIMARY KEY);"
TIMES = "CREATE TABLE new (id INTEGER, at TEXT NOT NULL); INSERT INTO new SELECT id, {} FROM notes;"
READS = "no row is without a value for text: datetime() gives NULL for what it cannot read"


def cause_of(folder: Path, base: str, step: str) -> str:
    return judge_last("up_applies", chain_of(folder, base, step)).findings[0].cause


@pytest.mark.parametrize(
    ("base", "step", "said"),
    [
        (OTHERS, ORDER.format("text, seen", "*", "notes"), BY_POSITION),
        (OTHERS, "ALTER TABLE notes RENAME TO old;" + ORDER.format("text, seen", "*", "old"),
         BY_POSITION),
        (NOTES, ORDER.format("text", "text, id", "notes"), BY_POSITION),
        (NOTES, TIMES.format("datetime(text)"), READS),
        (NOTES, "DROP TABLE notes; DELETE FROM notes;", DROPPED),
    ],
)  # fmt: skip
def test_what_its_own_columns_show_is_told(tmp_path: Path, base: str, step: str, said: str) -> None:
    assert cause_of(tmp_path, base, step).startswith(said)


@pytest.mark.parametrize(
    ("base", "step"),
    [
        ("CREATE TABLE notes (code TEXT, text TEXT);", ORDER.format("text", "*", "notes")),
        (NOTES, TIMES.format("datetime(seen)")),
        (NOTES, "DROP TABLE IF EXISTS costs; DELETE FROM costs;"),
        (NOTES, "ALTER TABLE notes RENAME TO old; DROP TABLE old; DELETE FROM notes;"),
    ],
)
def test_what_they_do_not_show_is_not(tmp_path: Path, base: str, step: str) -> None:
    cause = cause_of(tmp_path, base, step)

    assert cause
    assert not cause.startswith((BY_POSITION, "no row is without", DROPPED))
