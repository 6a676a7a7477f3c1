"""The tokens of SQL, as SQLite's own tokenizer sees them (https://sqlite.org/src/file/src/tokenize.c).

No pattern has possessive or atomic parts: Python before 3.11.5, Debian 12's among them, matches
some of them wrongly (https://github.com/python/cpython/issues/106052). Reading takes one pass
however long the text is, because what follows a repetition cannot fail, or not begin inside it.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from pytest_bbmigrate.sql.names import fold_name

# White space is what SQLite takes for it: no vertical tab, no Unicode blanks; a BOM anywhere.
BLANKS = " \\t\\n\\f\\r\ufeff"
STRING = "'[^']*'"
QUOTED = '"[^"]*"|`[^`]*`|\\[[^\\]]*\\]'
# SQLite ends a -- comment at a line feed only. One that a lone carriage return seems to end would
# swallow the statement after it, so it matches nothing here and is refused as unfinished.
COMMENT = r"--[^\r\n]*(?:\r[\r \t]*)?(?=\n|\Z)|/\*[^*]*\*+(?:[^*/][^*]*\*+)*/"
GAP = f"(?:[{BLANKS}]+(?![{BLANKS}])|{COMMENT})"  # all blanks that stand together, or one comment
# By what is in no word: a range up to the last character takes eight milliseconds to compile.
IN_WORD = r"[^\x00-#%-/:-@\[-^`{-\x7f]"  # A-Z a-z 0-9 _ $, and all beyond ASCII
WORD = rf"[^\x00-@\[-^`{{-\x7f]{IN_WORD}*"


def words(*any_case: str) -> str:
    """Return a pattern of one of these words: IGNORECASE takes ten times as long to compile."""
    spelled = ("".join(f"[{letter}{letter.lower()}]" for letter in word) for word in any_case)
    return f"(?:{'|'.join(spelled)})"


class Kind(Enum):
    """The kinds of tokens."""

    WORD = "word"  # a keyword or a bare identifier
    QUOTED = "quoted"  # "x", `x` or [x]: an identifier (or SQLite's double-quoted string)
    STRING = "string"  # 'x'
    NUMBER = "number"
    BLOB = "blob"  # x'00'
    PARAMETER = "parameter"  # ?, ?1, :a, @a, $a
    SYMBOL = "symbol"  # an operator or punctuation


class Token(NamedTuple):
    """One token; ``start`` is its offset in the text it came from."""

    kind: Kind
    text: str
    start: int

    @property
    def name(self) -> str:
        """The identifier or string without its quotes (doubled quotes undone)."""
        if self.kind not in (Kind.QUOTED, Kind.STRING):
            return self.text
        inner = self.text[1:-1]
        quote = self.text[0]
        return inner if quote == "[" else inner.replace(quote * 2, quote)


class UnreadableSql(ValueError):
    """Raised when text cannot be SQL: an unfinished string, a NUL, a dot-command."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        self.line = line
        self.message = message
        self.remedy = remedy
        super().__init__(f"line {line}: {message}; {remedy}")


DIGITS = "[0-9]+(?:_[0-9]+)*"
NUMBER = rf"0[xX][0-9a-fA-F]+|(?:{DIGITS}(?:\.(?:{DIGITS})?)?|\.{DIGITS})(?:[eE][+-]?{DIGITS})?"
GROUPS = (
    (Kind.BLOB, "[xX]'[^']*'"),
    (Kind.WORD, WORD),
    (Kind.SYMBOL, r"->>?|\|\||<<|>>|[<>=!]=|<>|[(),;=*+%&|~<>]|\.(?![0-9])|/(?!\*)|-(?!-)"),
    (Kind.STRING, f"(?:{STRING})+"),
    (Kind.QUOTED, r'(?:"[^"]*")+|(?:`[^`]*`)+|\[[^\]]*\]'),
    (Kind.NUMBER, NUMBER),
    (Kind.PARAMETER, rf"\?[0-9]*|[:@$]{IN_WORD}+"),
    (None, r"['\"`\[\x00/-]"),  # the beginning of something unfinished, see UNFINISHED
    (Kind.SYMBOL, "."),  # unknown to SQLite, which will say so
)
TOKEN = re.compile(
    f"{GAP}*(?:" + "|".join(f"({pattern})" for _, pattern in GROUPS) + r"|\Z)",
    re.DOTALL,
)
KINDS = (None, *(kind for kind, _ in GROUPS))  # by the number of the group that matched

UNFINISHED = {
    "'": ("a string that is not finished", "close it with ' (a quote inside it is written '')"),
    '"': ('a name in " that is not finished', 'close it with "'),
    "`": ("a name in ` that is not finished", "close it with `"),
    "[": ("a name in [ that is not finished", "close it with ]"),
    "/": ("a comment that is not finished", "close it with */"),
    "-": (
        "a carriage return without a line feed in a comment, which SQLite reads on past it",
        "save the file with LF or CRLF line ends",
    ),
    "\0": ("a NUL character, where SQLite stops reading", "save the file as plain UTF-8 text"),
}

# A statement is read again for every finding on its migration, and a CREATE in every state: where
# there were more than are kept, none would be there when it is its turn again.
KEPT_STATEMENTS = 8192
A_WORD = Kind.WORD  # asked of every token: to look it up in its class takes as long as the rest
SAME_MEANING = {"!=": "<>", "==": "="}


def tokenize(sql: str) -> tuple[Token, ...]:
    """Return the tokens of ``sql``, comments and white space left out.

    Raises: UnreadableSql when a string, a quoted name or a block comment is not finished.
    """
    tokens = []
    make = tuple.__new__  # a third of what calling Token takes
    for match in TOKEN.finditer(sql):
        group = match.lastindex
        if group is None:  # at the end of the text
            continue
        kind = KINDS[group]
        if kind is None:
            raise unfinished(sql, match.start(group), 1)
        tokens.append(make(Token, (kind, match[group], match.start(group))))
    return tuple(tokens)


def first_word(sql: str) -> str:
    """Return the word that ``sql`` begins with, folded; '' when it begins with anything else."""
    match = TOKEN.match(sql)
    group = match.lastindex if match else None
    return fold_name(match[group]) if match and group and KINDS[group] is Kind.WORD else ""


@lru_cache(maxsize=KEPT_STATEMENTS)
def folded(sql: str) -> tuple[str, ...]:
    """Return the tokens of ``sql`` in a form in which equal meaning is equal text.

    Words and quoted identifiers are unquoted and case-folded, strings, numbers and blobs kept;
    ``!=`` becomes ``<>`` and ``==`` becomes ``=``.

    Raises: UnreadableSql, as ``tokenize`` does.
    """
    return tuple(fold(token) for token in tokenize(sql))


def fold(token: Token) -> str:
    """Return the text of one token, folded as in ``folded``."""
    kind, text, _ = token
    if kind is A_WORD:
        return fold_name(text)
    return fold_name(token.name) if kind is Kind.QUOTED else SAME_MEANING.get(text, text)


def unfinished(text: str, position: int, first_line: int) -> UnreadableSql:
    """Return the error for something that begins at ``position`` and is never finished."""
    message, remedy = UNFINISHED[text[position]]
    return UnreadableSql(first_line + line_breaks(text, 0, position), message, remedy)


def line_breaks(text: str, start: int, end: int) -> int:
    """Return how many lines end in ``text[start:end]``: by LF, by CRLF or by a lone CR."""
    breaks = text.count("\n", start, end)
    if returns := text.count("\r", start, end):
        breaks += returns - text.count("\r\n", start, end)
    return breaks
