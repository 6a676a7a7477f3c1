"""Migrations that are not judged run all the same, and where rows stop one, without these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge_catalogue
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import Outcome
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from pathlib import Path

TRIPS = "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
ON_NO_ROWS = (
    "-- bb: deletes nowhere\nCREATE TABLE none (id CHECK (id IS NULL));\n"
    "INSERT INTO none SELECT id FROM trips;\n"
    "INSERT INTO trips VALUES (1, 'of its own');"
)
ADDS = "ALTER TABLE trips ADD COLUMN memo TEXT;"
NEVER = "INSERT INTO nowhere VALUES (1);"


def chain_of(folder: Path, second: str, *unjudged: str) -> Chain:
    files = {"001_a.sql": TRIPS, "002_b.sql": second, "003_c.sql": ADDS}
    catalogue = read_catalogue(write(folder, files))
    return Chain(catalogue, Recipe(rows=7), RunEnvironment(), unjudged=frozenset(unjudged))


def test_the_state_after_it_is_made_without_the_rows_that_it_refuses(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, ON_NO_ROWS, "001_a", "002_b")

    evidence = chain.evidence(2)

    assert evidence.up.succeeded
    assert evidence.state.row_counts["trips"] >= 7
    assert set(evidence.state.row_counts) == {"trips", "none"}


def test_a_state_is_unreachable_if_its_migration_fails_on_no_rows_too(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER, "001_a", "002_b")

    with pytest.raises(StateUnreachable, match="002_b does not apply"):
        chain.evidence(2)


@pytest.mark.parametrize(
    ("unjudged", "outcome"), [(("001_a", "002_b"), Outcome.PASSED), ((), Outcome.FAILED)]
)
def test_the_contract_of_an_unjudged_migration_is_not_checked(
    tmp_path: Path, unjudged: tuple[str, ...], outcome: Outcome
) -> None:
    chain = chain_of(tmp_path, "-- bb: deletes nowhere\nSELECT 1;", *unjudged)

    assert judge_catalogue(chain).outcome is outcome
