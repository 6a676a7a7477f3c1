"""Read tokens from left to right, and what stands in parentheses in one step.

All code that reads clauses of SQL uses this. Where a parenthesis closes, what stands between
commas, and which word is a keyword is decided nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.tokens import A_WORD, Kind, Token, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

Tokens = tuple[Token, ...]

BEGIN_CLAUSE = frozenset(
    {"set", "where", "values", "select", "from", "on", "having", "when", "then"}
)
NAMES = frozenset({Kind.WORD, Kind.QUOTED, Kind.STRING})  # SQLite takes 'x' for a name, too


@dataclass(frozen=True)
class ObjectName:
    """The name of a table, view, index, trigger or pragma, as spelled.

    ``schema`` is what stands before the dot, '' for nothing. ``name`` is '' if the statement ends
    before it.
    """

    name: str
    schema: str = ""

    @property
    def folded(self) -> str:
        """The name without its schema, folded."""
        return fold_name(self.name)

    @property
    def is_temporary(self) -> bool:
        """Whether its schema is that of temporary tables."""
        return fold_name(self.schema) == "temp"


def keyword(token: Token | None) -> str:
    """Return the bare word of ``token``, folded; '' for any other token, also a name in quotes.

    Whether it is a keyword depends on where it stands: most keywords can be names elsewhere.
    """
    return fold_name(token[1]) if token is not None and token[0] is A_WORD else ""


def fold_tokens(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return each of ``tokens`` folded, as ``folded`` does for a text."""
    return tuple(map(fold, tokens))


def source_text(tokens: Sequence[Token], spell: Callable[[Token], str] = attrgetter("text")) -> str:
    """Return ``tokens`` as they were written, a single blank for each gap, comments left out.

    ``spell`` returns what stands in the place of a token.
    """
    parts: list[str] = []
    end = tokens[0].start if tokens else 0
    for token in tokens:
        parts.append(spell(token) if token.start == end else f" {spell(token)}")
        end = token.start + len(token.text)
    return "".join(parts)


def closings(tokens: Sequence[Token]) -> dict[int, int]:
    """Return, by the index of each '(', that of its ')'; ``len(tokens)`` if there is none."""
    closed: dict[int, int] = {}
    opened: list[int] = []
    for position, (_, text, _) in enumerate(tokens):
        if text == "(":
            opened.append(position)
        elif text == ")" and opened:
            closed[opened.pop()] = position
    return closed | dict.fromkeys(opened, len(tokens))


def enclosing(tokens: Sequence[Token]) -> list[int]:
    """Return, for each token, the index of the '(' of its innermost parentheses, or -1."""
    enclosing_positions = []
    opened: list[int] = []
    for position, (_, text, _) in enumerate(tokens):
        if text == ")" and opened:
            opened.pop()
        enclosing_positions.append(opened[-1] if opened else -1)
        if text == "(":
            opened.append(position)
    return enclosing_positions


def clause_words(tokens: Sequence[Token]) -> list[str]:
    """Return, for each token, the word that begins its clause of a query, subquery or CASE.

    Before the first clause of a subquery or CASE, it is the clause around that.
    """
    words = []
    clauses = [""]  # of the queries, parentheses and CASEs that are open, the innermost last
    for token in tokens:
        word = keyword(token)
        if word == "case" or token.text == "(":
            clauses.append(clauses[-1])
        elif (word == "end" or token.text == ")") and len(clauses) > 1:
            clauses.pop()
        elif word in BEGIN_CLAUSE:
            clauses[-1] = word
        words.append(clauses[-1])
    return words


def outline(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Yield (index, token) of the tokens outside parentheses.

    An opening parenthesis is among them; its content and the closing one are skipped.
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
    """Yield the tokens between separators outside parentheses; at least once, perhaps ()."""
    start = 0
    for position, token in outline(tokens):
        if token.text == separator:
            yield tokens[start:position]
            start = position + 1
    yield tokens[start:]


def split_at_and(tokens: Tokens) -> Iterator[Tokens]:
    """Yield the conditions that must all hold for the condition ``tokens`` to hold.

    One with an OR or a CASE outside parentheses is yielded whole. The AND of BETWEEN joins nothing.
    """
    words = [(position, keyword(token)) for position, token in outline(tokens)]
    if {"or", "case"} & {word for _, word in words}:
        yield tokens
        return
    start, is_between = 0, False
    for position, word in words:
        if word == "and" and not is_between:
            yield tokens[start:position]
            start = position + 1
        is_between = word == "between" or (is_between and word != "and")
    yield tokens[start:]


def split_at_commas(tokens: Tokens) -> Iterator[Tokens]:
    """Yield the tokens between commas outside parentheses; at least once, perhaps ()."""
    return split_at(",", tokens)


class Cursor:
    """A position in ``tokens``, which moves on over whatever is taken; at the end nothing is."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens: Tokens = tuple(tokens)
        self.position = 0
        self._closings = closings(self.tokens)

    @property
    def is_at_end(self) -> bool:
        """Whether all has been taken."""
        return self.position >= len(self.tokens)

    def token(self, ahead: int = 0) -> Token | None:
        """Return the token at the cursor, or ``ahead`` tokens further on; None past the end."""
        position = self.position + ahead
        return self.tokens[position] if 0 <= position < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """Return the bare word at the cursor, folded, '' for another token."""
        return keyword(self.token(ahead))

    def is_symbol(self, text: str, ahead: int = 0) -> bool:
        """Return whether the operator or punctuation ``text`` stands there."""
        token = self.token(ahead)
        return token is not None and token.text == text

    def take(self) -> Token | None:
        """Take the token at the cursor, whatever it is."""
        token = self.token()
        self.position += token is not None
        return token

    def take_words(self, *words: str) -> bool:
        """Take ``words`` if all of them stand here in that order; return whether they do."""
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
        """Take the operator or punctuation ``text`` if it stands here; return whether it does."""
        is_here = self.is_symbol(text)
        self.position += is_here
        return is_here

    def take_name(self) -> str:
        """Take a name, and return it as spelled; '' when none stands here."""
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
        """Take parentheses, and return their content; None when none open here."""
        if not self.is_symbol("("):
            return None
        end = self._closings[self.position]
        inner = self.tokens[self.position + 1 : end]
        self.position = min(end + 1, len(self.tokens))
        return inner

    def take_list(self) -> tuple[Tokens, ...]:
        """Take parentheses, and return the tokens between their commas; () if there are none."""
        group = self.take_group()
        return tuple(split_at_commas(group)) if group else ()

    def take_names(self) -> tuple[str, ...]:
        """Take a list of names in parentheses, () when none open here."""
        group = self.take_group() or ()
        return tuple(token.name for token in group if token.kind in NAMES)

    def take_until(self, stops: Callable[[Cursor], object]) -> Tokens:
        """Take everything up to where ``stops`` is true, outside parentheses; else to the end."""
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
