"""What is read of CREATE, ALTER, DROP, PRAGMA and the like is what SQLite makes of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, reject, settings

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.clauses import Control, Pragma
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)
from tests.core.sql.rendered import rendered
from tests.core.sql.schema_texts import (
    alteration,
    drop,
    index_creation,
    table_creation,
    trigger_creation,
    view_creation,
)
from tests.core.sql.sql_texts import SCHEMA, texts
from tests.depth import in_full

if TYPE_CHECKING:
    from collections.abc import Iterator

deeply = settings(max_examples=in_full(1000, quick=100), suppress_health_check=list(HealthCheck))

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    """Return a database in which each example undoes what it did."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for statement in SCHEMA:
            db.execute(statement)
        db.execute("BEGIN")
        db.execute("SAVEPOINT example")
        yield db


def assume_done(db: sqlite3.Connection, sql: str) -> None:
    """Execute ``sql`` on the schema as it was, if SQLite accepts it there."""
    db.execute("ROLLBACK TO example")
    try:
        db.execute(sql)
    except sqlite3.Error:
        reject()


def columns_of(db: sqlite3.Connection, table: str) -> Rows:
    """Return the names of the columns, and whether they are generated."""
    return [
        (name, bool(hidden))
        for name, hidden in db.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
    ]


def names(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE sql <> ''")}


@deeply
@given(sql=texts(table_creation))
def test_a_table_has_the_name_and_columns_that_are_read(db: sqlite3.Connection, sql: str) -> None:
    assume_done(db, sql)
    command = read_command(sql)

    assert isinstance(command, CreateTable)
    made = columns_of(db, command.name.name)
    if command.query is None:
        assert [(each.name, each.is_generated) for each in command.columns] == made
        assert command.stored_columns == tuple(name for name, hidden in made if not hidden)
    else:
        rewritten = f"EXPLAIN {rendered(command.query)}"
        assert len(made) == len(command.query.selects[0].columns)
        assert db.execute(rewritten)


@deeply
@given(sql=texts(index_creation))
def test_an_index_is_on_the_table_and_terms_that_are_read(db: sqlite3.Connection, sql: str) -> None:
    assume_done(db, sql)
    command = read_command(sql)

    assert isinstance(command, CreateIndex)
    listed = db.execute(
        'SELECT name, "unique", partial FROM pragma_index_list(?)', (command.table,)
    )
    assert (command.name.name, command.is_unique, bool(command.where)) in listed.fetchall()
    terms = db.execute("SELECT count(*) FROM pragma_index_info(?)", (command.name.name,))
    assert len(command.terms) == terms.fetchone()[0]


@deeply
@given(sql=texts(view_creation))
def test_a_view_made_again_from_what_is_read_is_the_same(db: sqlite3.Connection, sql: str) -> None:
    assume_done(db, sql)
    command = read_command(sql)

    assert isinstance(command, CreateView)
    shows = f"SELECT * FROM {quote_name(command.name.name)}"
    try:
        before = columns_of(db, command.name.name)
        program = db.execute(f"EXPLAIN {shows}").fetchall()
    except sqlite3.OperationalError:  # it is looked at only now
        reject()
    db.execute(f"DROP VIEW {quote_name(command.name.name)}")
    db.execute(rendered(command))
    if command.columns:
        assert columns_of(db, command.name.name) == before
    again = db.execute(f"EXPLAIN {shows}").fetchall()
    assert without_schema(again) == without_schema(program)


def without_schema(program: Rows) -> Rows:
    """Return ``program`` without the number of the schema, and how values are copied in it."""
    return [
        (at, opcode.replace("SCopy", "Copy"), *rest)
        for at, opcode, *rest in program
        if opcode != "Transaction"
    ]


@deeply
@given(sql=texts(trigger_creation))
def test_a_trigger_made_again_from_what_is_read_does_the_same(
    db: sqlite3.Connection, sql: str
) -> None:
    assume_done(db, sql)
    command = read_command(sql)

    assert isinstance(command, CreateTrigger)
    assert command.table is not None
    table = quote_name(command.table.name)
    column = quote_name(command.columns[0]) if command.columns else "id"
    fires = {
        "insert": f"INSERT INTO {table} DEFAULT VALUES",
        "update": f"UPDATE {table} SET {column} = 3",
        "delete": f"DELETE FROM {table}",
    }[command.event]
    try:
        program = db.execute(f"EXPLAIN {fires}").fetchall()
    except sqlite3.OperationalError:  # it is looked at only now
        reject()
    db.execute(f"DROP TRIGGER {quote_name(command.name.name)}")
    db.execute(rendered(command))
    again = db.execute(f"EXPLAIN {fires}").fetchall()
    assert without_schema(again) == without_schema(program)


@deeply
@given(sql=texts(alteration))
def test_an_alteration_does_what_is_read(db: sqlite3.Connection, sql: str) -> None:
    db.execute("ROLLBACK TO example")
    command = read_command(sql)

    assert isinstance(command, RenameTable | RenameColumn | AddColumn | DropColumn)
    before = [name for name, _ in columns_of(db, command.table.name)]
    assume_done(db, sql)
    table = command.new if isinstance(command, RenameTable) else command.table.name
    after = [name for name, _ in columns_of(db, table)]
    if isinstance(command, RenameTable):
        assert fold_name(command.table.name) not in map(fold_name, names(db))
        assert after == before
    elif isinstance(command, RenameColumn):
        folded = fold_name(command.column)
        assert after == [command.new if fold_name(n) == folded else n for n in before]
    elif isinstance(command, AddColumn):
        assert after == [*before, command.column]
    else:
        assert after == [n for n in before if fold_name(n) != fold_name(command.column)]


@deeply
@given(sql=texts(drop))
def test_a_drop_drops_what_is_read(db: sqlite3.Connection, sql: str) -> None:
    db.execute("ROLLBACK TO example")
    before = names(db)
    assume_done(db, sql)
    command = read_command(sql)

    assert isinstance(command, Drop)
    assert [fold_name(name) for name in before - names(db)] == [command.name.folded]


@pytest.mark.parametrize("pragma", ["foreign_keys", "main.Foreign_Keys", "[foreign_keys]"])
@pytest.mark.parametrize(
    "value",
    [
        *("on", "ON", "'on'", '"yes"', "true", "off", "no", "false", "full", "extra", "nonsense"),
        *("0", "1", "2", "-1", "+1", "255", "256", "257", "0x10", "1.5", "0.5", "99999999999"),
    ],
)
@pytest.mark.parametrize("form", ["PRAGMA {} = {}", "pragma {}({})", "PRAGMA/**/{}={} -- on"])
def test_a_pragma_is_on_where_sqlite_turns_it_on(form: str, pragma: str, value: str) -> None:
    sql = form.format(pragma, value)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(sql)
        (is_on,) = db.execute("PRAGMA foreign_keys").fetchone()
    command = read_command(sql)

    assert isinstance(command, Pragma)
    assert command.is_called("foreign_keys")
    assert command.is_on is bool(is_on)


CONTROLS = [
    *("BEGIN", "begin immediate", "BEGIN TRANSACTION", "COMMIT", "END", "end transaction"),
    *("ROLLBACK", "rollback transaction", "ROLLBACK TO example", "RELEASE example"),
    *('ROLLBACK TRANSACTION TO SAVEPOINT "ex ample"', "rollback to savepoint example"),
    *("SAVEPOINT example", "savepoint 'ex ample'", "release savepoint [ex ample]"),
    *("SAVEPOINT savepoint", "RELEASE SAVEPOINT savepoint", "ROLLBACK TO release"),
    *('BEGIN EXCLUSIVE TRANSACTION "to"', "ROLLBACK TRANSACTION name TO name"),
]
DONE = {"BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}
SAVED = {"BEGIN": "savepoint", "RELEASE": "release", "ROLLBACK": "rollback"}


@pytest.mark.parametrize("sql", CONTROLS)
def test_the_control_of_a_transaction_is_what_the_authorizer_is_asked_for(sql: str) -> None:
    asked = []

    def authorize(action: int, one: str | None, two: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_TRANSACTION:
            asked.append(Control(DONE[one or ""]))
        elif action == sqlite3.SQLITE_SAVEPOINT:
            asked.append(Control(SAVED[one or ""], two or ""))
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(":memory:")) as db:
        db.set_authorizer(authorize)
        db.execute(f"EXPLAIN {sql}")

    assert asked == [read_command(sql)]
