"""Text from elsewhere, made safe to print: control characters are shown as Python escapes them.

A name, a value or a message may hold a terminal's command (ESC), reverse the rest of its line, or
end a line early. All that is printed goes through here.
"""

from __future__ import annotations

import os
import shlex
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Other, control; surrogate; separator of lines; of paragraphs; format, as bidirectional overrides.
CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp", "Cf"})
JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji
LAYOUT = "\n\t"
MOST_LINES = 12  # in a list of names or differences


def visible(text: str) -> str:
    """Return ``text`` with control characters escaped, but for line ends and tabulators.

    Text that was made visible before stays as it is.
    """
    return text if text.isprintable() else "".join(_shown(each, LAYOUT) for each in text)


def visible_line(text: str) -> str:
    """Return ``text``, a name for example, as ``visible`` does, and in one line."""
    return text if text.isprintable() else "".join(_shown(each, "") for each in text)


def typed(word: str) -> str:
    r"""Return ``word`` as it is typed in a shell, so that it can be copied from what is printed.

    What acts, and a byte that is no letter, is written as bash and zsh read it: ``$'\x1b'``.
    """
    if visible_line(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_typed_byte, os.fsencode(word))) + "'"


def _typed_byte(byte: int) -> str:
    is_plain = 0x20 <= byte < 0x7F and byte not in b"'\\"
    return chr(byte) if is_plain else f"\\x{byte:02x}"


def _shown(character: str, kept: str) -> str:
    is_control = unicodedata.category(character) in CONTROL_CATEGORIES
    if not is_control or character in kept or character in JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def first_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the first of many lines, and a line on how many more there are."""
    if len(lines) > MOST_LINES:
        return (*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more")
    return tuple(lines)
