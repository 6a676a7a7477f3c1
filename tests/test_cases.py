"""Every fault of the collection fails the one check it should; every near miss passes all."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.report.headlines import HEADLINES
from pytest_bbmigrate.schema.compare.differences import KINDS
from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, Outcome
from tests.cases import Case, expected_failures, failures, judge_case, read_cases
from tests.depth import every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.verdict import Verdict

ALL = read_cases()
# catalogue_reads prints no line, and under strict it is rows that are wanted.
FAULTS = [case for case in ALL if case.fails and case.fails != CATALOGUE_CHECK and not case.strict]
# What stands in a template in the place of a name: no failure prints one, for the names are known.
PLACE = re.compile(r"bb: .*\b(TABLE|COLUMN|CONDITION|EXPR|EXPRESSION|NAME|NEW_NAME|REASON)\b")
PRINTED = re.compile(r"(?:^|the line:  )(?P<line>(?:--|#) bb: \S.*)$")
NO_TRANSACTION = "no-transaction"  # which sqlx reads on the first line alone
MOST_ROUNDS = 3  # a line may bring out what another is for


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


def lines_for(verdicts: Iterable[Verdict]) -> list[str]:
    """Return each contract line that is printed with what failed, as it is printed."""
    texts = [describe_failure(each, "") for each in verdicts if each.outcome is Outcome.FAILED]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    printed = [PRINTED.search(line) for line in lines]
    return list(dict.fromkeys(match["line"] for match in printed if match))


def with_lines(case: Case, lines: Sequence[str], folder: Path) -> Case:
    """Return a copy of ``case`` in ``folder`` whose last migration begins with ``lines``."""
    shutil.copytree(case.folder, folder, dirs_exist_ok=True)
    path = read_catalogue(folder / "migrations").migrations[-1].path
    first, newline, rest = path.read_text().partition("\n")
    above, below = (f"{first}\n", rest) if NO_TRANSACTION in first else ("", first + newline + rest)
    path.write_text(above + "".join(f"{line}\n" for line in lines) + below)
    return replace(case, folder=folder)


@pytest.mark.parametrize("case", every(4, FAULTS), ids=attrgetter("name"))
def test_whoever_adds_every_line_that_is_printed_is_told_of_nothing_that_a_line_allows(
    case: Case, tmp_path: Path
) -> None:
    lines = lines_for(judge_case(case))
    for _ in range(MOST_ROUNDS if lines else 0):
        followed = with_lines(case, lines, tmp_path)
        verdicts = judge_case(followed)
        more = lines_for(verdicts)
        if not more:
            break
        lines += more

    assert not lines or more == []


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
