"""CREATE, ALTER and DROP as values; ``clauses`` has the other statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.cursor import keyword, outline

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.clauses import BodyCommand, Query
    from pytest_bbmigrate.sql.cursor import ObjectName, Tokens


@dataclass(frozen=True)
class ColumnDefinition:
    """A column of CREATE TABLE; ``definition`` are its tokens, the name first."""

    name: str
    definition: Tokens

    @property
    def is_generated(self) -> bool:
        """Whether it is a generated column."""
        return any(keyword(token) == "as" for _, token in outline(self.definition))


@dataclass(frozen=True)
class Creation:
    """What every CREATE has; ``kind`` is 'table', 'index', 'view' or 'trigger'.

    ``body`` is everything after the name.
    """

    kind: str
    name: ObjectName
    body: Tokens
    is_temporary: bool
    if_not_exists: bool


@dataclass(frozen=True)
class CreateTable(Creation):
    """CREATE TABLE; ``query`` is that of CREATE TABLE .. AS, which defines no columns.

    ``constraints`` are those of the table; several without a comma between them are one entry.
    """

    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[Tokens, ...] = ()
    options: Tokens = ()
    query: Query | None = None

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """The names of the columns that are not generated."""
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

    ``timing`` is 'before' (also by default), 'after' or 'instead of'.
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
    """ALTER TABLE .. ADD COLUMN; ``definition`` are the tokens of the column, the name first.

    ``condition`` is IF NOT EXISTS, which people write there although SQLite does not know it.
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
