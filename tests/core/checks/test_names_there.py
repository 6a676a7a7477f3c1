"""What catalogue_reads and a skip say of a line that names nothing, or cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.judging import judge_catalogue
from pytest_bbmigrate.verdict import Outcome
from tests.cases import CASES, judge_case, read_case
from tests.core.checking import NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

RENAMED = "ALTER TABLE notes RENAME COLUMN mood TO feeling;"


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("renames notes.mood -> notes.felt", "notes.id, notes.text, notes.feeling"),
        ("renames notes.mod -> notes.feeling", "notes.id, notes.text, notes.mood, notes.feeling"),
        ("changes notes.felt", "notes.id, notes.text, notes.mood, notes.feeling"),
        ("deletes note", "notes"),
    ],
)
def test_what_could_be_meant_is_what_is_there_then(tmp_path: Path, line: str, there: str) -> None:
    (found,) = judge_catalogue(chain_of(tmp_path, NOTES, f"-- bb: {line}\n{RENAMED}")).findings

    assert found.expected == there


def test_a_condition_that_cannot_be_asked_is_said_to_be_of_the_rows_before(tmp_path: Path) -> None:
    line = "-- bb: changes notes.text where {} IS NULL\n"
    step = f"{RENAMED} UPDATE notes SET text = 'x' WHERE feeling IS NULL;"
    chain = chain_of(tmp_path, NOTES, f"{line.format('feeling')}{step}")
    (found,) = judge_catalogue(chain).findings
    assert found.cause.startswith("it is asked of the rows as they were before")

    followed = chain_of(tmp_path, NOTES, f"{line.format('mood')}{step}")

    assert judge_catalogue(followed).outcome is Outcome.PASSED
    assert judge_last("data_survives", followed).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("where", "is_helped"), [("feeling IS NULL", False), ("mood = 'nobody has it'", True)]
)
def test_rows_of_your_own_are_spoken_of_only_where_a_row_could_show_it(
    tmp_path: Path,
    where: str,
    is_helped: bool,  # noqa: FBT001 - the other half of a row
) -> None:
    chain = chain_of(tmp_path, NOTES, f"-- bb: changes notes.text where {where}\n{RENAMED}")
    verdict = judge_last("data_survives", chain)

    assert verdict.outcome is Outcome.SKIPPED
    assert ("rows of your own" in verdict.reason) is is_helped


@pytest.mark.parametrize("strict", [False, True])
def test_a_value_that_cannot_be_judged_is_shown_by_no_row(*, strict: bool) -> None:
    case = replace(read_case(CASES / "catalogue_reads/derives_without_a_key"), strict=strict)
    (verdict,) = (v for v in judge_case(case) if v.check == "data_survives" and v.subject[2] == "2")

    told = verdict.findings[0].observed if strict else verdict.reason

    assert "say behind `by` which columns do" in told
    assert "rows of your own" not in told
