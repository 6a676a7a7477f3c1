"""Which of the names that there are may be meant by one that there is not.

``difflib`` is imported where it is needed: most runs have nothing to ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALIKE = 0.6


def nearest_of(name: str, names: Iterable[str], *, most: int = 1) -> list[str]:
    """Return the ``most`` of ``names`` that are likest ``name``, however little they are."""
    from difflib import get_close_matches

    return get_close_matches(name, list(names), n=most, cutoff=0.0)


def similar_to(name: str, names: Iterable[str], *, least: float = ALIKE) -> str:
    """Return the one of ``names`` that may be meant by ``name``; '' where none is like it.

    ``least`` is how much of the two is to be the same, from 0 to 1.
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(names), n=1, cutoff=least)), "")
