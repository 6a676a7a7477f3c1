"""A table that is dropped beside its copy: which copy that is, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

OLD = "CREATE TABLE old (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER);"
NEW = "CREATE TABLE neu (id INTEGER PRIMARY KEY, text TEXT, amount INTEGER);"
DROP = "DROP TABLE old;"


@pytest.mark.parametrize(
    "step",
    [
        f"{NEW} INSERT INTO neu SELECT * FROM old; {DROP}",
        f"{NEW} INSERT INTO neu (amount, id) SELECT o.cents, o.id FROM old AS o; {DROP}",
        f"CREATE TABLE neu AS SELECT * FROM old; {DROP}",
        (
            "CREATE TABLE n AS SELECT id, upper(text) AS text FROM old;"
            f"{DROP} ALTER TABLE n RENAME TO neu;"
        ),
        f"ALTER TABLE old RENAME TO o; {NEW} INSERT INTO neu SELECT * FROM o; DROP TABLE o;",
    ],
)
def test_the_copy_is_offered_as_what_the_table_has_become(tmp_path: Path, step: str) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [(f.kind, f.allow) for f in verdict.findings] == [
        ("table lost", "-- bb: renames old -> neu")
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT text, sum(cents) AS cents FROM old GROUP BY text",
        "SELECT text FROM old UNION SELECT 'x'",
        "SELECT a.text FROM old AS a, old AS b",
    ],
)
def test_what_is_computed_of_many_rows_is_no_copy(tmp_path: Path, query: str) -> None:
    step = f"CREATE TABLE neu AS {query}; {DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [f.allow for f in verdict.findings] == ["-- bb: drops old"]


@pytest.mark.parametrize(
    ("query", "lines", "kinds"),
    [
        ("SELECT * FROM old", "", []),
        ("SELECT id, text, cents FROM old WHERE cents > 9999999", "", ["rows lost"]),
        ("SELECT id, trim(text), cents FROM old", "", []),  # what is not copied is dropped
        ("SELECT * FROM old WHERE id > 3", "-- bb: deletes old where id <= 3\n", []),
        ("SELECT * FROM old WHERE id > 4", "-- bb: deletes old where id <= 3\n", ["rows lost"]),
    ],
)
def test_a_declared_drop_hides_no_row_that_the_copy_lacks(
    tmp_path: Path, query: str, lines: str, kinds: list[str]
) -> None:
    step = f"-- bb: drops old\n{lines}{NEW} INSERT INTO neu {query}; {DROP}"
    verdict = judge_last("data_survives", chain_of(tmp_path, OLD, step))

    assert [f.kind for f in verdict.findings] == kinds
    assert {f.allow for f in verdict.findings} <= {"-- bb: renames old -> neu"}


def test_a_rename_by_rebuild_that_is_declared_passes(tmp_path: Path) -> None:
    step = f"-- bb: renames old -> neu\n{NEW} INSERT INTO neu SELECT * FROM old; {DROP}"

    assert judge_last("data_survives", chain_of(tmp_path, OLD, step)).outcome is Outcome.PASSED
