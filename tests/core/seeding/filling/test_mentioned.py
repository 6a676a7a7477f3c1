"""What migrations say of values is worked out once for recipes that say the same."""

from __future__ import annotations

from dataclasses import replace

from pytest_bbmigrate.seeding.filling.mentioned import mentioned_values
from pytest_bbmigrate.seeding.model import Recipe, exact_key

SAYING = Recipe(literals=(("a", 1), (None, "x")), expected_literals=(("a", 0.0),))


def test_equal_recipes_share_what_they_say() -> None:
    same = replace(SAYING, literals=(("a", 1), (None, "x")), rows=7)

    assert mentioned_values(same) is mentioned_values(SAYING)


def test_another_seed_shares_nothing() -> None:
    assert mentioned_values(replace(SAYING, seed=2)) is not mentioned_values(SAYING)


def test_what_is_equal_to_python_alone_is_told_apart() -> None:
    real = replace(SAYING, literals=(("a", 1.0), (None, "x")))
    negative = replace(SAYING, expected_literals=(("a", -0.0),))

    assert mentioned_values(SAYING).literals["a"] == (1,)
    assert exact_key(mentioned_values(real).literals["a"][0]) == exact_key(1.0)
    assert exact_key(mentioned_values(negative).expected_literals["a"][0]) == exact_key(-0.0)
