"""A clock that has gone on between a row that a migration has stamped and another stamp on it.

The state before a migration is made moments before it runs. Where both write the time in seconds,
whether a value is another one would be a matter of chance; on real rows it is always another one.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.way_back import is_new
from pytest_bbmigrate.sql import folded, quote_name
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateTable
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    import sqlite3

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.reading import Command

FORMS = ("%H:%M:%S", "%H%M%S")  # of a time within a text
MOST_COLUMNS = 200  # in one condition, which SQLite takes to a depth of 1,000


def wait_for_next_second(migration: Migration, state: SeededState) -> None:
    """Wait until no row of ``state`` is of this second, if ``migration`` may stamp it anew."""
    parts = [part for part in (migration.up, migration.down) if part is not None]
    if not any(may_stamp_rows(part, state.schema) for part in parts):
        return
    second = int(time.time())
    with closing(open_image(state.image)) as db:
        tables = [table for table in state.schema.tables if table.virtual is None]
        is_fresh = any(has_time(db, table, second) for table in tables)
    while is_fresh and int(time.time()) == second:
        time.sleep(max(0.0, second + 1 - time.time()))


def may_stamp_rows(part: Part, schema: Schema) -> bool:
    """Return whether a part may write the time of day into rows that are there before it."""
    if not isinstance(part, SqlPart):
        return True
    texts = [statement.text for statement in part.statements]
    if not any(may_write_over(read_shape(text)) for text in texts):
        return False
    own = any(is_new(folded(text)) for text in texts)
    return own or any(is_new(trigger.tokens) for trigger in schema.triggers)


def may_write_over(command: Command) -> bool:
    """Return whether a statement may leave other values in the place of those that are there."""
    if isinstance(command, CreateTable):
        return command.query is not None
    if isinstance(command, Insert):
        return not command.rows or bool(command.upserts) or command.conflict == "replace"
    return isinstance(command, Update)


def has_time(db: sqlite3.Connection, table: Table, second: int) -> bool:
    """Return whether a cell of ``table`` tells this ``second`` since 1970, in either zone."""
    moments = (time.gmtime(second), time.localtime(second))
    texts = {time.strftime(form, moment) for form in FORMS for moment in moments}
    names = [quote_name(column.name) for column in table.columns][:MOST_COLUMNS]
    told = [f"{name} IN ({second}, {second * 1000})" for name in names]
    told += [f"instr({name}, '{text}')" for name in names for text in sorted(texts)]
    query = f"SELECT 1 FROM {quote_name(table.name)} WHERE {' OR '.join(told)} LIMIT 1"
    return db.execute(query).fetchone() is not None
