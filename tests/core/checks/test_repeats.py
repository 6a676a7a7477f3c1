"""Which ids count as chosen by SQLite when up runs again, and how differences are gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.up_repeats import chosen_columns, tables_given_ids
from pytest_bbmigrate.experiment import DatabaseDiff, TableDiff
from pytest_bbmigrate.rows import RowAdded, RowLost, differences_of
from pytest_bbmigrate.schema import Renames
from tests.core.checking import NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.rows import RowDifference

FAMILY = (
    "CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT UNIQUE);\n"
    "CREATE TABLE kids (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents (id), "
    "parent_code TEXT REFERENCES parents (code));\n"
    "CREATE TABLE words (word TEXT PRIMARY KEY);\n"
)


def passage_of(*tables: TableDiff, untouched: frozenset[str] = frozenset()) -> DatabaseDiff:
    """Return what became of ``tables``, and of nothing else."""
    return DatabaseDiff(tables, Renames({}, {}), (), (), (), (), untouched=untouched)


def table_passage(name: str, *differences: RowDifference) -> TableDiff:
    """Return a passage of a table that kept its name."""
    found = differences_of(differences)
    return TableDiff(name, name, ("id",), {"id": "id"}, (), frozenset(), 1, 1, 1, found)


@pytest.mark.parametrize(
    ("first", "given"),
    [
        (passage_of(), {"notes"}),  # it was made by up
        (passage_of(table_passage("Notes")), set()),
        (passage_of(table_passage("notes", RowAdded("notes", (1,), {"id": 1}))), {"notes"}),
        (passage_of(table_passage("notes", RowLost("notes", (1,), {"id": 1}))), set()),
        (passage_of(untouched=frozenset({"notes"})), set()),
    ],
)
def test_ids_are_given_in_the_tables_that_up_inserts_into(
    tmp_path: Path, first: DatabaseDiff, given: set[str]
) -> None:
    evidence = replace(chain_of(tmp_path, NOTES, "SELECT 1;").evidence(1), up_diff=first)

    assert tables_given_ids(evidence, passage_of(table_passage("Notes"))) == given


@pytest.mark.parametrize(
    ("table", "given", "columns"),
    [
        ("Kids", {"kids"}, {"id"}),
        ("kids", {"parents"}, {"parent_id"}),
        ("kids", {"parents", "kids"}, {"id", "parent_id"}),
        ("kids", {"words"}, set()),
        ("words", {"words"}, set()),
    ],
)
def test_chosen_are_the_ids_of_inserted_rows_and_what_refers_to_them(
    tmp_path: Path, table: str, given: set[str], columns: set[str]
) -> None:
    evidence = chain_of(tmp_path, FAMILY, "SELECT 1;").evidence(1)

    assert chosen_columns(table, evidence, frozenset(given)) == columns


def test_lost_added_and_changed_rows_are_told_apart(tmp_path: Path) -> None:
    text = (
        "DELETE FROM notes WHERE id IN (SELECT id FROM notes ORDER BY id LIMIT 3);\n"
        "INSERT INTO notes (id, text) VALUES (-1, 'new'), (-2, 'new');\n"
        "UPDATE notes SET mood = 'other' WHERE id = (SELECT max(id) FROM notes);\n"
    )
    findings = judge_last("data_survives", chain_of(tmp_path, NOTES, text)).findings

    assert [(f.kind, f.column, f.count) for f in findings] == [
        ("rows lost", "", 3),
        ("rows added", "", 2),
        ("values changed", "mood", 1),
    ]
    assert [len(f.examples) for f in findings] == [3, 2, 1]
