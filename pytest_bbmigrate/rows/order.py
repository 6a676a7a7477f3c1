"""The order in which SQLite sorts keys under BINARY."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.rows.model import Key
    from pytest_bbmigrate.sql.values import Cell

    Rank = tuple[tuple[int, int | float | bytes], ...]
    Ranking = Callable[[Key], Rank]

NUMBER, TEXT, BLOB = 1, 2, 3
CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


def ranking(encoding: str) -> Ranking:
    """Return a function from keys to what they sort by, in a database of that text ``encoding``.

    NULL sorts before numbers, numbers before texts and texts before blobs
    (https://sqlite.org/datatype3.html, 4.1). Texts are compared by the bytes they are stored as.
    """
    codec = CODECS[encoding]
    errors = "surrogateescape" if codec == "utf-8" else "surrogatepass"

    def rank(cell: Cell) -> tuple[int, int | float | bytes]:
        if cell is None:
            return 0, 0
        if isinstance(cell, str):
            return TEXT, cell.encode(codec, errors)
        return (BLOB, cell) if isinstance(cell, bytes) else (NUMBER, cell)

    return lambda key: tuple(map(rank, key))
