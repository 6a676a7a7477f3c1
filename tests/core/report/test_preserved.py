"""What two snapshots differ in, as small tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.report import describe_unpreserved
from pytest_bbmigrate.verdict import Example, Finding

WHERE = Path("snapshot")


def test_changes_stand_below_one_another_keys_first() -> None:
    examples = (
        Example((("id", 1),), (("name", "x"),), (("name", None),)),
        Example((("id", 120),), (("name", "a longer one"),), (("name", "z"),)),
    )
    finding = Finding(
        "values changed",
        "up",
        WHERE,
        table="t",
        column="name",
        count=1_200,
        total=3_000,
        examples=examples,
        allow="-- bb: changes t.name",
    )

    assert describe_unpreserved([finding]).splitlines() == [
        "t.name changed in 1,200 of 3,000 rows",
        "  id   name before     name after",
        "  1    'x'             NULL",
        "  120  'a longer one'  'z'",
        "  .. and 1,198 more",
        "  to allow it pass the line:  -- bb: changes t.name",
    ]


def test_rows_that_are_lost_have_their_other_cells_behind_the_key() -> None:
    cells = tuple((name, number) for number, name in enumerate("abcdefghi"))
    finding = Finding(
        "rows lost", "up", WHERE, table="t", count=1, examples=(Example((("b", 1),), cells),)
    )

    assert describe_unpreserved([finding]).splitlines()[1:] == [
        "  b  a  c  d  e  f  g  ..",
        "  1  0  2  3  4  5  6  ..",
    ]


@pytest.mark.parametrize(
    ("finding", "lines"),
    [
        (
            Finding(
                "values not derived",
                "up",
                WHERE,
                expected="derives t.c = 7",
                count=1,
                examples=(Example((("id", 1),), (("declared", 7),), (("c", 7.0),)),),
            ),
            ["  expected    derives t.c = 7", "  id  declared  c", "  1   7         7.0"],
        ),
        (
            Finding(
                "index lost",
                "up",
                WHERE,
                name="i",
                table="t",
                expected="INDEX i ON t (c)",
                allow="-- bb: drops index i",
            ),
            [
                "  expected    INDEX i ON t (c)",
                "  observed    nothing of it",
                "  to allow it pass the line:  -- bb: drops index i",
            ],
        ),
    ],
)
def test_a_finding_says_what_was_expected(finding: Finding, lines: list[str]) -> None:
    assert describe_unpreserved([finding]).splitlines()[1:] == lines


def test_findings_are_apart_and_none_is_nothing() -> None:
    lost = Finding("table lost", "up", WHERE, table="t", count=2)

    assert describe_unpreserved([lost, lost]).count("\n\n") == 1
    assert describe_unpreserved([]) == ""
