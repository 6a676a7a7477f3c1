"""What is drawn from Faker once for each meaning."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.seeding.values import vocabulary
from pytest_bbmigrate.seeding.values.household import make_faker

DRAWS = {**vocabulary._TEXTS, **vocabulary._NUMBERS, **vocabulary._REALS}


@pytest.mark.parametrize("meaning", DRAWS)
def test_a_few_providers_give_what_all_of_them_give(meaning: str) -> None:
    few, every = make_faker(0, vocabulary.KINDS), make_faker(0)
    for each in (few, every):
        each.seed_instance(f"7:{meaning}")

    assert [DRAWS[meaning](few) for _ in range(40)] == [DRAWS[meaning](every) for _ in range(40)]
