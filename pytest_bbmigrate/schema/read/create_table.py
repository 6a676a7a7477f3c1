"""Read from the tokens of CREATE TABLE what no pragma returns.

That is CHECK, COLLATE, generated expressions, ON CONFLICT, DEFERRABLE, AUTOINCREMENT, STRICT and
WITHOUT ROWID (https://sqlite.org/lang_createtable.html). The text is what SQLite keeps in
sqlite_schema, so it is a statement that SQLite accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql import schema_clauses as clauses
from pytest_bbmigrate.sql.cursor import Cursor, closings, keyword
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_bbmigrate.sql.cursor import Tokens


@dataclass(frozen=True)
class Conflict:
    """The ON CONFLICT of a constraint: its ``kind`` is PRIMARY KEY, UNIQUE or NOT NULL.

    ``columns`` are folded.
    """

    kind: str
    columns: tuple[str, ...]
    action: str


class CheckClause(NamedTuple):
    """A CHECK: its name as SQLite reports it ('' for none), and its expression.

    ``column`` is the (folded) one that it is written with, '' for one of the table.
    """

    name: str
    expression: Tokens
    column: str = ""


@dataclass
class CreateTable:
    """The clauses of one CREATE TABLE; column names are case-folded.

    ``deferred`` has one entry for each foreign key, in the order written.
    """

    collations: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, Tokens] = field(default_factory=dict)
    checks: list[CheckClause] = field(default_factory=list)
    deferred: list[bool] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    autoincrement: bool = False
    strict: bool = False
    without_rowid: bool = False


def parse_create_table(sql: str) -> CreateTable:
    """Return the clauses of ``sql``, a CREATE TABLE statement as sqlite_schema has it.

    Raises: ValueError when it cannot be one that SQLite accepted.
    """
    read = read_as(clauses.CreateTable, sql)
    if len(read.body) in closings(read.body).values():
        raise ValueError("an opening parenthesis without its closing one")
    created = CreateTable()
    for column in read.columns:
        _Constraints(created, column.definition, fold_name(column.name)).read()
    for constraints in read.constraints:
        _Constraints(created, constraints).read()
    options = [keyword(token) for token in read.options]
    created.strict = "strict" in options
    created.without_rowid = "without" in options
    return created


class _Constraints:
    """One column with its constraints, or a run of table constraints, read from left to right."""

    def __init__(self, created: CreateTable, tokens: Tokens, column: str = "") -> None:
        self.created = created
        self.cursor = Cursor(tokens)
        self.column: tuple[str, ...] = (column,) if column else ()
        self.name = ""  # of a constraint: it stays for those after it, up to the next comma
        # The constraint that an ON CONFLICT would belong to.
        self.last: tuple[str, tuple[str, ...]] | None = None

    def read(self) -> None:
        if self.column:
            self.cursor.take()
        while not self.cursor.is_at_end:
            if clause := CLAUSES.get(self.cursor.word()):
                self.cursor.take()
                clause(self)
            elif self.cursor.take_group() is None:  # the size in VARCHAR(20), the columns of a key
                self.cursor.take()

    def key_columns(self) -> tuple[str, ...]:
        terms = self.cursor.take_list()
        self.created.autoincrement |= any(
            keyword(token) == "autoincrement" for term in terms for token in term
        )
        return tuple(fold_name(term[0].name) for term in terms) or self.column

    def constraint(self) -> None:
        self.name = self.cursor.take_name()

    def primary_key(self) -> None:
        self.cursor.take_words("key")
        self.last = ("PRIMARY KEY", self.key_columns())
        self.cursor.take_one_of({"asc", "desc"})

    def unique(self) -> None:
        self.last = ("UNIQUE", self.key_columns())

    def not_null(self) -> None:
        if self.cursor.take_words("null"):
            self.last = ("NOT NULL", self.column)
            return
        self.cursor.take_words("deferrable")  # NOT DEFERRABLE INITIALLY DEFERRED is immediate
        self.take_initially()

    def null(self) -> None:
        self.last = None

    def check(self) -> None:
        expression = self.cursor.take_group() or ()
        self.created.checks.append(CheckClause(self.name, expression, "".join(self.column)))
        self.last = None  # ON CONFLICT is parsed after a CHECK and has no effect

    def collate(self) -> None:
        self.created.collations[self.column[0]] = self.cursor.take_name()

    def default(self) -> None:
        if self.cursor.take_group() is None:
            if not self.cursor.take_symbol("+"):
                self.cursor.take_symbol("-")
            self.cursor.take()

    def generated(self) -> None:
        self.cursor.take_words("always")

    def expression(self) -> None:
        self.created.expressions[self.column[0]] = self.cursor.take_group() or ()

    def autoincrement(self) -> None:
        self.created.autoincrement = True

    def references(self) -> None:
        self.cursor.take()
        self.cursor.take_group()
        self.created.deferred.append(False)

    def deferrable(self) -> None:
        self.created.deferred[-1] = self.take_initially()

    def take_initially(self) -> bool:
        return self.cursor.take_words("initially") and (
            self.cursor.take_one_of({"deferred", "immediate"}) == "deferred"
        )

    def match(self) -> None:
        self.cursor.take()

    def on(self) -> None:
        if not self.cursor.take_words("conflict"):  # ON DELETE, ON UPDATE: a pragma returns these
            self.cursor.take()
            if self.cursor.take_one_of({"set", "no"}):
                self.cursor.take()
            return
        action = self.cursor.word().upper()
        self.cursor.take()
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
