"""Many findings in few lines."""

from __future__ import annotations

from pytest_bbmigrate.report.groups import MOST_DECLARED, describe_groups, describe_next
from pytest_bbmigrate.report.told import Found, Told


def told(position: int, *found: Found, check: str = "data_survives") -> Told:
    return Told(position, f"{position:03}_x", f"{position:03}_x.sql", "", check, found)


def fault(kind: str, headline: str = "it broke") -> Found:
    return Found(kind, headline, "m/002_x.sql:1")


def test_faults_come_by_kind_first_and_lines_to_declare_last_by_migration() -> None:
    changed = Found("values changed", "t.c changed", "x.sql:3", "changes t.c")
    lost = Found("index lost", "index i is gone", "x.sql:3", "drops index i")

    lines = describe_groups(
        [
            told(1, changed, lost),
            told(2, fault("view broken"), fault("view broken")),
            told(3, fault("does not run", "up does not run: no such table")),
            told(4, changed),
        ]
    )

    assert lines == (
        "3 faults in 2 migrations",
        "  does not run (1)",
        "    003_x: up does not run: no such table (002_x.sql:1)",
        "  view broken (2)",
        "    002_x:1: it broke",
        "    002_x:1: it broke",
        "",
        "3 lines would allow the rest, in 2 migrations, where that is what is meant",
        "  changes (2), drops (1)",
        "    001_x: changes t.c; drops index i",
        "    004_x: changes t.c",
        "",
    )


def test_hundreds_of_findings_are_counted_and_fit_the_screen() -> None:
    kinds = ("rows lost", "view broken", "index lost")
    long = Found("values changed", "t.c changed", "x.sql:3", "changes t.c where " + "x" * 300)
    many = [told(at, fault(kinds[at % 3]), long) for at in range(300)]

    lines = describe_groups(many)

    assert len(lines) < 110
    assert max(map(len, lines)) < 120
    assert "  rows lost (100)" in lines
    assert "    and 79 more of this kind" in lines
    assert f"    and {300 - MOST_DECLARED} more migrations" in lines


def test_what_to_do_next_stands_in_a_column() -> None:
    assert describe_next({"pytest -v": "has all", "pytest": "runs"}) == (
        "pytest -v  has all",
        "pytest     runs",
    )
