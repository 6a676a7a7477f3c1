"""Keep generated rows to what later migrations require of the rows that are there by then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.references import missing_part, orphaned_where
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_bbmigrate.contract import Change, Contract, Delete, Requirement
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.schema import Schema, Table


def keep_requirements(
    db: sqlite3.Connection,
    schema: Schema,
    requires: tuple[Requirement, ...],
    own_tables: Collection[str] = (),
) -> int:
    """Delete generated rows that break a requirement, and what refers to them; return how many.

    The filler keeps to requirements by itself where names are already what they will be; this is
    for those that only now, after a rename or a rebuild, name something. Rows of ``own_tables``
    (folded) are the user's: they stay, and show what an apply would meet.
    """
    deleted = 0
    for required in requires:
        table = schema.table(required.table)
        if table is None or fold_name(table.name) in own_tables:
            continue
        condition = broken_condition(table, required)
        if requirement_error(db, schema, required) is None:
            deleted += db.execute(
                f"DELETE FROM {quote_name(table.name)} WHERE {condition}"
            ).rowcount
    orphans = deleted
    while orphans:
        orphans = delete_orphans(db, schema)
        deleted += orphans
    return deleted


def requirement_error(db: sqlite3.Connection, schema: Schema, required: Requirement) -> str | None:
    """Return why ``required`` means nothing on this schema, None when it can be asked."""
    table = schema.table(required.table)
    if table is None:
        return f"no such table: {required.table}"
    for column in required.unique:
        if table.column(column) is None:
            return f"no such column: {required.table}.{column}"
    try:
        condition = broken_condition(table, required)
        db.execute(f"SELECT 1 FROM {quote_name(table.name)} WHERE {condition} LIMIT 0")
    except sqlite3.Error as error:
        return str(error)
    return None


def condition_errors(state: SeededState, contract: Contract) -> tuple[tuple[int, str, str], ...]:
    """Return each ``where`` and ``requires`` that cannot be asked: (line, its text, the error)."""
    both: tuple[Change | Delete, ...] = (*contract.changes, *contract.deletes)
    declared = [condition for condition in both if condition.where is not None]
    if not declared and not contract.requires:
        return ()
    found = []
    schema = state.schema
    with closing(open_image(state.image)) as db:
        for required in contract.requires:
            if error := requirement_error(db, schema, required):
                text = required.expression or f"unique {', '.join(required.unique)}"
                found.append((required.line, text, error))
        for condition in declared:
            table = schema.table(condition.table)
            if table is None:
                continue  # that the table is not there is said of the name
            try:
                db.execute(f"SELECT 1 FROM {quote_name(table.name)} WHERE ({condition.where}\n)")
            except sqlite3.Error as error:
                found.append((condition.line, condition.where or "", str(error)))
    return tuple(found)


def broken_condition(table: Table, required: Requirement) -> str:
    """Return the SQL condition that selects the rows of ``table`` which break ``required``.

    Of rows with equal unique columns one stays; NULL equals nothing
    (https://sqlite.org/lang_createtable.html#unique_constraints).
    """
    if required.expression is not None:
        return f"NOT coalesce(({required.expression}\n), 1)"
    columns = ", ".join(map(quote_name, required.unique))
    present = " AND ".join(f"{quote_name(column)} IS NOT NULL" for column in required.unique)
    identity = ", ".join(map(quote_name, table.primary_key)) if table.without_rowid else "rowid"
    kept = f"SELECT {identity} FROM {quote_name(table.name)} WHERE {present} GROUP BY {columns}"
    return f"{present} AND ({identity}) NOT IN ({kept})"


def delete_orphans(db: sqlite3.Connection, schema: Schema) -> int:
    """Delete rows whose parent is gone; return how many there were."""
    return sum(
        db.execute(
            f"DELETE FROM {quote_name(table.name)} AS c WHERE {orphaned_where('main', schema, key)}"
        ).rowcount
        for table in schema.tables
        for key in table.foreign_keys
        if not missing_part(schema, key)
    )
