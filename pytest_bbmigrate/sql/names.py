"""When SQLite takes two names for the same, and how a name is written into SQL.

SQLite folds the letters A to Z and no others (``sqlite3StrICmp``,
https://sqlite.org/src/file/src/util.c): ``"Été"`` and ``"ÉtÉ"`` are two names, and so are
``"größe"`` and ``"GRÖSSE"``; ``"ÉT"`` and ``"Ét"`` are one. Python's ``str.casefold`` and
``str.lower`` take all of these for one.
"""

from __future__ import annotations

from functools import lru_cache

ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}  # for str.translate
ROWID_NAMES = ("rowid", "oid", "_rowid_")  # https://sqlite.org/rowidtable.html
KEPT_NAMES = 8192  # whose forms are kept: the names of a schema are asked for again and again


def fold_text(text: str) -> str:
    """Return ``text`` folded as a name is: a statement, or a value, of whatever length."""
    return text.lower() if text.isascii() else text.translate(ASCII_LOWER)


@lru_cache(maxsize=KEPT_NAMES)
def fold_name(name: str) -> str:
    """Return ``name`` folded: equal for all spellings of one name.

    The result is still a spelling of it: quoted in SQL, it means what ``name`` means.
    """
    return fold_text(name)


def same_name(one: str, other: str) -> bool:
    """Return whether SQLite takes both for the same name."""
    return fold_name(one) == fold_name(other)


@lru_cache(maxsize=KEPT_NAMES)
def quote_name(name: str) -> str:
    """Return ``name`` as an SQL identifier, always in double quotes."""
    return '"' + name.replace('"', '""') + '"'
