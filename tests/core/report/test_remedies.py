"""What to change is said where nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.report.remedies import what_to_change
from pytest_bbmigrate.report.words import describe_failure
from pytest_bbmigrate.verdict import Finding, Outcome, Verdict

SQL = Path("002_step.sql")


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        ("check added", "down", "down must rebuild the table"),
        ("written rows lost", "down after writing", "on the rows that are there"),
        ("values changed", "up again", "ORDER BY what"),
        ("table lost", "down", "without, where it is declared dropped"),
        ("column lost", "down", "without, where it is declared dropped"),
        ("sequence lowered", "down", "INSERT"),
        ("index added", "up again", ""),
        ("trigger broken", "up", "create it again"),
        ("values changed", "up", ""),
    ],
)
def test_what_to_change_goes_by_kind_and_step(kind: str, step: str, expected: str) -> None:
    found = what_to_change(Finding(kind, step, SQL))

    assert expected in found
    assert bool(found) == bool(expected)


@pytest.mark.parametrize("known", [{"cause": "trim"}, {"allow": "-- bb: drops t"}])
def test_where_something_else_says_it_nothing_is_added(known: dict[str, str]) -> None:
    assert what_to_change(Finding("trigger broken", "up", SQL, **known)) == ""  # type: ignore[arg-type]


def test_a_change_beyond_the_declared_rows_says_what_to_narrow() -> None:
    finding = Finding("rows lost", "up", SQL, table="t", count=1, expected="only rows where a = 1")
    text = describe_failure(Verdict("data_survives", "002", Outcome.FAILED, (finding,)), "pytest")

    assert "  to mend it  narrow what the statement does" in text
