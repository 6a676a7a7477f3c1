from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.report.summary import (
    UP_CHECKS,
    Result,
    describe_briefly,
    describe_header,
    describe_results,
    read_result,
    result_properties,
)
from pytest_bbmigrate.verdict import CHECKS, DOWN_CHECKS, Outcome, Verdict

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def results_of(name: str, **outcomes: str) -> list[Result]:
    """Return a result for each check of a migration, passed but for ``outcomes``."""
    return [
        Result(name, check, outcomes.get(check, PASSED), rows=20, values=100) for check in CHECKS
    ]


def test_every_check_is_of_the_way_forward_or_the_way_back() -> None:
    assert (*UP_CHECKS, *DOWN_CHECKS) == CHECKS


def test_what_passed_every_check_is_proved_forward_and_back() -> None:
    lines = describe_results([*results_of("001_a"), *results_of("002_b")])

    assert lines == (
        "2 migrations proved forward, 2 of them back",
        "on up to 20 rows, 1,200 values compared",
    )


def test_what_has_no_way_back_is_proved_forward_alone() -> None:
    skips = [
        Result("002_b", check, SKIPPED, reason="no down part is written") for check in DOWN_CHECKS
    ]

    lines = describe_results([*results_of("001_a"), *results_of("002_b")[:4], *skips])

    assert lines[0] == "2 migrations proved forward, 1 of them back"
    assert lines[2:] == ("skipped: no down part is written: 002_b",)


@pytest.mark.parametrize("check", UP_CHECKS)
@pytest.mark.parametrize("outcome", [FAILED, SKIPPED])
def test_what_missed_one_check_of_the_way_forward_is_not_proved(check: str, outcome: str) -> None:
    lines = describe_results([*results_of("001_a"), *results_of("002_b", **{check: outcome})])

    assert lines[0] == "1 of 2 migrations proved forward, 1 of them back"


@pytest.mark.parametrize("check", DOWN_CHECKS)
def test_what_missed_one_check_of_the_way_back_is_not_proved_back(check: str) -> None:
    lines = describe_results(results_of("001_a", **{check: FAILED}))

    assert lines[0] == "1 migration proved forward, 0 of them back"
    assert lines[2:] == (f"failed: 001_a: {check}",)


def test_nothing_proved_has_no_way_back_to_count() -> None:
    lines = describe_results(results_of("001_a", up_applies=FAILED))

    assert lines[0] == "0 of 1 migration proved forward"


def test_what_was_asked_in_part_proves_nothing() -> None:
    lines = describe_results([*results_of("001_a"), Result("002_b", "up_applies", PASSED)])

    assert lines[:2] == (
        "1 migration proved forward, 1 of them back",
        "1 migration asked in part",
    )


def test_the_folder_alone_is_no_migration() -> None:
    results = [Result("migrations", "catalogue_reads", FAILED)]

    assert describe_results(results) == (
        "no migration was asked about",
        "failed: migrations: catalogue_reads",
    )


def test_a_migration_that_failed_is_one_line() -> None:
    results = results_of("001_a", data_survives=FAILED, down_restores=FAILED)

    assert describe_results(results)[2:] == ("failed: 001_a: data_survives, down_restores",)


def test_skips_are_gathered_by_their_reason() -> None:
    results = [
        *(Result(f"00{n}", "down_restores", SKIPPED, reason="irreversible") for n in range(1, 8)),
        *(Result(f"00{n}", "up_repeats", SKIPPED, reason="irreversible") for n in range(1, 8)),
        Result("009", "data_survives", SKIPPED, reason="no rows in t"),
    ]

    assert describe_results(results)[1:] == (
        "skipped: irreversible: 001, 002, 003, 004 and 3 more",
        "skipped: no rows in t: 009",
    )


def test_five_names_need_no_more() -> None:
    results = [Result(name, "up_repeats", SKIPPED, reason="r") for name in "abcde"]

    assert describe_results(results)[1:] == ("skipped: r: a, b, c, d, e",)


def test_a_note_is_said_once_for_all_that_it_holds_for() -> None:
    note = "old values are not restored"
    results = [Result(name, "down_restores", PASSED, notes=(note,)) for name in ("001_a", "002_b")]

    assert describe_results(results)[1:] == (f"note: 001_a, 002_b: {note}",)


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (9, "note: 001_a: note 8"),
        (10, "and 2 more notes; --junitxml lists all"),
    ],
)
def test_more_notes_than_a_screen_holds_are_counted(count: int, last: str) -> None:
    notes = tuple(f"note {n}" for n in range(count))

    lines = describe_results([Result("001_a", "up_applies", PASSED, notes=notes)])

    assert len(lines) == 10
    assert lines[-1] == last


@pytest.mark.parametrize(
    ("unjudged", "line"),
    [
        (1, "1 earlier migration ran unjudged, as bb_check_from says"),
        (41, "41 earlier migrations ran unjudged, as bb_check_from says"),
    ],
)
def test_what_ran_unjudged_is_said(unjudged: int, line: str) -> None:
    assert describe_results(results_of("042_x"), unjudged, says="bb_check_from")[2:] == (line,)


@pytest.mark.parametrize(("unjudged", "line"), [(1, "1 applied migration"), (2, "2 applied *s")])
def test_what_ran_unjudged_because_it_is_applied_is_said(unjudged: int, line: str) -> None:
    (shown,) = describe_results(results_of("042_x"), unjudged)[2:]

    assert shown == f"{line.replace(' *s', ' migrations')} ran unjudged"


def test_in_brief_it_is_one_line() -> None:
    results = [*results_of("001_a"), *results_of("002_b", up_applies=FAILED)]

    assert describe_briefly(results) == (
        "1 of 2 migrations proved forward, 1 of them back; 1 check failed; "
        "on up to 20 rows, 1,200 values compared"
    )


def test_in_brief_what_did_not_fail_is_not_counted() -> None:
    assert describe_briefly(results_of("001_a")) == (
        "1 migration proved forward, 1 of them back; on up to 20 rows, 600 values compared"
    )


def test_the_header_says_what_is_checked_on_what() -> None:
    assert describe_header(Path("migrations"), 22, 200, 20260101, "SQLite 3.40.1", "run as d1") == (
        "bbmigrate: migrations, 22 migrations, 200 rows in each table, seed 20260101, "
        "SQLite 3.40.1, run as d1"
    )


def test_the_header_says_how_many_are_judged_where_not_all_are() -> None:
    assert "22 migrations, 0 of them to be judged, 200 rows" in describe_header(
        Path("migrations"), 22, 200, 1, "SQLite 3.40.1", "run as d1", 0
    )


def test_a_result_survives_its_way_from_a_worker() -> None:
    verdict = Verdict(
        "data_survives", "001_a", Outcome.PASSED, notes=("one", "two"), rows=20, values=100
    )

    properties = result_properties("001_a", "data_survives", verdict)

    assert all(isinstance(value, str | int) for _, value in properties)
    assert read_result(properties, PASSED, "") == Result(
        "001_a", "data_survives", PASSED, "", 20, 100, ("one", "two")
    )


def test_a_check_that_gave_no_verdict_has_a_result() -> None:
    properties = result_properties("001_a", "up_applies")

    assert read_result(properties, FAILED, "") == Result("001_a", "up_applies", FAILED)


def test_another_item_has_no_result() -> None:
    assert read_result([("colour", "red")], PASSED, "") is None
