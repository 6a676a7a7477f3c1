"""Read a schema's structure from a database."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.schema.model import Schema, Trigger, View
from pytest_bbmigrate.schema.read.compile import EVENTS, trigger_errors, view_error
from pytest_bbmigrate.schema.read.entries import is_virtual, read_entries, tables_left_out
from pytest_bbmigrate.schema.read.table import read_table, read_virtual_table
from pytest_bbmigrate.schema.read.tokens import canonical, names_mentioned
from pytest_bbmigrate.sql import tokenize
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_bbmigrate.schema.model import Table, Tokens
    from pytest_bbmigrate.schema.read.entries import Entry, Row
    from pytest_bbmigrate.sql import Token

K = TypeVar("K")
V = TypeVar("V")

FOR_EACH_ROW = ["for", "each", "row"]
CACHED_SCHEMAS = 2048  # running down, a chain reaches each of its schemas again
CACHED_TABLES = 8192

_schemas: dict[tuple[Row, ...], Schema] = {}
_tables: dict[tuple[object, ...], Table] = {}


def read_schema(db: sqlite3.Connection, entries: Iterable[Entry] | None = None) -> Schema:
    """Return the structure of the ``main`` schema of ``db``; pass its ``entries`` if already read.

    Left out are tables of SQLite (sqlite_*), shadow tables of virtual tables, and our own tables.
    Schemas and tables are cached by the text of their CREATEs, since a chain of states repeats
    them.
    """
    rows = tuple(entry[:4] for entry in (read_entries(db) if entries is None else entries))
    cached = _schemas.get(rows)
    if cached is not None:
        return cached
    schema = _read(db, rows)
    if _depends_on_text_only(schema):
        return _cached(_schemas, rows, CACHED_SCHEMAS, lambda: schema)
    return schema


def _depends_on_text_only(schema: Schema) -> bool:
    """Return whether any other connection would read the same.

    Errors, and the columns of virtual tables, depend on the functions and modules of a connection.
    """
    return not (
        any(table.virtual is not None for table in schema.tables)
        or any(view.error is not None for view in schema.views)
        or any(trigger.error is not None for trigger in schema.triggers)
    )


def _read(db: sqlite3.Connection, rows: tuple[Row, ...]) -> Schema:
    left_out = tables_left_out(db, rows)
    kept = [row for row in rows if fold_name(row[2]) not in left_out]
    tables = _read_tables(db, kept)
    views = {name: tokenize(sql) for kind, name, _, sql in kept if kind == "view"}
    triggers = {name: (table, sql) for kind, name, table, sql in kept if kind == "trigger"}
    read = {name: (table, read_as(CreateTrigger, sql)) for name, (table, sql) in triggers.items()}
    errors = trigger_errors(db, read, {fold_name(table.name): table for table in tables})
    names = _names(tables, views.values())
    return Schema(
        tables=tables,
        views=tuple(
            View(name, _canonical_statement(tokens, names), view_error(db, name))
            for name, tokens in views.items()
        ),
        triggers=tuple(
            Trigger(
                name,
                table,
                _plain_trigger(_canonical_statement(tokenize(sql), names)),
                errors.get(name),
                sql,
            )
            for name, (table, sql) in triggers.items()
        ),
    )


def _read_tables(db: sqlite3.Connection, rows: Iterable[Row]) -> tuple[Table, ...]:
    indexes: dict[str, dict[str, str]] = {}
    for kind, name, table, sql in rows:
        if kind == "index":
            indexes.setdefault(fold_name(table), {})[name] = sql
    texts = [
        (name, sql, tuple(indexes.get(fold_name(name), {}).items()))
        for kind, name, _, sql in rows
        if kind == "table"
    ]
    tables = [_read_table(db, *text) for text in texts]
    keys = {fold_name(table.name): table.primary_key for table in tables}
    return tuple(
        _with_parent_columns(text, table, keys) for text, table in zip(texts, tables, strict=True)
    )


def _read_table(
    db: sqlite3.Connection, name: str, sql: str, indexes: tuple[tuple[str, str], ...]
) -> Table:
    if is_virtual(sql):
        return read_virtual_table(db, name, sql)
    return _cached(
        _tables,
        (name, sql, indexes),
        CACHED_TABLES,
        partial(read_table, db, name, sql, dict(indexes)),
    )


def _with_parent_columns(
    text: tuple[object, ...], table: Table, keys: Mapping[str, tuple[str, ...]]
) -> Table:
    """Return ``table``, read from ``text``; ``REFERENCES t`` without columns gets t's primary key.

    ``keys`` are the primary keys of all tables, by folded name.
    """
    if all(key.parent_columns for key in table.foreign_keys):
        return table
    parents = tuple(
        key.parent_columns or keys.get(fold_name(key.parent), ()) for key in table.foreign_keys
    )

    def resolve() -> Table:
        resolved = map(
            lambda key, columns: replace(key, parent_columns=columns), table.foreign_keys, parents
        )
        return replace(table, foreign_keys=tuple(resolved))

    return _cached(_tables, (text, parents), CACHED_TABLES, resolve)


def _cached(cache: dict[K, V], key: K, limit: int, make: Callable[[], V]) -> V:
    """Return the value of ``key`` in ``cache``, made by ``make`` if it is missing.

    A cache with ``limit`` entries is emptied first.
    """
    value = cache.get(key)
    if value is None:
        if len(cache) >= limit:
            cache.clear()
        value = cache[key] = make()
    return value


def _names(tables: Iterable[Table], views: Iterable[Sequence[Token]]) -> frozenset[str]:
    """Return, case-folded, the names that a view or trigger can use, with aliases in views."""
    names = {
        fold_name(name)
        for table in tables
        for name in (table.name, *(column.name for column in table.columns))
    }
    return frozenset(names.union(*(names_mentioned(tokens) for tokens in views)))


def _canonical_statement(tokens: Sequence[Token], names: frozenset[str]) -> Tokens:
    return canonical(tokens, names, names_mentioned(tokens))


def _plain_trigger(tokens: Tokens) -> Tokens:
    """Return tokens with the defaults in one form: BEFORE written out, FOR EACH ROW left out."""
    plain = list(tokens)
    if plain[3] in EVENTS:
        plain.insert(3, "before")
    indexes = range(4, len(plain))
    clause = next((index for index in indexes if plain[index : index + 3] == FOR_EACH_ROW), None)
    if clause is not None:
        del plain[clause : clause + 3]
    return tuple(plain)
