"""The kind of a value, to be shown in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

VALUE_KIND = re.compile(r"<(?:integer|real|(?:text|blob) of \d+)>")


class ValueKind(str):
    """The kind of a value, such as '<text of 5>'; unlike a text it is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


INTEGER = ValueKind("<integer>")


def as_kind(cell: Cell) -> Cell:
    """Return ``cell``, one that says a kind as that kind: on its way it became a mere text."""
    is_kind = isinstance(cell, str) and VALUE_KIND.fullmatch(cell)
    return ValueKind(cell) if is_kind else cell


def kind_of_value(cell: Cell) -> Cell:
    """Return the kind and length of a cell; of NULL, which hides nothing, NULL itself.

    A text that says a kind already, as it comes from another process, stays that kind.
    """
    if cell is None:
        return None
    if isinstance(cell, str):
        return ValueKind(cell if VALUE_KIND.fullmatch(cell) else f"<text of {len(cell)}>")
    if isinstance(cell, bytes):
        return ValueKind(f"<blob of {len(cell)}>")
    return ValueKind("<real>") if isinstance(cell, float) else INTEGER
