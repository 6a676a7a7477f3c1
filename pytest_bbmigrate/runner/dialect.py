"""IF NOT EXISTS: what SQLite has no syntax for, and what it passes over in silence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pytest_bbmigrate.schema import Schema, compare_schemas, read_schema
from pytest_bbmigrate.sql import first_word, folded, quote_name
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    Created,
    CreateIndex,
    CreateVirtualTable,
)
from pytest_bbmigrate.sqlite_files import closed_on_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_bbmigrate.schema import SchemaDifference


class Ask(Protocol):
    """Executes one statement on the database that is migrated and returns its rows."""

    def __call__(self, sql: str, parameters: tuple[Any, ...] = (), /) -> list[tuple[Any, ...]]:
        """Execute ``sql``."""


class ShapeMismatch(NamedTuple):
    """Something that an IF NOT EXISTS found there in another shape than it wanted."""

    name: str
    wanted: str
    there: str


class AdaptedStatement(NamedTuple):
    """The SQL to execute in place of a statement ('' for nothing), and what did not fit."""

    sql: str
    misfit: ShapeMismatch | None = None


class Creation(NamedTuple):
    """``CREATE kind IF NOT EXISTS name ..``; ``tokens`` are all but IF NOT EXISTS, folded."""

    kind: str
    name: str
    tokens: tuple[str, ...]
    virtual: bool


class Addition(NamedTuple):
    """``ALTER TABLE table ADD COLUMN IF NOT EXISTS column ..``.

    ``definition`` is the text from the column's name on and ``sql`` the statement without the
    three words.
    """

    table: str
    column: str
    definition: str
    sql: str


def adapt(
    ask: Ask, prepare: Callable[[sqlite3.Connection], object], sql: str, *, helps: bool = True
) -> AdaptedStatement:
    """Return what to execute for ``sql`` on the database that ``ask`` speaks to.

    ``prepare`` registers the application's functions on a connection for trying things out; with
    ``helps`` false an ADD COLUMN IF NOT EXISTS is left to SQLite, which refuses it.
    """
    word = first_word(sql)
    if helps and word == "alter" and (addition := read_addition(sql)):
        return adapt_addition(ask, prepare, addition)
    if word == "create" and (creation := read_creation(sql)):
        return AdaptedStatement(sql, find_misfit(ask, prepare, creation, sql))
    return AdaptedStatement(sql)


def read_addition(sql: str) -> Addition | None:
    """Return what ``sql`` says if it is an ADD COLUMN IF NOT EXISTS."""
    if first_word(sql) != "alter":
        return None
    command = read_command(sql)
    if not isinstance(command, AddColumn) or not command.condition or not command.definition:
        return None
    start = command.definition[0].start
    plain = sql[: command.condition[0].start] + sql[start:]
    return Addition(command.table.name, command.column, sql[start:], plain)


def read_creation(sql: str) -> Creation | None:
    """Return what ``sql`` says if it is a CREATE .. IF NOT EXISTS of something lasting."""
    command = read_command(sql)
    if not isinstance(command, Created) or not command.if_not_exists or not command.name.name:
        return None
    if command.is_temporary or command.name.is_temporary:
        return None
    is_virtual = isinstance(command, CreateVirtualTable)
    is_unique = isinstance(command, CreateIndex) and command.is_unique
    words = ("create", *["unique"] * is_unique, *["virtual"] * is_virtual, command.kind)
    lasting = (*words, command.name.folded, *fold_tokens(command.body))
    return Creation(command.kind, command.name.name, lasting, is_virtual)


def adapt_addition(
    ask: Ask, prepare: Callable[[sqlite3.Connection], object], addition: Addition
) -> AdaptedStatement:
    """Return the ADD COLUMN without IF NOT EXISTS, or nothing if the column is there already."""
    known = "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE"
    if not ask(known, (addition.table, addition.column)):
        return AdaptedStatement(addition.sql)
    subject = f"{addition.table}.{addition.column}"
    shape = column_shape(ask, addition)
    with closing(scratch(prepare)) as wanted, closing(scratch(prepare)) as there:
        for text in made_of(ask):
            there.execute(text)
        try:
            wanted.execute(f"CREATE TABLE {quote_name(addition.table)} ({addition.definition})")
        except sqlite3.Error as error:
            return AdaptedStatement(
                "", ShapeMismatch(subject, f"{addition.definition} ({error})", shape)
            )
        wanted_shape = column_shape(asking(wanted), addition)
        differences = compare_schemas(only_column(wanted, addition), only_column(there, addition))
    if differences and folded(wanted_shape) != folded(shape):
        return AdaptedStatement("", ShapeMismatch(subject, wanted_shape, shape))
    return AdaptedStatement("", describe_misfit(subject, differences))


def column_shape(ask: Ask, addition: Addition) -> str:
    """Return the type, NOT NULL and default of a column as SQL."""
    rows = ask(
        'SELECT type, "notnull", dflt_value FROM pragma_table_xinfo(?) '
        "WHERE name = ? COLLATE NOCASE",
        (addition.table, addition.column),
    )
    type_, not_null, default = rows[0]
    parts = (type_, "NOT NULL" * not_null, "" if default is None else f"DEFAULT {default}")
    return " ".join(part for part in parts if part) or "no type"


def only_column(db: sqlite3.Connection, addition: Addition) -> Schema:
    """Return a schema that has the one column, with the constraints that are its alone."""
    table = read_schema(db).table(addition.table)
    column = table.column(addition.column) if table else None
    if table is None or column is None:
        return Schema((), (), ())
    name = fold_name(column.name)
    others = {fold_name(other.name) for other in table.columns} - {name}
    alone = replace(
        table,
        columns=(replace(column, position=0, primary_key=0),),
        primary_key=(),
        key=None,
        strict=False,
        without_rowid=False,
        autoincrement=False,
        conflicts=(),
        checks=tuple(c for c in table.checks if name in c.tokens and not others & set(c.tokens)),
        foreign_keys=tuple(
            key for key in table.foreign_keys if [fold_name(c) for c in key.columns] == [name]
        ),
        indexes=tuple(
            index
            for index in table.indexes
            if index.name is None and [fold_name(c.name or "") for c in index.columns] == [name]
        ),
    )
    return Schema((alone,), (), ())


def made_of(ask: Ask, *, without: str = "") -> list[str]:
    """Return the CREATE statements of the plain tables and views, but for the one of that name."""
    rows = ask("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'view')")
    return [
        text
        for _, name, text in sorted(rows, key=lambda row: str(row[0]))
        if not same_name(name, without) and is_plain(name, text)
    ]


def find_misfit(
    ask: Ask, prepare: Callable[[sqlite3.Connection], object], creation: Creation, sql: str
) -> ShapeMismatch | None:
    """Return how what is there differs from what a CREATE .. IF NOT EXISTS wants."""
    rows = ask(
        "SELECT type, sql FROM sqlite_schema WHERE name = ? COLLATE NOCASE "
        "AND (type = 'trigger') = ? AND sql IS NOT NULL",
        (creation.name, creation.kind == "trigger"),
    )
    if not rows:
        return None
    kind, text = rows[0]
    if kind != creation.kind:
        return ShapeMismatch(creation.name, f"a {creation.kind}", f"a {kind}: {text}")
    if folded(text) == creation.tokens:
        return None
    if kind in {"table", "index"} and not creation.virtual:
        return compare_made(ask, prepare, creation, sql, text)
    return ShapeMismatch(creation.name, sql, text)


def compare_made(
    ask: Ask,
    prepare: Callable[[sqlite3.Connection], object],
    creation: Creation,
    sql: str,
    text: str,
) -> ShapeMismatch | None:
    """Return how the structure of a table or index differs from the one that ``sql`` would make.

    Both are made on the side, beside the other tables, to which they may refer.
    """
    with closing(scratch(prepare)) as wanted, closing(scratch(prepare)) as there:
        for other in made_of(ask, without=creation.name):
            wanted.execute(other)
            there.execute(other)
        there.execute(text)
        try:
            wanted.execute(sql)
        except sqlite3.Error as error:
            return ShapeMismatch(creation.name, f"what SQLite refuses ({error})", text)
        differences = compare_schemas(read_schema(wanted), read_schema(there))
    if differences and creation.kind == "index":
        return ShapeMismatch(creation.name, sql, text)
    return describe_misfit(creation.name, differences)


def describe_misfit(name: str, differences: Sequence[SchemaDifference]) -> ShapeMismatch | None:
    """Return what was wanted and what is there, None when there is no difference."""
    if not differences:
        return None
    return ShapeMismatch(
        name,
        "; ".join(in_words(each, each.before) for each in differences),
        "; ".join(in_words(each, each.after) for each in differences),
    )


def in_words(difference: SchemaDifference, side: str) -> str:
    """Return one side of a difference for a reader."""
    return f"{difference.kind.split()[0]} {difference.column or difference.name}: {side or 'none'}"


def is_plain(name: str, sql: str | None) -> bool:
    """Return whether a table or view can be made again from its text alone."""
    if sql is None or name.startswith("sqlite_"):
        return False
    return not isinstance(read_command(sql), CreateVirtualTable)


def scratch(prepare: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    """Return a connection to an empty database to try something out in."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    with closed_on_failure(db):
        prepare(db)
        return db


def asking(db: sqlite3.Connection) -> Ask:
    """Return ``db``'s way to execute a statement and fetch its rows."""

    def ask(sql: str, parameters: tuple[Any, ...] = (), /) -> list[tuple[Any, ...]]:
        return db.execute(sql, parameters).fetchall()

    return ask
