"""Read INSERT, REPLACE, UPDATE and DELETE into their clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.clauses import Assignment, Delete, Insert, Update, Upsert
from pytest_bbmigrate.sql.cursor import Cursor, split_at_commas
from pytest_bbmigrate.sql.queries import (
    read_query,
    read_sources,
    read_with,
    starts_clause,
    starts_upsert,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.sql.clauses import BodyCommand, CommonTable, Write
    from pytest_bbmigrate.sql.cursor import Tokens

CONFLICTS = frozenset({"rollback", "abort", "fail", "ignore", "replace"})


def read_body_command(cursor: Cursor) -> BodyCommand | None:
    """Take a query or a statement that writes rows; return None where another one begins."""
    with_tables = read_with(cursor)
    if read := WRITES.get(cursor.word()):
        return read(cursor, with_tables)
    if cursor.word() in {"select", "values"}:
        return read_query(cursor, with_tables)
    return None


def _read_conflict(cursor: Cursor) -> str:
    """Take OR and the word after it, and return that word; '' when there is no OR."""
    return cursor.take_one_of(CONFLICTS) if cursor.take_words("or") else ""


def _read_insert(cursor: Cursor, with_tables: tuple[CommonTable, ...]) -> Insert:
    conflict = cursor.take_one_of({"insert", "replace"}).removeprefix("insert")
    conflict = _read_conflict(cursor) or conflict
    cursor.take_words("into")
    table = cursor.take_object()
    alias = cursor.take_name() if cursor.take_words("as") else ""
    columns = cursor.take_names()
    query = None if cursor.take_words("default", "values") else read_query(cursor, ())
    upserts = []
    while starts_upsert(cursor):
        upserts.append(_read_upsert(cursor))
    return Insert(
        table=table,
        columns=columns,
        query=query,
        conflict=conflict,
        alias=alias,
        upserts=tuple(upserts),
        returning=_read_clause(cursor, "returning"),
        with_tables=with_tables,
    )


def _read_upsert(cursor: Cursor) -> Upsert:
    cursor.take_words("on", "conflict")
    target = cursor.take_list()
    if cursor.take_words("where"):  # of the partial index that is meant
        cursor.take_until(lambda at: at.word() == "do")
    if cursor.take_words("do", "nothing"):
        return Upsert(target, ())
    cursor.take_words("do", "update")
    assignments = _read_assignments(cursor)
    return Upsert(target, assignments, _read_clause(cursor, "where"))


def _read_update(cursor: Cursor, with_tables: tuple[CommonTable, ...]) -> Update:
    cursor.take()
    conflict = _read_conflict(cursor)
    table = cursor.take_object()
    alias = cursor.take_name() if cursor.take_words("as") else ""
    cursor.take_until(lambda at: at.word() == "set")  # INDEXED BY, NOT INDEXED
    assignments = _read_assignments(cursor)
    sources = read_sources(cursor) if cursor.take_words("from") else ()
    where = _read_clause(cursor, "where")
    returning = _read_clause(cursor, "returning")
    _read_clause(cursor, "order")
    return Update(
        table=table,
        assignments=assignments,
        sources=sources,
        where=where,
        conflict=conflict,
        alias=alias,
        limit=_read_clause(cursor, "limit"),
        returning=returning,
        with_tables=with_tables,
    )


def _read_delete(cursor: Cursor, with_tables: tuple[CommonTable, ...]) -> Delete:
    cursor.take()
    cursor.take_words("from")
    table = cursor.take_object()
    alias = cursor.take_name() if cursor.take_words("as") else ""
    cursor.take_until(starts_clause)
    where = _read_clause(cursor, "where")
    returning = _read_clause(cursor, "returning")
    _read_clause(cursor, "order")
    limit = _read_clause(cursor, "limit")
    return Delete(table, where, alias, limit, returning, with_tables)


def _read_assignments(cursor: Cursor) -> tuple[Assignment, ...]:
    """Take SET and its assignments, and return these."""
    if not cursor.take_words("set"):
        return ()
    assignments = []
    for tokens in split_at_commas(cursor.take_until(starts_clause)):
        assignment = Cursor(tokens)
        columns = assignment.take_names() or (assignment.take_name(),)
        assignment.take_symbol("=")
        assignments.append(Assignment(columns, assignment.take_rest()))
    return tuple(assignments)


def _read_clause(cursor: Cursor, word: str) -> Tokens:
    """Take the clause that begins with ``word``, and return the rest of it; () if none does."""
    return cursor.take_until(starts_clause) if cursor.take_words(word) else ()


WRITES: dict[str, Callable[[Cursor, tuple[CommonTable, ...]], Write]] = {
    "insert": _read_insert,
    "replace": _read_insert,
    "update": _read_update,
    "delete": _read_delete,
}
