"""Verdicts in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.report import describe_failure, describe_unreadable, headline
from pytest_bbmigrate.report.words import describe_example, shorten, show_cell
from pytest_bbmigrate.verdict import Example, Finding, Outcome, Verdict

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

FILE = Path("migrations/004_clean_up.sql")
RERUN = 'pytest "migrations/004_clean_up.sql::data_survives"'


def failed(*findings: Finding, check: str = "data_survives") -> Verdict:
    return Verdict(check, "004_clean_up", Outcome.FAILED, findings)


def test_a_failure_says_what_where_expected_observed_why_and_the_way_out() -> None:
    finding = Finding(
        "rows lost",
        "up",
        FILE,
        7,
        table="transactions",
        count=12,
        total=200,
        examples=(
            Example((("id", 4),), (("id", 4), ("note", None))),
            Example((("id", 9),), (("id", 9), ("note", "a\x00b"))),
        ),
        cause="where",
        allow="-- bb: deletes transactions",
    )

    assert describe_failure(failed(finding), RERUN).splitlines() == [
        "transactions lost 12 of 200 rows",
        "  where       migrations/004_clean_up.sql:7 (up)",
        "  expected    every row that was there before",
        "  observed    for example (2 of 12)",
        "              id=4, note=NULL",
        "              id=9, note='a\\x00b'",
        "  why         " + REASONS["where"].splitlines()[0],
        "              " + REASONS["where"].splitlines()[1],
        "  to allow it add the line:  -- bb: deletes transactions",
        "  rows        generated for this check, none of them real",
        '  rerun       pytest "migrations/004_clean_up.sql::data_survives"',
    ]


def test_what_a_program_printed_before_it_failed_is_shown_from_the_end() -> None:
    printed = "".join(f"line {number}\n" for number in range(1, 13))
    finding = Finding("does not run", "up", FILE, observed="SystemExit: 4", printed=printed)
    text = describe_failure(failed(finding, check="up_applies"), RERUN)

    assert "  printed     ..\n              line 3\n" in text
    assert "              line 12\n" in text
    assert "line 2\n" not in text.replace("line 12", "")


def test_the_first_line_counts_what_follows() -> None:
    one = Finding("rows lost", "up", FILE, table="accounts", count=1, total=3)
    two = Finding("column lost", "up", FILE, table="accounts", column="iban", count=3, total=3)
    text = describe_failure(failed(one, two), RERUN)

    assert text.splitlines()[0] == ("accounts lost 1 of 3 rows (and 1 more)")
    assert "\n\ncolumn accounts.iban is gone\n" in text


def test_a_folder_that_does_not_read_is_told_problem_by_problem() -> None:
    error = CatalogueError(
        [
            Problem(Path("m/1_a.sql"), 3, "unfinished string", "close it with '"),
            Problem(Path("m/2_b.py"), None, "no up(db)", "define up(db)"),
        ]
    )

    assert describe_unreadable(error, "pytest m").splitlines() == [
        "m/1_a.sql:3: unfinished string (and 1 more)",
        "  where       m/1_a.sql:3",
        "  remedy      close it with '",
        "",
        "no up(db)",
        "  where       m/2_b.py",
        "  remedy      define up(db)",
        "  rerun       pytest m",
    ]


def test_what_is_wrong_with_many_files_is_said_once() -> None:
    refused = [Problem(Path(f"m/{at}_a.py"), None, "of Alembic", "run it") for at in range(20)]
    error = CatalogueError([*refused, Problem(Path("m/9.sql"), 3, "a typo", "mend it")])

    text = describe_unreadable(error, "pytest m")

    assert text.splitlines()[:2] == [
        "m/0_a.py: of Alembic (and 20 more)",
        (
            "  where       m/0_a.py, 1_a.py, 2_a.py, 3_a.py, 4_a.py, 5_a.py, 6_a.py, 7_a.py, "
            "8_a.py, 9_a.py,"
        ),
    ]
    assert (text.count("remedy      run it"), text.count("a typo")) == (1, 1)


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (
            Finding("does not run", "up", FILE, observed="no such table: t"),
            "up does not run: no such table: t",
        ),
        (
            Finding("set-up lacks", "up", FILE, name="function norm"),
            "up needs function norm, which is not there",
        ),
        (
            Finding("index lost", "up", FILE, table="t", name="idx_a"),
            "index idx_a on t is gone",
        ),
        (
            Finding("index lost", "down", FILE, table="t", name="idx_a"),
            "index idx_a on t is gone after down",
        ),
        (
            Finding("trigger added", "down", FILE, table="t", name="touch"),
            "trigger touch on t is left behind by down",
        ),
        (
            Finding("column default", "up", FILE, table="t", column="a"),
            "column default of t.a changed",
        ),
        (
            Finding("view broken", "up", FILE, name="v"),
            "view v no longer compiles",
        ),
        (
            Finding("values changed", "up again", FILE, table="t", column="a", count=1, total=4),
            "t.a changed in 1 of 4 rows after up again",
        ),
        (
            Finding("sequence lowered", "up", FILE, table="t", expected="9", observed="4"),
            "the sequence of t fell from 9 to 4",
        ),
    ],
)
def test_a_headline_stands_alone(finding: Finding, line: str) -> None:
    assert headline(finding) == line


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "NULL"),
        (1, "1"),
        (1.0, "1.0"),
        ("1", "'1'"),
        (b"\x00\xff", "x'00ff'"),
        ("x" * 100, "'" + "x" * 27 + " .. " + "x" * 27 + "'"),
    ],
)
def test_a_value_shows_its_type(cell: Cell, text: str) -> None:
    assert show_cell(cell) == text


def test_a_changed_value_is_shown_before_and_after() -> None:
    example = Example((("id", 4),), (("amount", 3),), (("amount", 3.0),))

    assert describe_example(example) == "id=4: 3 -> 3.0"


def test_a_wide_row_is_cut() -> None:
    example = Example((), tuple((f"c{n}", n) for n in range(8)))

    assert describe_example(example) == "c0=0, c1=1, c2=2, c3=3, c4=4, c5=5, .."


def test_a_long_text_keeps_both_ends() -> None:
    assert shorten("abcdefghij" * 3, 14) == "abcde .. fghij"


def test_every_reason_fits_the_width_of_a_terminal() -> None:
    assert [line for text in REASONS.values() for line in text.splitlines() if len(line) > 90] == []


def remedies_of(*findings: Finding) -> list[str]:
    """Return what is said of mending and allowing ``findings``."""
    text = describe_failure(failed(*findings, check="down_restores"), RERUN)
    lines = [line for line in text.splitlines() if not line.startswith(("  where", "  rerun"))]
    starts = [at for at, line in enumerate(lines) if line.startswith("  to ")]
    return [
        line.strip()
        for at, line in enumerate(lines)
        if at in starts or (at - 1 >= starts[0] and line.startswith(" " * 14))
    ]


def unrestored(kind: str, why: str, column: str = "", **more: Any) -> Finding:
    return Finding(kind, "down", FILE, table="t", column=column, count=2, unrestored=why, **more)


def test_that_there_is_no_way_back_is_said_once_and_of_what_and_why() -> None:
    lines = remedies_of(
        unrestored("values changed", "values not kept", "a"),
        unrestored("values changed", "values not kept", "b c"),
        unrestored("rows lost", "rows not kept"),
    )

    keep = "to mend it  have up keep the old values, in a column or a table of its own, and down"
    assert lines == [
        f"{keep} put them back",
        f"{keep} put them back",
        f"{keep.replace('old values, in a column or', 'rows that it takes, in')} put them back",
        "to allow it where nothing can restore it:",
        (
            '-- bb: irreversible because the old values of t.a and t."b c" are kept nowhere, and '
            "the rows that it takes from t are kept nowhere"
        ),
    ]


def test_of_many_columns_that_cannot_be_restored_the_first_are_named() -> None:
    columns = ", ".join("abcde")

    assert remedies_of(unrestored("values changed", "values not kept", columns))[-1] == (
        "-- bb: irreversible because the old values of t.a, t.b, t.c and 2 more are kept nowhere"
    )


def test_a_line_for_python_is_a_comment_of_python() -> None:
    lost = replace(unrestored("rows lost", "rows not kept"), path=FILE.with_suffix(".py"))

    assert remedies_of(lost)[-1].startswith("# bb: irreversible because ")


def test_a_requires_line_is_spoken_of_where_it_may_help() -> None:
    null = (Example((), (("a", None),), (("a", ""),)),)
    changed = unrestored("values changed", "values not kept", "a", may_require=True)

    assert remedies_of(changed)[1:3] == [
        "to allow it where no real row is like these, a requires line of t can say what all are",
        "where nothing can restore it:",
    ]
    assert remedies_of(replace(changed, examples=null))[2].startswith("(NULL passes it")


def test_what_up_left_alone_is_not_to_be_declared_away() -> None:
    spoilt = unrestored("values changed", "values spoilt", "a")

    assert remedies_of(spoilt) == [
        "to mend it  up leaves these values as they are: down must do so too"
    ]


def test_a_way_back_that_can_be_mended_is_not_to_be_declared_away() -> None:
    changed = Finding(
        "values changed", "down", FILE, table="t", column="a", count=2, cause="integer division"
    )

    assert "to allow it" not in describe_failure(failed(changed, check="down_restores"), RERUN)


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (
            "up_applies",
            "  the rest    was judged on all rows but 3 of trips, on which up does not run",
        ),
        ("data_survives", "  judged on   all rows but 3 of trips, on which up does not run"),
    ],
)
def test_which_rows_were_judged_is_said_beside_whose_they_are(check: str, line: str) -> None:
    verdict = failed(Finding("rows lost", "up", FILE, table="trips", count=1), check=check)
    narrowed = replace(verdict, narrowed="all rows but 3 of trips, on which up does not run")

    shown = describe_failure(narrowed, RERUN).splitlines()

    assert shown[-3].startswith("  rows        generated")
    assert shown[-2] == line
