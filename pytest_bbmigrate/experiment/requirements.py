"""Make generated rows meet what later migrations require of rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.references import missing_part, orphaned_where
from pytest_bbmigrate.seeding.filling.connecting import refusal_of_deletion
from pytest_bbmigrate.seeding.filling.references import dangling_rows
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.sqlite_files.in_time import GivenUp, given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pytest_bbmigrate.contract import Change, Contract, Delete, Requirement
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key

    Orphans = Mapping[tuple[str, tuple[str, ...]], frozenset[Key]]


def keep_requirements(
    db: sqlite3.Connection,
    schema: Schema,
    requires: tuple[Requirement, ...],
    own_tables: Collection[str] = (),
) -> int:
    """Delete generated rows that break a requirement, and rows that refer to them; return how many.

    New rows are generated to meet the requirements. This is for rows that were generated before a
    rename or a rebuild gave a table or column the name that a requirement uses. Rows of
    ``own_tables`` (folded) are the user's: they stay, and show what an apply would meet; so do rows
    that a trigger keeps from being deleted.
    """
    deleted = 0
    lost_from: set[str] = set()
    there: Orphans | None = None
    for required in requires:
        table = schema.table(required.table)
        if table is None or fold_name(table.name) in own_tables:
            continue
        condition = broken_condition(table, required)
        is_broken = requirement_error(db, schema, required) is None and is_met(db, table, condition)
        if is_broken:
            there = orphans_there(db, schema) if there is None else there
            count = delete_where(db, quote_name(table.name), condition)
            lost_from |= {fold_name(table.name)} if count else set()
            deleted += count
    return deleted + delete_all_orphans(db, schema, lost_from, there or {})


def requirement_error(db: sqlite3.Connection, schema: Schema, required: Requirement) -> str | None:
    """Return why ``required`` cannot be evaluated on this schema, None if it can."""
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


def time_error(db: sqlite3.Connection, schema: Schema, required: Requirement) -> str:
    """Return that it takes too long to look for rows that break ``required``, '' where it does not.

    Other errors depend on the rows, and are those of a migration that meets these.
    """
    table = schema.table(required.table)
    if table is None or required.expression is None:
        return ""
    query = (
        f"SELECT count(*) FROM {quote_name(table.name)} WHERE {broken_condition(table, required)}"
    )
    try:
        with given_up_in_time(db):
            db.execute(query).fetchone()
    except GivenUp as error:
        return str(error)
    except sqlite3.Error:
        return ""
    return ""


@dataclass(frozen=True)
class FailingCondition:
    """A condition of a contract that cannot be evaluated, its place there, and SQLite's error."""

    line: int
    path: Path | None
    condition: str
    error: str


def condition_errors(state: SeededState, contract: Contract) -> tuple[FailingCondition, ...]:
    """Return each ``where`` and ``requires`` that cannot be evaluated."""
    declared: tuple[Change | Delete, ...] = (*contract.changes, *contract.deletes)
    with_where = [declaration for declaration in declared if declaration.where is not None]
    if not with_where and not contract.requires:
        return ()
    errors = []
    schema = state.schema
    with closing(open_image(state.image)) as db:
        for required in contract.requires:
            if error := requirement_error(db, schema, required) or time_error(db, schema, required):
                text = required.expression or f"unique {', '.join(required.unique)}"
                errors.append(FailingCondition(required.line, required.path, text, error))
        for declaration in with_where:
            table = schema.table(declaration.table)
            if table is None:
                continue  # a missing table has a finding of its own
            query = f"SELECT 1 FROM {quote_name(table.name)} WHERE ({declaration.where}\n)"
            try:
                with given_up_in_time(db):
                    db.execute(query)
            except sqlite3.Error as raised:
                errors.append(
                    FailingCondition(
                        declaration.line, declaration.path, declaration.where or "", str(raised)
                    )
                )
    return tuple(errors)


def broken_condition(table: Table, required: Requirement) -> str:
    """Return the SQL condition that selects the rows of ``table`` which break ``required``.

    Of rows with equal unique columns all but one break it; NULL equals nothing
    (https://sqlite.org/lang_createtable.html#unique_constraints).
    """
    if required.expression is not None:
        return f"NOT coalesce(({required.expression}\n), 1)"
    columns = ", ".join(map(quote_name, required.unique))
    present = " AND ".join(f"{quote_name(column)} IS NOT NULL" for column in required.unique)
    identity = ", ".join(map(quote_name, table.primary_key)) if table.without_rowid else "rowid"
    kept = f"SELECT {identity} FROM {quote_name(table.name)} WHERE {present} GROUP BY {columns}"
    return f"{present} AND ({identity}) NOT IN ({kept})"


def is_met(db: sqlite3.Connection, table: Table, condition: str) -> bool:
    """Return whether a row of ``table`` meets a condition; not where it cannot be asked of all."""
    query = f"SELECT EXISTS (SELECT 1 FROM {quote_name(table.name)} WHERE {condition})"
    try:
        with given_up_in_time(db):
            return bool(db.execute(query).fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def delete_where(db: sqlite3.Connection, target: str, condition: str) -> int:
    """Delete the rows of ``target`` that meet a condition; return how many, 0 if it is refused."""
    try:
        with given_up_in_time(db):
            return db.execute(f"DELETE FROM {target} WHERE {condition}").rowcount
    except sqlite3.DatabaseError:  # a trigger refuses, or finds its index out of step
        return 0


def orphans_there(db: sqlite3.Connection, schema: Schema) -> Orphans:
    """Return the rows that have no parent row, by table (folded) and the columns that refer."""
    found = {
        (fold_name(table.name), key.columns): frozenset(dangling_rows(db, table, key))
        for table in schema.tables
        for key in table.foreign_keys
        if not missing_part(schema, key)
    }
    return {place: rows for place, rows in found.items() if rows}


def delete_all_orphans(
    db: sqlite3.Connection, schema: Schema, lost_from: Collection[str], there: Orphans
) -> int:
    """Delete rows that have lost their parent row, and what refers to those; return how many.

    Rows were ``lost_from`` these tables (folded). The orphans that were ``there`` before stay.
    """
    deleted, waiting = 0, set(lost_from)
    while waiting:
        latest, waiting = waiting, set()
        for table in schema.tables:
            for key in table.foreign_keys:
                if fold_name(key.parent) in latest and not missing_part(schema, key):
                    count = delete_orphans(db, schema, table, key, there)
                    deleted += count
                    waiting |= {fold_name(table.name)} if count else set()
    return deleted


def delete_orphans(
    db: sqlite3.Connection, schema: Schema, table: Table, key: ForeignKey, there: Orphans
) -> int:
    """Delete rows of ``table`` whose parent by ``key`` does not exist; return how many."""
    kept = there.get((fold_name(table.name), key.columns))
    if not kept:
        target = f"{quote_name(table.name)} AS c"
        return delete_where(db, target, orphaned_where("main", schema, key))
    lost = [row for row in dangling_rows(db, table, key) if row not in kept]
    return sum(not refusal_of_deletion(db, table, row) for row in lost)
