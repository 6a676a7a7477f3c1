"""CREATE, ALTER and DROP as values, as ``clauses`` has the other statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.cursor import keyword, outline

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.clauses import BodyCommand, Query
    from pytest_bbmigrate.sql.cursor import ObjectName, Tokens


@dataclass(frozen=True)
class ColumnDefinition:
    """A column of CREATE TABLE; ``definition`` is all that is said of it, its name first."""

    name: str
    definition: Tokens

    @property
    def is_generated(self) -> bool:
        """Whether it is computed, and holds no value of its own."""
        return any(keyword(token) == "as" for _, token in outline(self.definition))


@dataclass(frozen=True)
class Creation:
    """What every CREATE says; ``kind`` is 'table', 'index', 'view' or 'trigger'.

    ``body`` is all that follows the name.
    """

    kind: str
    name: ObjectName
    body: Tokens
    is_temporary: bool
    if_not_exists: bool


@dataclass(frozen=True)
class CreateTable(Creation):
    """CREATE TABLE; ``query`` is that of CREATE TABLE .. AS, which has no columns of its own.

    Of ``constraints``, those of the table, several can stand in one if no comma is between them.
    """

    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[Tokens, ...] = ()
    options: Tokens = ()
    query: Query | None = None

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """The names of the columns that hold values of their own."""
        return tuple(column.name for column in self.columns if not column.is_generated)


@dataclass(frozen=True)
class CreateVirtualTable(Creation):
    """CREATE VIRTUAL TABLE; ``arguments`` are those of its module."""

    module: str = ""
    arguments: tuple[Tokens, ...] = ()


@dataclass(frozen=True)
class CreateIndex(Creation):
    """CREATE INDEX; ``terms`` are its columns and expressions with COLLATE, ASC and DESC."""

    table: str = ""
    terms: tuple[Tokens, ...] = ()
    where: Tokens = ()
    is_unique: bool = False


@dataclass(frozen=True)
class CreateView(Creation):
    """CREATE VIEW."""

    columns: tuple[str, ...] = ()
    query: Query | None = None


@dataclass(frozen=True)
class CreateTrigger(Creation):
    """CREATE TRIGGER; ``event`` is 'insert', 'update' or 'delete', ``columns`` those of UPDATE OF.

    ``timing`` is 'before', 'after' or 'instead of', also where it does not say.
    """

    table: ObjectName | None = None
    timing: str = "before"
    event: str = ""
    columns: tuple[str, ...] = ()
    when: Tokens = ()
    commands: tuple[BodyCommand, ...] = ()


@dataclass(frozen=True)
class Drop:
    """DROP; ``kind`` is 'table', 'index', 'view' or 'trigger'."""

    kind: str
    name: ObjectName
    if_exists: bool = False


@dataclass(frozen=True)
class RenameTable:
    """ALTER TABLE .. RENAME TO."""

    table: ObjectName
    new: str


@dataclass(frozen=True)
class RenameColumn:
    """ALTER TABLE .. RENAME COLUMN."""

    table: ObjectName
    column: str
    new: str


@dataclass(frozen=True)
class AddColumn:
    """ALTER TABLE .. ADD COLUMN; ``definition`` is what is said of the column, its name first.

    ``condition`` is the IF NOT EXISTS that people write there, though SQLite knows none.
    """

    table: ObjectName
    column: str
    definition: Tokens
    condition: Tokens = ()


@dataclass(frozen=True)
class DropColumn:
    """ALTER TABLE .. DROP COLUMN."""

    table: ObjectName
    column: str


Created = CreateTable | CreateVirtualTable | CreateIndex | CreateView | CreateTrigger
Altered = RenameTable | RenameColumn | AddColumn | DropColumn
