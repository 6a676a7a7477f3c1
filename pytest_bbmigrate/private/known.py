"""What is known not to be a value of a row: names of a schema, and what stands in files."""

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
# Keywords (https://sqlite.org/lang_keywords.html), names of types, and our words on structures.
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
    sequence
    derives round
    irreversible because reason condition bb line broken
    """.split()  # noqa: SIM905 - as a list, these 250 words would be 250 lines
)


@dataclass(frozen=True)
class Known:
    """What may be shown: ``names`` of the schema (folded), and whatever stands in ``texts``."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    def __or__(self, other: Known) -> Known:
        return Known(self.names | other.names, (*self.texts, *other.texts))

    def contains(self, text: str) -> bool:
        """Return whether ``text`` is one of the names, or whole words in one of the texts."""
        bare = unquoted(" ".join(text.split()))
        return bool(bare) and (fold_name(bare) in self.names or self._occurs(bare))

    def contains_names(self, text: str) -> bool:
        """Return whether every name in ``text``, such as 'a.b, c.d', is known."""
        parts = [part.removeprefix("main.") for part in text.split(", ")]
        return self.contains(text) or all(
            self.contains(part) or all(map(self.contains, part.split("."))) for part in parts
        )

    def contains_literal(self, text: str) -> bool:
        """Return whether ``text`` is all of a literal in quotes, of SQL or Python, in a text."""
        bare = " ".join(text.split())
        quoted = f"'{bare}'", f'"{bare}"', "'" + bare.replace("'", "''") + "'"
        return bool(bare) and any(
            literal in known for known in self._normalized_texts for literal in quoted
        )

    def contains_statement(self, text: str) -> bool:
        """Return whether ``text`` is an SQL statement, not a mere word, in one of the texts."""
        return len(text.split()) > 1 and self._occurs(" ".join(text.split()).rstrip("; "))

    def contains_line(self, line: str) -> bool:
        """Return whether a line consists of words of SQL, what is known, and its own aliases.

        Such a one stands as a bare word behind AS in a FROM, where no value of a row can.
        """
        pieces = [match for match in PIECES.finditer(line) if not match[0].isspace()]
        named = {
            fold_name(word[0])
            for table, before, word in zip(pieces, pieces[1:], pieces[2:], strict=False)
            if fold_name(before[0]) == "as" and word["word"] and self.contains(table[0])
        }
        return all(
            (match["word"] and fold_name(match[0]) in named)
            or self._masked_piece(match) == match[0]
            for match in pieces
        )

    def contains_sql(self, text: str) -> bool:
        """Return whether the SQL ``text`` consists of words of SQL and of what is known."""
        return self.masked_sql(text) == text

    def masked_sql(self, text: str) -> str:
        """Return the SQL ``text`` with the kind for all that is neither a word of SQL nor known."""
        return PIECES.sub(self._masked_piece, text)

    def _masked_piece(self, match: re.Match[str]) -> str:
        piece, kind = match[0], str(match.lastgroup)
        is_sql = kind == "other" or fold_name(piece) in WORDS
        if is_sql or self._occurs(piece) or self.contains(piece):
            return piece
        return f"<text of {max(len(piece) - 2, 0)}>" if kind == "text" else f"<{kind}>"

    def _occurs(self, text: str) -> bool:
        """Return whether ``text`` stands in one of the texts, not within a longer word."""
        before = r"(?<!\w)" if text[:1].isalnum() or text[:1] == "_" else ""
        after = r"(?!\w)" if text[-1:].isalnum() or text[-1:] == "_" else ""
        pattern = f"{before}{re.escape(text)}{after}"
        return any(re.search(pattern, known) for known in self._normalized_texts)

    @cached_property
    def _normalized_texts(self) -> tuple[str, ...]:
        return tuple(" ".join(text.split()) for text in self.texts)


NOTHING_KNOWN = Known()


def unquoted(text: str) -> str:
    """Return the content of a quoted name or text; anything else as it is."""
    for opening, closing in QUOTES:
        if len(text) > 1 and text.startswith(opening) and text.endswith(closing):
            return text[1:-1].replace(closing * 2, closing)
    return text
