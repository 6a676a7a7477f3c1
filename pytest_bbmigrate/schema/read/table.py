"""Read the structure of one table: from pragmas, and from its CREATE what no pragma returns."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.schema.model import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    IndexColumn,
    Table,
)
from pytest_bbmigrate.schema.read.create_table import parse_create_table
from pytest_bbmigrate.schema.read.entries import fetch_all
from pytest_bbmigrate.schema.read.tokens import (
    canonical,
    is_word,
    without_parentheses,
)
from pytest_bbmigrate.sql import Kind, quote_name
from pytest_bbmigrate.sql.cursor import source_text
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateIndex, CreateVirtualTable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.schema.read.create_table import CheckClause, CreateTable
    from pytest_bbmigrate.sql import Token

GENERATED = {2: "virtual", 3: "stored"}  # table_xinfo.hidden; 1 is hidden in a virtual table


def read_table(db: sqlite3.Connection, name: str, sql: str, indexes: Mapping[str, str]) -> Table:
    """Return the structure of table ``name``, whose CREATE is ``sql``.

    ``indexes`` are the CREATEs of its indexes by name. Parent columns that are not written stay (),
    because they depend on another table.
    """
    created = parse_create_table(sql)
    columns = _columns(_column_rows(db, name), created, name)
    names = _names(name, columns)
    own, key = _indexes(db, name, indexes, created, names)
    return Table(
        name=name,
        columns=columns,
        primary_key=_primary_key(columns),
        checks=tuple(_check(check, names) for check in created.checks),
        foreign_keys=_foreign_keys(db, name, created),
        indexes=own,
        strict=created.strict,
        without_rowid=created.without_rowid,
        autoincrement=created.autoincrement,
        virtual=None,
        conflicts=_conflicts(created, columns, own),
        key=key,
    )


def read_virtual_table(db: sqlite3.Connection, name: str, sql: str) -> Table:
    """Return the virtual table ``name``, with why it cannot be read; then it may have no columns.

    Its module may be missing, or what it keeps its content in.
    """
    rows, unreadable = list[tuple[Any, ...]](), _reading_error(db, name)
    with suppress(sqlite3.DatabaseError):
        rows = _column_rows(db, name)
    columns = tuple(_column(row, position, "BINARY", None) for position, row in enumerate(rows))
    return Table(
        name=name,
        columns=columns,
        primary_key=_primary_key(columns),
        checks=(),
        foreign_keys=(),
        indexes=(),
        strict=False,
        without_rowid=False,
        autoincrement=False,
        virtual=canonical(read_as(CreateVirtualTable, sql).body[1:], ()),
        error=unreadable,
    )


def _reading_error(db: sqlite3.Connection, name: str) -> str | None:
    """Return why the virtual table ``name`` cannot be read, or None.

    A full-text index with external content reads another table, which may lack what it asks for
    (https://sqlite.org/fts5.html#external_content_tables).
    """
    try:
        fetch_all(db, f"SELECT 1 FROM main.{quote_name(name)} LIMIT 1")
    except sqlite3.DatabaseError as error:
        return str(error)
    return None


def _column_rows(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return fetch_all(
        db,
        'SELECT name, type, "notnull", dflt_value, pk, hidden '
        "FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1 ORDER BY cid",
        table,
    )


def _columns(
    rows: Sequence[tuple[Any, ...]], created: CreateTable, table: str
) -> tuple[Column, ...]:
    names = frozenset((*(fold_name(row[0]) for row in rows), fold_name(table)))
    columns = []
    for position, row in enumerate(rows):
        name = fold_name(row[0])
        source = created.expressions.get(name)
        expression = None if source is None else canonical(without_parentheses(source), names)
        collation = created.collations.get(name, "BINARY")
        columns.append(_column(row, position, collation, expression))
    return tuple(columns)


def _column(
    row: tuple[Any, ...], position: int, collation: str, expression: Tokens | None
) -> Column:
    name, declared, not_null, default, key, hidden = row
    return Column(
        name=name,
        position=position,
        type=" ".join(declared.upper().split()),
        not_null=bool(not_null),
        default=default,
        primary_key=key,
        collation=collation,
        generated=GENERATED.get(hidden, ""),
        expression=expression,
    )


def _names(table: str, columns: Sequence[Column]) -> frozenset[str]:
    """Return, folded, the names that a table's own expressions can use."""
    return frozenset(
        (*ROWID_NAMES, fold_name(table), *(fold_name(column.name) for column in columns))
    )


def _primary_key(columns: Sequence[Column]) -> tuple[str, ...]:
    members = sorted(
        (column for column in columns if column.primary_key), key=lambda c: c.primary_key
    )
    return tuple(column.name for column in members)


def _check(check: CheckClause, names: Collection[str]) -> CheckConstraint:
    inner = without_parentheses(check.expression)
    return CheckConstraint(canonical(inner, names), source_text(inner), check.name, check.column)


def _foreign_keys(
    db: sqlite3.Connection, table: str, created: CreateTable
) -> tuple[ForeignKey, ...]:
    """Return the foreign keys in the order written; SQLite numbers them from the last."""
    rows = fetch_all(
        db,
        'SELECT id, "from", "table", "to", on_update, on_delete '
        "FROM pragma_foreign_key_list(?, 'main') ORDER BY id DESC, seq",
        table,
    )
    keys = [list(group) for _, group in groupby(rows, key=lambda row: row[0])]
    return tuple(
        ForeignKey(
            columns=tuple(row[1] for row in key),
            parent=key[0][2],
            parent_columns=tuple(row[3] for row in key if row[3] is not None),
            on_update=key[0][4],
            on_delete=key[0][5],
            deferred=deferred,
        )
        for key, deferred in zip(keys, created.deferred, strict=True)
    )


def _indexes(
    db: sqlite3.Connection,
    table: str,
    texts: Mapping[str, str],
    created: CreateTable,
    names: Collection[str],
) -> tuple[tuple[Index, ...], Index | None]:
    """Return the indexes except that of the primary key, and that one or None."""
    own: list[Index] = []
    key = None
    actions = {c.columns: c.action for c in created.conflicts if c.kind == "UNIQUE"}
    rows = fetch_all(
        db,
        'SELECT i.name, i."unique", i.origin, c.name, c."desc", c.coll'
        " FROM pragma_index_list(?, 'main') AS i, pragma_index_xinfo(i.name, 'main') AS c"
        ' WHERE c."key" ORDER BY i.seq DESC, c.seqno',
        table,
    )
    for (name, unique, origin), terms in groupby(rows, key=lambda row: row[:3]):
        creation = read_as(CreateIndex, texts[name]) if origin == "c" else None
        where = creation.where if creation else ()
        members = [row[3:] for row in terms]
        columns = _index_columns(members, creation.terms if creation else (), names)
        index = Index(
            name=name if origin == "c" else None,
            table=table,
            unique=bool(unique),
            columns=columns,
            where=canonical(without_parentheses(where), names) if where else None,
            conflict=actions.get(_folded_names(columns), "") if origin == "u" else "",
        )
        if origin == "pk":
            key = index
        else:
            own.append(index)
    return tuple(own), key


def _folded_names(columns: Sequence[IndexColumn]) -> tuple[str, ...]:
    return tuple(fold_name(column.name or "") for column in columns)


def _index_columns(
    members: Sequence[tuple[Any, ...]],
    terms: Sequence[Sequence[Token]],
    names: Collection[str],
) -> tuple[IndexColumn, ...]:
    """Return the columns of an index, whose ``members`` are (name, descending, collation)."""
    return tuple(
        IndexColumn(
            name=name,
            expression=_term_expression(terms[number], names) if name is None else None,
            descending=bool(descending),
            collation=collation,
        )
        for number, (name, descending, collation) in enumerate(members)
    )


def _term_expression(term: Sequence[Token], names: Collection[str]) -> Tokens:
    """Return an index term without ASC, DESC and COLLATE, which the pragma returns."""
    if is_word(term[-1], "asc") or is_word(term[-1], "desc"):
        term = term[:-1]
    while len(term) > 2 and is_word(term[-2], "collate") and term[-1].kind is not Kind.SYMBOL:
        term = term[:-2]
    return canonical(without_parentheses(term), names)


def _conflicts(
    created: CreateTable, columns: Sequence[Column], indexes: Sequence[Index]
) -> tuple[str, ...]:
    """Return the ON CONFLICT clauses that are not stored with one of ``indexes``."""
    on_indexes = {_folded_names(index.columns) for index in indexes if index.name is None}
    spelling = {fold_name(column.name): column.name for column in columns}
    return tuple(
        sorted(
            f"{place_text(c.kind, [spelling[n] for n in c.columns])} ON CONFLICT {c.action}"
            for c in created.conflicts
            if c.kind != "UNIQUE" or c.columns not in on_indexes
        )
    )


def place_text(kind: str, columns: Sequence[str]) -> str:
    """Return the constraint of an ON CONFLICT as text: ``NOT NULL (amount)``."""
    return f"{kind} ({', '.join(columns)})"
