"""Every fault of the collection fails the one check it should; every near miss passes all."""

from __future__ import annotations

import re

import pytest

from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.report.headlines import HEADLINES
from pytest_bbmigrate.schema.compare.differences import KINDS
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome
from tests.cases import Case, expected_failures, failures, judge_case, read_cases

ALL = read_cases()
# What stands in a template in the place of a name: no failure prints one, for the names are known.
PLACE = re.compile(r"bb: .*\b(TABLE|COLUMN|CONDITION|EXPR|EXPRESSION|NAME|NEW_NAME|REASON)\b")


def templates_in(text: str) -> list[str]:
    """Return the contract lines in ``text`` that cannot be copied as they are."""
    return [line for line in text.splitlines() if PLACE.search(line)]


def test_a_line_with_a_place_for_a_name_is_found() -> None:
    assert templates_in("why\n  -- bb: requires t: CONDITION\n  -- bb: drops t") == [
        "  -- bb: requires t: CONDITION"
    ]


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_case_fails_the_check_it_should_and_only_that(case: Case) -> None:
    verdicts = judge_case(case)

    assert failures(verdicts) == expected_failures(case)
    if case.fails:
        failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAILED]
        assert case.finding in {finding.kind for finding in failed[0].findings}
        assert [line for each in failed for line in templates_in(describe_failure(each, ""))] == []


@pytest.mark.parametrize("kind", sorted({*HEADLINES, *KINDS}))
def test_every_kind_of_finding_has_a_fault_and_a_near_miss(kind: str) -> None:
    cases = [case for case in ALL if case.finding == kind]

    assert any(case.fails for case in cases)
    assert any(not case.fails for case in cases)


@pytest.mark.parametrize("check", [CATALOGUE_CHECK, *CHECKS])
def test_every_check_has_a_case_that_trips_it_and_a_near_miss(check: str) -> None:
    folders = [case for case in ALL if case.name.split("/")[0] == check]

    assert any(case.fails == check for case in folders)
    assert any(not case.fails for case in folders)
