"""Flags that were stored as words, as some libraries do in a column declared BOOLEAN. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.sql.values import Cell

OPPOSITES = {
    "t": "f",
    "true": "false",
    "y": "n",
    "yes": "no",
    "on": "off",
    "1": "0",
}
OPPOSITES |= {no: yes for yes, no in OPPOSITES.items()}


def flag_texts(mentioned: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return the words for yes and no among ``mentioned`` values, each with its opposite.

    Only where migrations say that a column holds such words does it hold them.
    """
    words = [value for value in mentioned if isinstance(value, str)]
    found: dict[Cell, None] = {}
    for word in words:
        opposite = OPPOSITES.get(fold_name(word))
        if opposite is not None:
            found |= {word: None, opposite.upper() if word.isupper() else opposite: None}
    return tuple(found)
