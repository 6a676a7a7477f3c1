"""Notes on columns that are dropped as declared: where their values went, and what proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

BASE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, amount REAL NOT NULL);"
CENTS = "ALTER TABLE t ADD COLUMN cents INT; UPDATE t SET cents = CAST(amount * 100 AS INT);"
AMOUNT = f"-- bb: drops t.amount\n-- migrate:up\n{CENTS} ALTER TABLE t DROP COLUMN amount;"
BACK = (
    "\n-- migrate:down\nALTER TABLE t ADD COLUMN amount REAL NOT NULL DEFAULT 0;"
    "UPDATE t SET amount = cents / 100.0; ALTER TABLE t DROP COLUMN cents;"
)
PROVED = "-- bb: derives t.cents = CAST(amount * 100 AS INT)\n"
UNPROVED = (
    "what t.amount held goes on unproved: "
    "`derives t.cents = CAST(round(amount * 100) AS INTEGER)` would prove it"
)
NAME = (
    "-- bb: drops t.name\nALTER TABLE t ADD COLUMN label TEXT; {} ALTER TABLE t DROP COLUMN name;"
)


@pytest.mark.parametrize(
    ("step", "notes"),
    [
        (AMOUNT, (UNPROVED,)),
        (AMOUNT + BACK, ()),
        (PROVED + AMOUNT, ()),
        (NAME.format("UPDATE t SET label = 'name';"), ("nothing took over what t.name held",)),
        (NAME.format("UPDATE t SET label = name || '!' WHERE name IS NOT NULL;"), ()),
        (NAME.format(""), ()),
        ("-- bb: drops t.name\nALTER TABLE t DROP COLUMN name;", ()),
    ],
)
def test_a_note_says_what_became_of_a_dropped_column(
    tmp_path: Path, step: str, notes: tuple[str, ...]
) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, BASE, step))

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == notes


def test_what_python_fills_in_is_not_told_by_its_statements(tmp_path: Path) -> None:
    (tmp_path / "002_step.py").write_text(
        "# bb: drops t.name\n\n\ndef up(db):\n"
        "    db.execute('ALTER TABLE t ADD COLUMN label TEXT')\n"
        "    db.execute('UPDATE t SET label = 1')\n"
        "    db.execute('UPDATE t SET label = ? WHERE id = ?', ['x', 3])\n"
        "    db.execute('ALTER TABLE t DROP COLUMN name')\n"
    )

    assert judge_last("data_survives", chain_of(tmp_path, BASE)).notes == ()
