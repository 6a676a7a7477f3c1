"""Tokens read from left to right, with what stands in parentheses in one step.

Whatever reads SQL beyond its words reads it by this: where a parenthesis closes, what stands
between commas, and which word is a keyword here is decided nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.tokens import Kind, Token, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

Tokens = tuple[Token, ...]

BEGIN_CLAUSE = frozenset(
    {"set", "where", "values", "select", "from", "on", "having", "when", "then"}
)
NAMES = frozenset({Kind.WORD, Kind.QUOTED, Kind.STRING})  # SQLite takes 'x' for a name, too


@dataclass(frozen=True)
class ObjectName:
    """The name of a table, view, index, trigger or pragma, as it is spelled.

    ``schema`` is what stands before the dot, '' for nothing; ``name`` is '' where the statement
    ends before it.
    """

    name: str
    schema: str = ""

    @property
    def folded(self) -> str:
        """The name alone, in the form in which all its spellings are equal."""
        return fold_name(self.name)

    @property
    def is_temporary(self) -> bool:
        """Whether it is said to be in the schema of temporary tables."""
        return fold_name(self.schema) == "temp"


def keyword(token: Token | None) -> str:
    """Return the bare word that ``token`` is, folded; '' for anything else, a name in quotes too.

    Whether SQLite takes it for a keyword depends on where it stands: most are names elsewhere.
    """
    return fold_name(token.text) if token is not None and token.kind is Kind.WORD else ""


def fold_tokens(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return what ``folded`` gives of the text that ``tokens`` are from."""
    return tuple(fold(token) for token in tokens)


def closings(tokens: Sequence[Token]) -> dict[int, int]:
    """Return for each parenthesis that opens where it closes: behind the last token, if nowhere."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for position, (_, text, _) in enumerate(tokens):
        if text == "(":
            opened.append(position)
        elif text == ")" and opened:
            found[opened.pop()] = position
    return found | dict.fromkeys(opened, len(tokens))


def enclosing(tokens: Sequence[Token]) -> list[int]:
    """Return for each token where the innermost parenthesis opens that it stands in, else -1."""
    found = []
    opened: list[int] = []
    for position, (_, text, _) in enumerate(tokens):
        if text == ")" and opened:
            opened.pop()
        found.append(opened[-1] if opened else -1)
        if text == "(":
            opened.append(position)
    return found


def clause_words(tokens: Sequence[Token]) -> list[str]:
    """Return for each token which clause of its query, subquery or CASE it stands in.

    It is the word that the clause begins with; before the first one, that of what is around it.
    """
    found = []
    clauses = [""]  # of what is open at a token, one within another
    for token in tokens:
        word = keyword(token)
        if word == "case" or token.text == "(":
            clauses.append(clauses[-1])
        elif (word == "end" or token.text == ")") and len(clauses) > 1:
            clauses.pop()
        elif word in BEGIN_CLAUSE:
            clauses[-1] = word
        found.append(clauses[-1])
    return found


def outline(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Yield the tokens that stand in no parentheses, with their places.

    An opening parenthesis is among them; what it holds, and the closing one, are passed over.
    """
    depth = 0
    for position, token in enumerate(tokens):
        if token.text == ")" and depth:
            depth -= 1
            continue
        if not depth:
            yield position, token
        depth += token.text == "("


def split_at(separator: str, tokens: Tokens) -> Iterator[Tokens]:
    """Yield what stands between the separators that are in no parentheses: never nothing."""
    start = 0
    for position, token in outline(tokens):
        if token.text == separator:
            yield tokens[start:position]
            start = position + 1
    yield tokens[start:]


def split_at_commas(tokens: Tokens) -> Iterator[Tokens]:
    """Yield what stands between the commas of ``tokens`` that are in no parentheses."""
    return split_at(",", tokens)


class Cursor:
    """A place in ``tokens``; what is taken is behind it. Past the end there is nothing to take."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens: Tokens = tuple(tokens)
        self.position = 0
        self._closings = closings(self.tokens)

    @property
    def is_at_end(self) -> bool:
        """Whether all has been taken."""
        return self.position >= len(self.tokens)

    def token(self, ahead: int = 0) -> Token | None:
        """Return the token at the cursor, or so many further on; None past the end."""
        position = self.position + ahead
        return self.tokens[position] if 0 <= position < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """Return the bare word at the cursor, folded, '' for another token."""
        return keyword(self.token(ahead))

    def is_symbol(self, text: str, ahead: int = 0) -> bool:
        """Return whether that operator or punctuation stands at the cursor."""
        token = self.token(ahead)
        return token is not None and token.text == text

    def take(self) -> Token | None:
        """Take the token at the cursor, whatever it is."""
        token = self.token()
        self.position += token is not None
        return token

    def take_words(self, *words: str) -> bool:
        """Take ``words`` if all of them stand here one after another."""
        is_here = all(self.word(ahead) == word for ahead, word in enumerate(words))
        self.position += len(words) * is_here
        return is_here

    def take_one_of(self, words: Collection[str]) -> str:
        """Take the word at the cursor if it is among ``words``, and return it; '' if it is not."""
        word = self.word()
        if word not in words:
            return ""
        self.position += 1
        return word

    def take_symbol(self, text: str) -> bool:
        """Take that operator or punctuation if it stands here."""
        is_here = self.is_symbol(text)
        self.position += is_here
        return is_here

    def take_name(self) -> str:
        """Take a name, and return it as it is spelled; '' when none stands here."""
        token = self.token()
        if token is None or token.kind not in NAMES:
            return ""
        self.position += 1
        return token.name

    def take_object(self) -> ObjectName:
        """Take a name with, perhaps, its schema and a dot before it."""
        name = self.take_name()
        if name and self.take_symbol("."):
            return ObjectName(self.take_name(), name)
        return ObjectName(name)

    def take_group(self) -> Tokens | None:
        """Take parentheses, and return what is in them; None when none open here."""
        if not self.is_symbol("("):
            return None
        end = self._closings[self.position]
        inner = self.tokens[self.position + 1 : end]
        self.position = min(end + 1, len(self.tokens))
        return inner

    def take_list(self) -> tuple[Tokens, ...]:
        """Take parentheses, and return what is between the commas in them; () for nothing."""
        group = self.take_group()
        return tuple(split_at_commas(group)) if group else ()

    def take_names(self) -> tuple[str, ...]:
        """Take a list of names in parentheses, () when none open here."""
        group = self.take_group() or ()
        return tuple(token.name for token in group if token.kind in NAMES)

    def take_until(self, stops: Callable[[Cursor], object]) -> Tokens:
        """Take everything up to where, in no parentheses, ``stops`` says so; else all there is."""
        start = self.position
        while not self.is_at_end and not stops(self):
            if self.is_symbol("("):
                self.position = min(self._closings[self.position] + 1, len(self.tokens))
            else:
                self.position += 1
        return self.tokens[start : self.position]

    def take_rest(self) -> Tokens:
        """Take everything that is left."""
        rest = self.tokens[self.position :]
        self.position = len(self.tokens)
        return rest
