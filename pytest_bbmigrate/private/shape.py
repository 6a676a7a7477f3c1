"""The kind of a value in place of the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

SHAPE = re.compile(r"<(?:integer|real|(?:text|blob) of \d+)>")


class Shape(str):
    """What kind of value stood there; shown as it is, where a text is shown in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


INTEGER = Shape("<integer>")


def shape_of(cell: Cell) -> Cell:
    """Return what kind of value a cell is, and how long; NULL has nothing to hide.

    A kind stays one, also where another process has said it, as a text.
    """
    if cell is None:
        return None
    if isinstance(cell, str):
        return Shape(cell if SHAPE.fullmatch(cell) else f"<text of {len(cell)}>")
    if isinstance(cell, bytes):
        return Shape(f"<blob of {len(cell)}>")
    return Shape("<real>") if isinstance(cell, float) else INTEGER
