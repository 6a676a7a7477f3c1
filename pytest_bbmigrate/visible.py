"""Text that comes from elsewhere, so that it is read and not obeyed.

A name, a value or a message may hold what a terminal takes for an order (ESC), what shows the rest
of a line backwards, or the end of a line that is none. All that is printed goes through here.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Other, control; surrogate; separator of lines; of paragraphs; format, as bidirectional overrides.
ACTING = frozenset({"Cc", "Cs", "Zl", "Zp", "Cf"})
JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji
LAYOUT = "\n\t"
MOST_LINES = 12  # in a list of names or differences


def visible(text: str) -> str:
    """Return ``text`` with whatever is no letter but acts as Python writes it, ESC say.

    The ends of its lines and tabulators stay; what went through here before stays as it is.
    """
    return text if text.isprintable() else "".join(_shown(each, LAYOUT) for each in text)


def visible_line(text: str) -> str:
    """Return ``text``, a name say, as ``visible`` does, in one line."""
    return text if text.isprintable() else "".join(_shown(each, "") for each in text)


def _shown(character: str, kept: str) -> str:
    acts = unicodedata.category(character) in ACTING
    if not acts or character in kept or character in JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def first_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the first of many lines, and how many more there are."""
    if len(lines) > MOST_LINES:
        return (*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more")
    return tuple(lines)
