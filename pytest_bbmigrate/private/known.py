"""What is known not to be a value: names of a schema, and what stands in files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from pytest_bbmigrate.sql.names import fold_name

HIDDEN = "not shown: it may hold values of the database"
QUOTES = ('"', '"'), ("'", "'"), ("`", "`"), ("[", "]")
PIECES = re.compile(
    r"""(?P<text>[xX]?'(?:[^']|'')*'?)|(?P<name>"(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?)"""
    r"""|(?P<number>\d[\w.]*)|(?P<word>[^\W\d]\w*)|(?P<other>\s+|[!-/:-@\[-`{-~])|(?P<strange>.)""",
    re.DOTALL,
)
# https://sqlite.org/lang_keywords.html, the names of types, and what we say of a structure.
WORDS = frozenset(
    """
    abort action add after all alter always analyze and as asc attach autoincrement before begin
    between by cascade case cast check collate column commit conflict constraint create cross
    current current_date current_time current_timestamp database default deferrable deferred delete
    desc detach distinct do drop each else end escape except exclude exclusive exists explain fail
    filter first following for foreign from full generated glob group groups having if ignore
    immediate in index indexed initially inner insert instead intersect into is isnull join key last
    left like limit match materialized natural no not nothing notnull null nulls of offset on or
    order others outer over partition plan pragma preceding primary query raise range recursive
    references regexp reindex release rename replace restrict returning right rollback row rows
    savepoint select set table temp temporary then ties to transaction trigger unbounded union
    unique update using vacuum values view virtual when where window with without
    any blob bool boolean char character clob date datetime decimal double float int integer
    bigint mediumint smallint tinyint nchar number numeric nvarchar precision real rowid strict
    stored text time timestamp varchar varying
    binary nocase rtrim fts3 fts4 fts5 true false
    0 1
    an ordinary none type what sqlite refuses requires changes deletes inserts renames alters drops
    irreversible because reason condition bb line broken
    """.split()  # noqa: SIM905 - a list of 250 would be as many lines
)


@dataclass(frozen=True)
class Known:
    """What may be shown: ``names`` of the schema, case-folded, and what stands in ``texts``."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    def __or__(self, other: Known) -> Known:
        return Known(self.names | other.names, (*self.texts, *other.texts))

    def holds(self, text: str) -> bool:
        """Return whether ``text`` is a name, or stands in a text as a whole word or passage."""
        bare = unquoted(" ".join(text.split()))
        return bool(bare) and (fold_name(bare) in self.names or self._stands(bare))

    def holds_names(self, text: str) -> bool:
        """Return whether each of ``a.b, c.d`` is known."""
        parts = [part.removeprefix("main.") for part in text.split(", ")]
        return self.holds(text) or all(
            self.holds(part) or all(map(self.holds, part.split("."))) for part in parts
        )

    def holds_literal(self, text: str) -> bool:
        """Return whether ``text`` is all of a text in quotes somewhere, in SQL or Python."""
        bare = " ".join(text.split())
        quoted = f"'{bare}'", f'"{bare}"', "'" + bare.replace("'", "''") + "'"
        return bool(bare) and any(each in there for there in self._closed_up for each in quoted)

    def holds_statement(self, text: str) -> bool:
        """Return whether ``text`` is an SQL statement, not a mere word, that stands in a text."""
        return len(text.split()) > 1 and self._stands(" ".join(text.split()).rstrip("; "))

    def holds_sql(self, text: str) -> bool:
        """Return whether nothing is in the SQL ``text`` but words of SQL and what is known."""
        return self.masked_sql(text) == text

    def masked_sql(self, text: str) -> str:
        """Return the SQL ``text`` with what is neither a word of SQL nor known as its kind."""
        return PIECES.sub(self._piece, text)

    def _piece(self, found: re.Match[str]) -> str:
        piece, kind = found[0], str(found.lastgroup)
        is_ours = kind == "other" or fold_name(piece) in WORDS or self._stands(piece)
        if is_ours or self.holds(piece):
            return piece
        return f"<text of {max(len(piece) - 2, 0)}>" if kind == "text" else f"<{kind}>"

    def _stands(self, text: str) -> bool:
        before = r"(?<!\w)" if text[:1].isalnum() or text[:1] == "_" else ""
        after = r"(?!\w)" if text[-1:].isalnum() or text[-1:] == "_" else ""
        pattern = f"{before}{re.escape(text)}{after}"
        return any(re.search(pattern, there) for there in self._closed_up)

    @cached_property
    def _closed_up(self) -> tuple[str, ...]:
        return tuple(" ".join(text.split()) for text in self.texts)


NOTHING_KNOWN = Known()


def unquoted(text: str) -> str:
    """Return what a quoted name or text says, anything else as it is."""
    for first, last in QUOTES:
        if len(text) > 1 and text.startswith(first) and text.endswith(last):
            return text[1:-1].replace(last * 2, last)
    return text
