"""Text that comes from elsewhere, so that it is read and not obeyed.

A name, a value or a message may hold what a terminal takes for an order (ESC), what shows the rest
of a line backwards, or the end of a line that is none. All that is printed goes through here.
"""

from __future__ import annotations

import unicodedata

# Other, control; surrogate; separator of lines; of paragraphs; format, as bidirectional overrides.
ACTING = frozenset({"Cc", "Cs", "Zl", "Zp", "Cf"})
JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji
LAYOUT = "\n\t"


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
