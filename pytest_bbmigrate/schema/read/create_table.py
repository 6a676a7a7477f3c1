"""What no pragma tells, read from the tokens of CREATE TABLE.

CHECK, COLLATE, generated expressions, ON CONFLICT, DEFERRABLE, AUTOINCREMENT, STRICT and WITHOUT
ROWID (https://sqlite.org/lang_createtable.html). The text is what SQLite keeps in sqlite_schema,
so it is a statement that SQLite accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.tokens import closing, is_word, split_at_commas
from pytest_bbmigrate.sql import Kind, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_bbmigrate.sql import Token

TABLE_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign")


@dataclass(frozen=True)
class Conflict:
    """``kind`` (PRIMARY KEY, UNIQUE or NOT NULL) of folded ``columns``, and its ON CONFLICT."""

    kind: str
    columns: tuple[str, ...]
    action: str


@dataclass
class CreateTable:
    """The clauses of one CREATE TABLE; column names are case-folded.

    ``deferred`` has one entry for each foreign key, in the order written.
    """

    collations: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, Sequence[Token]] = field(default_factory=dict)
    checks: list[Sequence[Token]] = field(default_factory=list)
    deferred: list[bool] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    autoincrement: bool = False
    strict: bool = False
    without_rowid: bool = False


def parse_create_table(sql: str) -> CreateTable:
    """Return the clauses of ``sql``, a CREATE TABLE statement as sqlite_schema holds it."""
    tokens = tokenize(sql)
    opening = next(position for position, token in enumerate(tokens) if token.text == "(")
    end = closing(tokens, opening)
    created = CreateTable()
    for item in split_at_commas(tokens[opening + 1 : end]):
        _Constraints(created, item).read()
    options = [fold_name(token.text) for token in tokens[end + 1 :]]
    created.strict = "strict" in options
    created.without_rowid = "without" in options
    return created


class _Constraints:
    """One column with its constraints, or a run of table constraints, read from left to right."""

    def __init__(self, created: CreateTable, tokens: Sequence[Token]) -> None:
        self.created = created
        self.tokens = tokens
        self.position = 0
        self.column: tuple[str, ...] = ()
        self.last: tuple[str, tuple[str, ...]] | None = None  # what ON CONFLICT would speak of

    def read(self) -> None:
        if not any(is_word(self.tokens[0], word) for word in TABLE_CONSTRAINTS):
            self.column = (fold_name(self.take().name),)
        while self.position < len(self.tokens):
            token = self.take()
            clause = CLAUSES.get(fold_name(token.text)) if token.kind is Kind.WORD else None
            if clause is not None:
                clause(self)
            elif token.text == "(":  # the size in VARCHAR(20), the columns of FOREIGN KEY (..)
                self.position = closing(self.tokens, self.position - 1) + 1

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def take_word(self, *words: str) -> bool:
        there = self.position < len(self.tokens) and any(
            is_word(self.tokens[self.position], word) for word in words
        )
        self.position += there
        return there

    def take_group(self) -> Sequence[Token]:
        """Take parentheses and what is in them; () when none open here."""
        if self.position == len(self.tokens) or self.tokens[self.position].text != "(":
            return ()
        end = closing(self.tokens, self.position)
        group = self.tokens[self.position + 1 : end]
        self.position = end + 1
        return group

    def key_columns(self) -> tuple[str, ...]:
        group = self.take_group()
        self.created.autoincrement |= any(is_word(token, "autoincrement") for token in group)
        if not group:
            return self.column
        return tuple(fold_name(term[0].name) for term in split_at_commas(group))

    def constraint(self) -> None:
        self.take()

    def primary_key(self) -> None:
        self.take_word("key")
        self.last = ("PRIMARY KEY", self.key_columns())
        self.take_word("asc", "desc")

    def unique(self) -> None:
        self.last = ("UNIQUE", self.key_columns())

    def not_null(self) -> None:
        if self.take_word("null"):
            self.last = ("NOT NULL", self.column)
            return
        self.take_word("deferrable")  # NOT DEFERRABLE INITIALLY DEFERRED is immediate
        self.take_initially()

    def null(self) -> None:
        self.last = None

    def check(self) -> None:
        self.created.checks.append(self.take_group())
        self.last = None  # ON CONFLICT is parsed after a CHECK and has no effect

    def collate(self) -> None:
        self.created.collations[self.column[0]] = self.take().name

    def default(self) -> None:
        if not self.take_group() and self.take().text in ("+", "-"):
            self.take()

    def generated(self) -> None:
        self.take_word("always")

    def expression(self) -> None:
        self.created.expressions[self.column[0]] = self.take_group()

    def autoincrement(self) -> None:
        self.created.autoincrement = True

    def references(self) -> None:
        self.take()
        self.take_group()
        self.created.deferred.append(False)

    def deferrable(self) -> None:
        self.created.deferred[-1] = self.take_initially()

    def take_initially(self) -> bool:
        return self.take_word("initially") and is_word(self.take(), "deferred")

    def match(self) -> None:
        self.take()

    def on(self) -> None:
        if not self.take_word("conflict"):  # ON DELETE, ON UPDATE: the pragma tells
            self.take()
            if self.take_word("set", "no"):
                self.take()
            return
        action = self.take().text.upper()
        if self.last is not None and action != "ABORT":
            self.created.conflicts.append(Conflict(*self.last, action))


CLAUSES: Mapping[str, Callable[[_Constraints], None]] = {
    "constraint": _Constraints.constraint,
    "primary": _Constraints.primary_key,
    "unique": _Constraints.unique,
    "not": _Constraints.not_null,
    "null": _Constraints.null,
    "check": _Constraints.check,
    "collate": _Constraints.collate,
    "default": _Constraints.default,
    "generated": _Constraints.generated,
    "as": _Constraints.expression,
    "autoincrement": _Constraints.autoincrement,
    "references": _Constraints.references,
    "deferrable": _Constraints.deferrable,
    "match": _Constraints.match,
    "on": _Constraints.on,
}
