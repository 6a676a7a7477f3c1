"""A schema's structure: what it means, not how it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pytest_bbmigrate.sql.names import fold_name

Tokens = tuple[str, ...]  # canonical, see read/tokens.py


@dataclass(frozen=True)
class CheckConstraint:
    """A CHECK constraint: the ``tokens`` of its expression, and its text as it was written.

    ``name`` is as written, '' for none; ``column`` the (folded) one that it is written with, ''
    for one of the table. By these no two differ.
    """

    tokens: Tokens
    text: str
    name: str = field(default="", compare=False)
    column: str = field(default="", compare=False)


@dataclass(frozen=True)
class Column:
    """One column; ``position`` counts from 0; ``primary_key`` from 1 within the key, else 0.

    ``type`` is the declared type, upper-cased with single blanks ('' when none); ``generated`` is
    '', 'virtual' or 'stored'; ``default`` and ``expression`` are None when there is none.
    """

    name: str
    position: int
    type: str
    not_null: bool
    default: str | None
    primary_key: int
    collation: str
    generated: str
    expression: Tokens | None

    @property
    def affinity(self) -> str:
        """INTEGER, TEXT, BLOB, REAL or NUMERIC (https://sqlite.org/datatype3.html, 3.1)."""
        if "INT" in self.type:
            return "INTEGER"
        if any(part in self.type for part in ("CHAR", "CLOB", "TEXT")):
            return "TEXT"
        if "BLOB" in self.type or not self.type:
            return "BLOB"
        if any(part in self.type for part in ("REAL", "FLOA", "DOUB")):
            return "REAL"
        return "NUMERIC"


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key. Where no ``parent_columns`` are written, they are the parent's primary key.

    They are () if none are written and the parent has no key or does not exist.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str
    on_delete: str
    deferred: bool


@dataclass(frozen=True)
class IndexColumn:
    """One term of an index: a column's ``name``, or None and the ``expression``."""

    name: str | None
    expression: Tokens | None
    descending: bool
    collation: str


@dataclass(frozen=True)
class Index:
    """An index, explicit or of a UNIQUE or PRIMARY KEY constraint.

    ``name`` is None for a constraint's own index; ``conflict`` its ON CONFLICT clause or ''.
    """

    name: str | None
    table: str
    unique: bool
    columns: tuple[IndexColumn, ...]
    where: Tokens | None
    conflict: str = ""


@dataclass(frozen=True)
class Table:
    """One table. ``indexes`` are explicit ones and those of UNIQUE constraints, not the key's.

    ``key`` is the primary key's own index; None if there is no key or the rowid is the key.
    ``conflicts`` are like 'NOT NULL (amount) ON CONFLICT REPLACE'; ABORT, the default, is left out.
    ``error`` is why a virtual table cannot be read, None where it can.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    checks: tuple[CheckConstraint, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]
    strict: bool
    without_rowid: bool
    autoincrement: bool
    virtual: Tokens | None  # the tokens after USING, for a virtual table
    conflicts: tuple[str, ...] = ()  # ON CONFLICT clauses of NOT NULL and PRIMARY KEY, sorted
    key: Index | None = None
    error: str | None = None

    @cached_property
    def rowid_alias(self) -> str | None:
        """The INTEGER PRIMARY KEY column that is the rowid, or None.

        ``INTEGER PRIMARY KEY DESC`` is none (https://sqlite.org/lang_createtable.html#rowid); it
        has an index of its own.
        """
        if len(self.primary_key) != 1 or self.without_rowid or self.key is not None:
            return None
        column = self.column(self.primary_key[0])
        return column.name if column is not None and column.type == "INTEGER" else None

    @cached_property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """The columns of the primary key, and of each UNIQUE of all rows that is on columns."""
        keys = [self.primary_key] if self.primary_key else []
        keys += [
            tuple(column.name for column in index.columns if column.name is not None)
            for index in self.indexes
            if index.unique and index.where is None and all(each.name for each in index.columns)
        ]
        return tuple(keys)

    @cached_property
    def external_content(self) -> str:
        """The (folded) table whose rows a full-text index shows, '' if it has rows of its own.

        A contentless one, ``content=''``, has neither (https://sqlite.org/fts5.html, 4.4).
        """
        words = self.virtual or ()
        for place, word in enumerate(words[:-2]):
            if word == "content" and words[place + 1] == "=":
                return fold_name(words[place + 2].strip("'\"`[]"))
        return ""

    @cached_property
    def stored_columns(self) -> tuple[str, ...]:
        """The case-folded names of the columns that are not generated."""
        return tuple(fold_name(c.name) for c in self.columns if not c.generated)

    @cached_property
    def ordered_names(self) -> tuple[str, ...]:
        """The case-folded names of the columns, in their order."""
        return tuple(fold_name(column.name) for column in self.columns)

    @cached_property
    def column_names(self) -> frozenset[str]:
        """The case-folded names of the columns."""
        return frozenset(self._columns_by_name)

    def column(self, name: str) -> Column | None:
        """Return the column called ``name``, compared without case, or None."""
        return self._columns_by_name.get(fold_name(name))

    @cached_property
    def _columns_by_name(self) -> dict[str, Column]:
        """The columns by their case-folded names."""
        return {fold_name(column.name): column for column in self.columns}


@dataclass(frozen=True)
class View:
    """A view: ``tokens`` of its whole CREATE statement; ``error`` when it does not compile."""

    name: str
    tokens: Tokens
    error: str | None = None


@dataclass(frozen=True)
class Trigger:
    """A trigger on ``table``: ``tokens`` of its CREATE; ``error`` when it does not compile.

    ``sql`` is the CREATE as it is written, by which no two triggers differ.
    """

    name: str
    table: str
    tokens: Tokens
    error: str | None = None
    sql: str = field(default="", compare=False)


@dataclass(frozen=True)
class Schema:
    """A database's schema, without shadow tables, SQLite's own tables and ours."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]
    triggers: tuple[Trigger, ...]

    def without(self, names: frozenset[str]) -> Schema:
        """Return the schema without the tables of these ``names``, folded, and their triggers."""
        return Schema(
            tuple(table for table in self.tables if fold_name(table.name) not in names),
            self.views,
            tuple(trigger for trigger in self.triggers if fold_name(trigger.table) not in names),
        )

    def table(self, name: str) -> Table | None:
        """Return the table called ``name``, compared without case, or None."""
        return self._tables_by_name.get(fold_name(name))

    @cached_property
    def table_names(self) -> frozenset[str]:
        """The case-folded names of the tables."""
        return frozenset(self._tables_by_name)

    @cached_property
    def _tables_by_name(self) -> dict[str, Table]:
        """The tables by their case-folded names."""
        return {fold_name(table.name): table for table in self.tables}

    def index(self, name: str) -> Index | None:
        """Return the explicit index called ``name``, compared without case, or None."""
        wanted = fold_name(name)
        for table in self.tables:
            for index in table.indexes:
                if index.name is not None and fold_name(index.name) == wanted:
                    return index
        return None
