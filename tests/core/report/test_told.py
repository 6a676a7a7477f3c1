"""What checks found, sorted into faults and lines to declare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pytest_bbmigrate.report.told import Told, from_plain, sort_out, to_plain, told_of
from pytest_bbmigrate.verdict import Finding, Outcome, Verdict

UP = Path("migrations/002_b.sql")
CHANGED = Finding(
    "values changed",
    "up",
    UP,
    3,
    table="t",
    column="c",
    count=2,
    total=9,
    allow="-- bb: changes t.c",
)
BACK = Finding(
    *("values changed", "down", UP),
    table="t",
    column="c",
    count=2,
    total=9,
    unrestored="values not kept",
)


def told(check: str, *findings: Finding, position: int = 1) -> Told:
    verdict = Verdict(check, "002_b", Outcome.FAILED, findings, unneeded=("drops x",))
    return told_of(verdict, position, "002_b", "002_b.sql")


def test_what_was_found_travels_as_plain_values() -> None:
    found = told("data_survives", CHANGED)

    assert from_plain(json.loads(json.dumps(to_plain(found)))) == found
    (only,) = found.found
    assert (only.headline, only.place) == ("t.c changed in 2 of 9 rows", "migrations/002_b.sql:3")
    assert only.declares == "changes t.c"


def test_what_a_line_allows_is_to_be_declared_and_all_else_is_a_fault() -> None:
    broken = Finding("view broken", "up", UP, name="v")

    faults, declared = sort_out([told("schema_survives", broken), told("data_survives", CHANGED)])

    assert [(each.told.check, each.found.kind) for each in faults] == [
        ("schema_survives", "view broken")
    ]
    assert [each.line for each in declared] == ["changes t.c"]


def test_a_line_that_two_findings_want_is_declared_once() -> None:
    other = Finding("column default", "up", UP, table="t", allow=CHANGED.allow)

    _, (line,) = sort_out([told("data_survives", CHANGED), told("schema_survives", other)])

    assert [found.kind for found in line.found] == ["values changed", "column default"]


def test_a_way_back_that_cannot_restore_is_irreversible_because_of_what_is_not_kept() -> None:
    raises = Finding(
        *("does not run", "down", UP),
        observed="NotImplementedError: no way back",
        allow="# bb: irreversible because the down part itself says that there is none",
    )

    _, (line,) = sort_out([told("down_restores", BACK)])
    _, (other,) = sort_out([told("down_restores", raises)])

    assert line.line == "irreversible because the old values of t.c are kept nowhere"
    assert other.line == "irreversible because the down part itself says that there is none"


def test_one_irreversible_line_is_for_all_that_has_no_way_back() -> None:
    lost = replace(BACK, kind="rows lost", column="", unrestored="rows not kept")

    _, (line,) = sort_out([told("down_restores", BACK, lost)])

    assert len(line.found) == 2
    assert line.line == (
        "irreversible because the old values of t.c are kept nowhere, and the rows that it takes "
        "from t are kept nowhere"
    )


def test_what_down_spoils_of_what_up_left_alone_is_a_fault() -> None:
    spoilt = replace(BACK, unrestored="values spoilt")

    faults, declared = sort_out([told("down_restores", spoilt)])

    assert ([fault.found.kind for fault in faults], declared) == (["values changed"], [])


def test_no_fault_of_the_way_back_is_hidden_by_irreversible() -> None:
    written = Finding("written rows lost", "down after writing", UP, table="t", count=1, total=1)

    faults, declared = sort_out(
        [told("down_restores", BACK), told("up_repeats", written), told("data_survives", CHANGED)]
    )

    assert [fault.found.kind for fault in faults] == ["values changed", "written rows lost"]
    assert [each.line for each in declared] == ["changes t.c"]


def test_what_comes_back_otherwise_of_a_dropped_column_is_left_to_that_line() -> None:
    lost = Finding("column lost", "up", UP, table="t", column="c", allow="-- bb: drops t.c")

    faults, (line,) = sort_out([told("down_restores", BACK), told("data_survives", lost)])

    assert (faults, line.line, len(line.found)) == ([], "drops t.c", 2)


def test_lines_come_in_the_order_of_the_migrations() -> None:
    later, earlier = told("data_survives", CHANGED, position=7), told("data_survives", CHANGED)

    assert [each.told.position for each in sort_out([later, earlier])[1]] == [1, 7]
