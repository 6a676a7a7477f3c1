"""When SQLite takes two names for the same, and how a name is written into SQL.

SQLite folds the letters A to Z and no others (``sqlite3StrICmp``,
https://sqlite.org/src/file/src/util.c): ``"Été"`` and ``"ÉtÉ"`` are two names, and so are
``"größe"`` and ``"GRÖSSE"``; ``"ÉT"`` and ``"Ét"`` are one. Python's ``str.casefold`` and
``str.lower`` take all of these for one.
"""

from __future__ import annotations

ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}  # for str.translate
ROWID_NAMES = ("rowid", "oid", "_rowid_")  # https://sqlite.org/rowidtable.html


def fold_name(name: str) -> str:
    """Return ``name`` folded: equal for all spellings of one name.

    The result is still a spelling of it: quoted in SQL, it means what ``name`` means.
    """
    return name.lower() if name.isascii() else name.translate(ASCII_LOWER)


def same_name(one: str, other: str) -> bool:
    """Return whether SQLite takes both for the same name."""
    return fold_name(one) == fold_name(other)


def quote_name(name: str) -> str:
    """Return ``name`` as an SQL identifier, always in double quotes."""
    return '"' + name.replace('"', '""') + '"'
