"""Every fault of the collection fails the one check it should; every near miss passes all."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.report.headlines import HEADLINES
from pytest_bbmigrate.schema.compare.differences import KINDS
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome
from tests.cases import Case, expected_failures, failures, judge_case, read_cases

ALL = read_cases()


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_case_fails_the_check_it_should_and_only_that(case: Case) -> None:
    verdicts = judge_case(case)

    assert failures(verdicts) == expected_failures(case)
    if case.fails:
        failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAILED]
        assert case.finding in {finding.kind for finding in failed[0].findings}


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
