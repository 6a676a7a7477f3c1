"""How deep a run looks: it is quick, unless it has ``--hypothesis-profile=full``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

QUICK, FULL = "quick", "full"
EXAMPLES = 25  # of a property, in a quick run


def register_profiles() -> None:
    """Tell Hypothesis of both depths; a run is quick unless it says otherwise."""
    settings.register_profile(QUICK, max_examples=EXAMPLES, deadline=None)
    settings.register_profile(FULL, max_examples=100, deadline=None)  # a busy machine is no fault
    settings.load_profile(QUICK)


def in_full(amount: int, *, quick: int = EXAMPLES) -> int:
    """Return ``amount`` in a full run, and ``quick`` in any other."""
    return amount if settings.get_current_profile_name() == FULL else quick


def every(number: int, values: Iterable[T]) -> list[T]:
    """Return all ``values`` in a full run, and every ``number``-th, from the first, in any other.

    They are more of a kind, each dear to try.
    """
    return [*values][:: in_full(1, quick=number)]
