"""What a column's DEFAULT means: as tokens in one form, and as the value that is stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.tokens import canonical, without_parentheses
from pytest_bbmigrate.sql import Kind, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.schema.model import Column, Tokens
    from pytest_bbmigrate.sql import Token

DEFAULT_WORDS: dict[str, Tokens | None] = {"null": None, "true": ("1",), "false": ("0",)}


def default_words(column: Column) -> Tokens | None:
    """Return a default's tokens, the same for spellings of one value; None for NULL or no default.

    A single name, bare or in double quotes, is a string; TRUE and FALSE are 1 and 0
    (https://sqlite.org/lang_createtable.html, 3.2).
    """
    if column.default is None:
        return None
    tokens = without_parentheses(tokenize(column.default))
    if len(tokens) == 1 and tokens[0].kind in (Kind.WORD, Kind.QUOTED):
        return _name(tokens[0])
    return canonical(tokens, ())


def _name(token: Token) -> Tokens | None:
    word = fold_name(token.text)
    if word in DEFAULT_WORDS:
        return DEFAULT_WORDS[word]
    if word.startswith("current_"):
        return (word,)
    return ("'" + token.name.replace("'", "''") + "'",)


def stored_default(column: Column, *, strict: bool) -> tuple[str, str] | None:
    """Return the type and value that a row gets from a constant default; None for other defaults.

    The column's affinity applies: DEFAULT 0 is the text '0' in a TEXT column
    (https://sqlite.org/datatype3.html, 3). In a STRICT table ANY has none.
    """
    words = default_words(column)
    if words is None or not all(word[0] in "'0123456789.+-" for word in words):
        return None
    affinity = "BLOB" if strict and column.type == "ANY" else column.affinity
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.execute(f"CREATE TABLE t (c {affinity} DEFAULT ({' '.join(words)}))")
        scratch.execute("INSERT INTO t DEFAULT VALUES")
        row: tuple[str, str] = scratch.execute("SELECT typeof(c), quote(c) FROM t").fetchone()
        return row
