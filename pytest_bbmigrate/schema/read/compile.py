"""Find out which views and triggers SQLite can still compile.

A view is compiled when it is selected from, a trigger when its event is prepared; EXPLAIN does
either without running anything. SQLite's message does not name the trigger at fault. So when an
event does not compile, its triggers are tried one at a time, on a copy of the database.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.entries import fetch_all
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import closed_on_failure, open_image, take_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pytest_bbmigrate.schema.model import Table
    from pytest_bbmigrate.sql.schema_clauses import CreateTrigger

EVENTS = ("delete", "insert", "update")
# These are faults of a connection, not of a schema: that to a copy has no functions of the app.
LACKING_SETUP = (
    "no such function",
    "unknown function",
    "no such collation sequence",
    "no such module",
)


def is_at_fault(error: str | None) -> bool:
    """Return whether an ``error`` of a view or trigger is its own, and not one of the set-up."""
    return error is not None and not error.startswith(LACKING_SETUP)


def view_error(db: sqlite3.Connection, view: str) -> str | None:
    """Return why ``view`` does not compile, or None."""
    return _error(db, f"EXPLAIN SELECT * FROM main.{quote_name(view)} LIMIT 0")


def trigger_errors(
    db: sqlite3.Connection,
    triggers: Mapping[str, tuple[str, CreateTrigger]],
    tables: Mapping[str, Table],
) -> dict[str, str]:
    """Return the errors of those ``triggers`` (name to table and clauses) that do not compile.

    ``tables`` are those of the schema, by case-folded name.

    A trigger ``UPDATE OF`` a missing column compiles, but never fires; that counts as an error too,
    in our own words.
    """
    columns_of = partial(_writable_columns, db, tables)
    by_event: dict[tuple[str, str], list[str]] = {}
    errors: dict[str, str] = {}
    for name, (table, trigger) in triggers.items():
        by_event.setdefault((table, trigger.event), []).append(name)
        watched = trigger.columns
        present = {fold_name(column) for column in columns_of(table)} if watched else set()
        missing = [column for column in watched if fold_name(column) not in present]
        if missing:
            errors[name] = f"UPDATE OF {missing[0]}: no such column"
    failing = []
    for (table, event), names in by_event.items():
        statement = _statement(table, event, columns_of)
        error = _error(db, statement)
        if error is not None:
            failing.append((names, statement, error))
    return errors | (_triggers_at_fault(db, failing) if failing else {})


def _error(db: sqlite3.Connection, sql: str) -> str | None:
    try:
        db.execute(sql).close()
    except sqlite3.OperationalError as error:
        return str(error)
    return None


def _writable_columns(db: sqlite3.Connection, tables: Mapping[str, Table], name: str) -> list[str]:
    """Return the columns of a table or view that can be set; none for a broken view."""
    table = tables.get(fold_name(name))
    if table is not None:
        return [column.name for column in table.columns if not column.generated]
    try:
        return [
            column
            for (column,) in fetch_all(db, "SELECT name FROM pragma_table_xinfo(?, 'main')", name)
        ]
    except sqlite3.OperationalError:
        return []


def _statement(table: str, event: str, columns_of: Callable[[str], list[str]]) -> str:
    target = f"main.{quote_name(table)}"
    if event == "insert":
        return f"EXPLAIN INSERT INTO {target} DEFAULT VALUES"
    if event == "delete":
        return f"EXPLAIN DELETE FROM {target}"
    columns = [quote_name(column) for column in columns_of(table)] or ["rowid"]
    return f"EXPLAIN UPDATE {target} SET " + ", ".join(f"{name} = {name}" for name in columns)


def _triggers_at_fault(
    db: sqlite3.Connection, failing: Sequence[tuple[Sequence[str], str, str]]
) -> dict[str, str]:
    """Return the errors of the triggers that fail alone; if none does, of all in ``failing``.

    ``failing`` are (triggers of an event, its statement, its error). A trigger is not at fault if
    it fails only because of a trigger on another table that it fires.
    """
    errors: dict[str, str] = {}
    with closing(_copy_of(db)) as copy:
        for names, statement, error in failing:
            for name in names:
                alone = _error_alone(copy, name, statement)
                if alone is not None and (alone == error or not alone.startswith(LACKING_SETUP)):
                    errors[name] = alone
    return errors or {name: error for names, _, error in failing for name in names}


def _copy_of(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of ``main`` in memory; of a file, which may be large, only its schema."""
    ((file,),) = fetch_all(db, "SELECT file FROM pragma_database_list WHERE name = 'main'")
    if not os.path.isabs(file):  # noqa: PTH117 - a database in memory has a name, no path
        return open_image(take_image(db))
    copy = open_image(b"")
    entries = (
        "SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL "
        "ORDER BY instr('table index view trigger', type), rowid"
    )
    with closed_on_failure(copy):
        for (sql,) in fetch_all(db, entries):
            _error(copy, sql)  # which fails for tables that SQLite makes itself
        return copy


def _error_alone(copy: sqlite3.Connection, trigger: str, statement: str) -> str | None:
    """Return the error of ``statement`` with all other triggers on tables dropped, or None."""
    copy.execute("SAVEPOINT alone")
    for other in _other_triggers(copy, trigger):
        copy.execute(f"DROP TRIGGER main.{quote_name(other)}")
    error = _error(copy, statement)
    copy.execute("ROLLBACK TO alone")
    return error


def _other_triggers(db: sqlite3.Connection, trigger: str) -> Iterable[str]:
    """Return the other triggers on tables; those on views stay, else views could not be written."""
    sql = (
        "SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND name <> ? AND tbl_name "
        "COLLATE NOCASE IN (SELECT name FROM main.sqlite_master WHERE type = 'table')"
    )
    return [name for (name,) in fetch_all(db, sql, trigger)]
