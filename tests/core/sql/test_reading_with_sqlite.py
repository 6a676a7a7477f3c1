"""What is read of a statement is what SQLite makes of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings

from pytest_bbmigrate.sql.clauses import Delete, Insert, Query, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from tests.core.sql.rendered import rendered
from tests.core.sql.sql_texts import SCHEMA, deletion, insertion, query, texts, update
from tests.depth import in_full

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
deeply = settings(
    max_examples=in_full(3000, quick=300), suppress_health_check=[HealthCheck.filter_too_much]
)


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    """Return a database in which no statement is ever executed."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for statement in SCHEMA:
            db.execute(statement)
        yield db


def program(db: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    """Return what SQLite would do for ``sql``.

    How a value is copied within its registers also depends on parentheses around it.
    """
    steps = db.execute(f"EXPLAIN {sql}").fetchall()
    return [(at, opcode.replace("SCopy", "Copy"), *rest) for at, opcode, *rest in steps]


def is_accepted(db: sqlite3.Connection, sql: str) -> bool:
    try:
        db.execute(f"EXPLAIN {sql}").close()
    except sqlite3.OperationalError:
        return False
    return True


def written(db: sqlite3.Connection, sql: str) -> set[tuple[int, str, str]]:
    """Return what the authorizer is asked that writes: action, table and, of UPDATE, column."""
    asked: set[tuple[int, str, str]] = set()

    def authorize(action: int, one: str | None, two: str | None, *_: str | None) -> int:
        if action in WRITES:
            asked.add((action, fold_name(one or ""), fold_name(two or "")))
        return sqlite3.SQLITE_OK

    db.set_authorizer(authorize)
    db.execute(f"EXPLAIN {sql}").close()
    db.set_authorizer(None)
    return asked


def updating(table: str, columns: Iterable[str]) -> set[tuple[int, str, str]]:
    return {(sqlite3.SQLITE_UPDATE, table, fold_name(column)) for column in columns}


@deeply
@given(sql=texts(insertion, update, deletion, query))
def test_a_statement_written_again_from_its_clauses_is_the_same_to_sqlite(
    db: sqlite3.Connection, sql: str
) -> None:
    assume(is_accepted(db, sql))

    assert program(db, rendered(read_command(sql))) == program(db, sql)


@deeply
@given(sql=texts(insertion, update, deletion))
def test_what_is_written_is_what_the_authorizer_is_asked_for(
    db: sqlite3.Connection, sql: str
) -> None:
    assume(is_accepted(db, sql))
    command = read_command(sql)

    assert isinstance(command, Insert | Update | Delete)
    table, asked = command.table.folded, written(db, sql)
    if isinstance(command, Delete):
        assert asked == {(sqlite3.SQLITE_DELETE, table, "")}
    elif isinstance(command, Update):
        assert asked == updating(table, command.columns)
    else:  # of an upsert that can never be met, it is not asked
        assigned = [each for upsert in command.upserts for each in upsert.assignments]
        columns = [name for each in assigned for name in each.columns]
        assert asked - updating(table, columns) == {(sqlite3.SQLITE_INSERT, table, "")}


@deeply
@given(sql=texts(query))
def test_a_result_column_with_an_alias_is_called_so(db: sqlite3.Connection, sql: str) -> None:
    try:
        names = [name for name, *_ in db.execute(sql).description]
    except sqlite3.OperationalError:  # it may also fail as it runs
        reject()
    command = read_command(sql)

    assert isinstance(command, Query)
    for column, name in zip(command.selects[0].columns, names, strict=True):
        assert column.alias in {"", name}
