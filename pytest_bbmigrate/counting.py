"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number of things, as in '1 row' and '1,200 rows'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
