"""Rows of a database that break its constraints already: counted, without their values."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sqlite_files.soundness import row_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.schema import Schema, Table


def read_violations(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return which rows of ``db`` break a CHECK, or refer to a row that is not there, in words.

    Tables without a constraint of these kinds are not read.

    Raises: sqlite3.Error, as when a CHECK calls a function that the connection lacks.
    """
    schema = read_schema(db)
    return (*_checked(db, schema), *_dangling(db, schema))


def _checked(db: sqlite3.Connection, schema: Schema) -> Iterator[str]:
    """Yield, for each table, how many rows break a CHECK; those that come to NULL hold."""
    for table in schema.tables:
        if table.checks:
            broken = " OR ".join(f"NOT ({check.text})" for check in table.checks)
            query = f"SELECT count(*) FROM {quote_name(table.name)} WHERE {broken}"
            if count := db.execute(query).fetchone()[0]:
                yield f"{row_count(count)} of {table.name} breaking a CHECK constraint"


def _dangling(db: sqlite3.Connection, schema: Schema) -> Iterator[str]:
    """Yield, for each table, how many rows refer to nothing, and what they should refer to."""
    for table in schema.tables:
        if table.foreign_keys:
            yield from _dangling_in(db, table)


def _dangling_in(db: sqlite3.Connection, table: Table) -> Iterator[str]:
    dangling: Counter[str] = Counter()
    try:
        for _, _, parent, _ in db.execute(f"PRAGMA foreign_key_check({quote_name(table.name)})"):
            dangling[parent] += 1
    except sqlite3.OperationalError as error:
        if not str(error).startswith("foreign key mismatch"):
            raise
        yield f"a foreign key of {table.name} that refers to no key ({error})"
    for parent, count in dangling.items():
        yield f"{row_count(count)} of {table.name} referring to a row of {parent} that is not there"
