"""The values that SQLite stores, as Python has them."""

from __future__ import annotations

Cell = None | int | float | str | bytes
