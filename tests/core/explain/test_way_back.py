"""What is advised where down does not restore: followed to the letter, it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.verdict import Finding

NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, at TEXT, cents INTEGER);\n"
    "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, kind TEXT);\n"
)
STAMPED = (
    "CREATE TRIGGER stamp AFTER UPDATE OF text ON notes BEGIN\n"
    "UPDATE notes SET at = datetime('now') WHERE id = NEW.id; END;\n"
)


def both(up: str, down: str, *lines: str) -> str:
    contract = "".join(f"-- bb: {line}\n" for line in lines)
    return f"{contract}-- migrate:up\n{up}\n-- migrate:down\n{down}\n"


def found_in(folder: Path, step: str, first: str = NOTES) -> dict[str, Finding]:
    """Return what down_restores finds after down, by the column that it is about."""
    findings = judge_last("down_restores", chain_of(folder, first, step, rows=60)).findings
    return {finding.column: finding for finding in findings if finding.step == "down"}


NULLED = "UPDATE notes SET at = NULL;"


@pytest.mark.parametrize(
    ("down", "may_require"),
    [
        ("UPDATE notes SET at = 'x';", True),
        ("UPDATE notes SET at = date('2026-01-01');", True),
        ("UPDATE notes SET at = datetime('now');", False),
        ("UPDATE notes SET at = strftime('%s', 'NOW');", False),
        ("UPDATE notes SET at = date();", False),
        ("UPDATE notes SET at = CURRENT_TIMESTAMP;", False),
        ("UPDATE notes SET (at, text) = (lower(hex(randomblob(8))), text);", False),
        # What is written into other columns, or tables, is none of it.
        ("UPDATE notes SET at = 'x'; UPDATE log SET kind = random();", True),
    ],
)
def test_a_requires_line_can_help_only_where_a_row_can_have_had_what_down_writes(
    tmp_path: Path,
    down: str,
    may_require: bool,  # noqa: FBT001 - the other half of a row
) -> None:
    found = found_in(tmp_path, both(NULLED, down, "changes notes.at"))["at"]

    assert (found.unrestored, found.may_require) == ("values not kept", may_require)


def test_no_requires_line_helps_a_row_that_comes_back_with_the_time_of_day(tmp_path: Path) -> None:
    step = both(
        "DELETE FROM log WHERE id = 7;",
        "INSERT INTO log (id, kind) VALUES (7, 'old');",
        "deletes log",
    )
    found = found_in(tmp_path, step)

    assert {name: each.may_require for name, each in found.items()} == {"at": False, "kind": False}
    assert {each.unrestored for each in found.values()} == {"values not kept"}


def test_a_trigger_that_asks_the_clock_counts_as_well(tmp_path: Path) -> None:
    step = both(
        "UPDATE notes SET text = upper(text), at = NULL;",
        "UPDATE notes SET text = text || '', at = 'x';",
        "changes notes.text, notes.at",
    )
    found = found_in(tmp_path, step, NOTES + STAMPED)["at"]

    assert (found.unrestored, found.may_require) == ("values not kept", False)


@pytest.mark.parametrize(
    ("down", "unrestored"),
    [
        ("UPDATE notes SET cents = 7;", "values spoilt"),
        ("DELETE FROM notes WHERE cents > 3; INSERT INTO log (kind) VALUES ('x');", "rows spoilt"),
        ("INSERT INTO notes (text) VALUES ('x');", "rows put in"),
    ],
)
def test_what_up_left_alone_is_for_down_to_leave_alone(
    tmp_path: Path, down: str, unrestored: str
) -> None:
    step = both("UPDATE notes SET at = 'x' WHERE 1 = 0;", down)
    verdict = judge_last("down_restores", chain_of(tmp_path, NOTES, step, rows=60))

    assert unrestored in {finding.unrestored for finding in verdict.findings}
    assert "irreversible" not in describe_failure(verdict, "")


def test_rows_that_up_deletes_come_with_the_line_that_says_so(tmp_path: Path) -> None:
    step = both("DELETE FROM log WHERE id < 9;", "SELECT 1;", "deletes log")
    verdict = judge_last("down_restores", chain_of(tmp_path, NOTES, step, rows=60))

    assert [finding.cause for finding in verdict.findings] == ["deleted by up"]
    assert "-- bb: irreversible because the rows that it takes from log are" in describe_failure(
        verdict, ""
    )


@pytest.mark.parametrize(
    ("up", "line"),
    [
        (
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "-- bb: irreversible because no way back is written",
        ),
        (
            "ALTER TABLE notes ADD COLUMN mood TEXT; DELETE FROM log WHERE id < 9;",
            (
                "-- bb: irreversible because the rows that it takes from log are kept nowhere, and "
                "no way back is written"
            ),
        ),
    ],
)
def test_one_line_says_of_an_empty_down_part_too_that_there_is_no_way_back(
    tmp_path: Path, up: str, line: str
) -> None:
    step = both(up, "", "deletes log")
    verdict = judge_last("down_restores", chain_of(tmp_path, NOTES, step, rows=60))
    lines = describe_failure(verdict, "").splitlines()

    assert [each.strip() for each in lines if "bb: irreversible" in each] == [line]


def test_a_table_that_down_leaves_out_is_gone_with_its_rows(tmp_path: Path) -> None:
    step = both("DROP TABLE log;", "SELECT 1;", "drops log")
    verdict = judge_last("down_restores", chain_of(tmp_path, NOTES, step, rows=60))

    assert describe_failure(verdict, "").startswith("table log and its 60 rows are gone after down")


@pytest.mark.parametrize(
    ("up", "down", "line"),
    [
        ("DROP TABLE log;", "CREATE TABLE log (id INTEGER PRIMARY KEY);", "drops log"),
        ("ALTER TABLE log DROP COLUMN k;", "ALTER TABLE log ADD COLUMN k;", "drops log.k"),
    ],
)
def test_what_is_declared_dropped_may_come_back_without_what_it_held(
    tmp_path: Path, up: str, down: str, line: str
) -> None:
    kind = "" if line == "drops log" else ", k"
    chain = chain_of(
        tmp_path, f"CREATE TABLE log (id INTEGER PRIMARY KEY{kind});", both(up, down, line)
    )

    assert judge_last("down_restores", chain).outcome is Outcome.PASSED


COUNTED = "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"


def test_the_sequence_of_a_table_that_is_dropped_as_declared_has_a_line(tmp_path: Path) -> None:
    step = both("DROP TABLE counted;", COUNTED, "drops counted")
    (found,) = judge_last("down_restores", chain_of(tmp_path, COUNTED, step)).findings
    assert found.allow == "-- bb: alters sequence counted"

    followed = chain_of(tmp_path, COUNTED, f"{found.allow}\n{step}").evidence(1)

    assert {judge(check, followed).outcome for check in CHECKS} == {Outcome.PASSED}


def test_a_sequence_is_set_again_where_the_table_has_no_row_of_it(tmp_path: Path) -> None:
    step = both(
        "CREATE TABLE kept AS SELECT * FROM counted; CREATE TABLE was AS SELECT seq FROM"
        " sqlite_sequence WHERE name = 'counted'; DROP TABLE counted;",
        f"{COUNTED} {{}} DROP TABLE kept; DROP TABLE was;",
        "drops counted",
        "deletes counted",
    )
    again = "INSERT INTO counted SELECT * FROM kept;"
    lower = judge_last("down_restores", chain_of(tmp_path, COUNTED, step.format(again)))
    with_row = "INSERT INTO sqlite_sequence SELECT 'counted', seq FROM was;"
    set_again = judge_last("down_restores", chain_of(tmp_path, COUNTED, step.format(with_row)))

    assert [finding.kind for finding in lower.findings] == ["sequence lowered"]
    assert "sequence lowered" not in [finding.kind for finding in set_again.findings]


FOLLOWED = [
    # to mend it: up keeps the old values, down puts them back
    both(
        f"CREATE TABLE kept AS SELECT id, at FROM notes; {NULLED}",
        "UPDATE notes SET at = (SELECT at FROM kept WHERE kept.id = notes.id)"
        " WHERE id IN (SELECT id FROM kept); DROP TABLE kept;",
        "changes notes.at",
    ),
    # to mend it: up keeps the rows that it takes
    both(
        "CREATE TABLE kept AS SELECT * FROM notes WHERE cents > 9;"
        "DELETE FROM notes WHERE cents > 9;",
        "INSERT INTO notes SELECT * FROM kept; DROP TABLE kept;",
        "deletes notes where cents > 9",
    ),
    # to mend it: down deletes the rows that up puts in
    both(
        "INSERT INTO notes (id, text) VALUES (3000, 'x');",
        "DELETE FROM notes WHERE id = 3000;",
        "inserts notes",
    ),
    # to allow it: a requires line
    both(
        "UPDATE notes SET text = 'Tea' WHERE text = 'Coffee';",
        "UPDATE notes SET text = 'Coffee' WHERE text = 'Tea';",
        "changes notes.text where text = 'Coffee'",
        "requires notes: text <> 'Tea'",
    ),
    both(
        "UPDATE notes SET cents = abs(cents);",
        "UPDATE notes SET cents = -cents;",
        "changes notes.cents",
        "requires notes: cents <= 0",
    ),
    both(
        "UPDATE notes SET at = NULL WHERE at = '';",
        "UPDATE notes SET at = '' WHERE at IS NULL;",
        "changes notes.at",
        "requires notes: at IS NOT NULL",
    ),
]


@pytest.mark.parametrize("step", FOLLOWED)
def test_what_is_advised_restores(tmp_path: Path, step: str) -> None:
    chain = chain_of(tmp_path, NOTES, step, rows=60)
    evidence = chain.evidence(1)

    assert {judge(check, evidence).outcome for check in CHECKS} == {Outcome.PASSED}


def test_the_line_that_says_there_is_no_way_back_is_taken_as_it_is_printed(tmp_path: Path) -> None:
    step = both(
        "UPDATE notes SET at = NULL, cents = 0; DELETE FROM log WHERE id < 9;",
        "UPDATE notes SET at = datetime('now'), cents = 1; INSERT INTO log VALUES (1, '', '');",
        "changes notes.at, notes.cents",
        "deletes log",
    )
    verdict = judge_last("down_restores", chain_of(tmp_path, NOTES, step, rows=60))
    (line,) = (
        line.strip()
        for line in describe_failure(verdict, "").splitlines()
        if "-- bb: irreversible because" in line
    )
    evidence = chain_of(tmp_path, NOTES, f"{line}\n{step}", rows=60).evidence(1)

    assert {judge(check, evidence).outcome for check in CHECKS} <= {
        Outcome.PASSED,
        Outcome.SKIPPED,
    }
    assert line == (
        "-- bb: irreversible because the old values of notes.at and notes.cents are kept nowhere,"
        " and the rows that it takes from log are kept nowhere"
    )
