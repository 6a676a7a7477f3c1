"""Rows that SQLite lets nobody delete, because others refer to them.

SQLite finds that out for each row anew, in all tables that refer to it, after it has taken it from
all indexes (https://sqlite.org/foreignkeys.html, 3).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import is_known_by_rowid, row_key, select
from pytest_bbmigrate.seeding.filling.references import missing_parent
from pytest_bbmigrate.seeding.values.accepted import REFUSALS
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.schema import ForeignKey, Schema, Table

REFUSING = frozenset({"NO ACTION", "RESTRICT"})


def held_rows(
    db: sqlite3.Connection, schema: Schema, table: Table, keys: Sequence[Key]
) -> frozenset[Key]:
    """Return those of ``keys`` whose rows no DELETE takes, whatever else of them is deleted first.

    Foreign keys are on, and no transaction is open. There may be more of them: nothing is said
    where a row that refers could go or change meanwhile, by a trigger or another foreign key.
    """
    held: set[Key] = set()
    if not is_known_by_rowid(table) or _has_triggers(db, schema) or not _stays(table):
        return frozenset()
    for child, key in _references(schema, table):
        if left := [wanted for wanted in keys if wanted not in held]:
            with suppress(*REFUSALS):  # a DELETE meets with the same
                held.update(_referred(db, child, key, table, left))
    return frozenset(held)


def _has_triggers(db: sqlite3.Connection, schema: Schema) -> bool:
    """Return whether there is any trigger; the app's hook may have made temporary ones."""
    sql = "SELECT 1 FROM sqlite_temp_master WHERE type = 'trigger' LIMIT 1"
    return bool(schema.triggers) or bool(select(db, sql))


def _references(schema: Schema, table: Table) -> Iterator[tuple[Table, ForeignKey]]:
    """Yield the foreign keys to ``table`` that refuse, of other tables whose rows stay."""
    for child in schema.tables:
        if child is table or not _stays(child):
            continue
        for key in child.foreign_keys:
            if same_name(key.parent, table.name) and not missing_parent(schema, key):
                yield child, key


def _stays(table: Table) -> bool:
    """Return whether no foreign key of ``table`` deletes or changes its rows with others."""
    return all({key.on_delete, key.on_update} <= REFUSING for key in table.foreign_keys)


def _referred(
    db: sqlite3.Connection, child: Table, key: ForeignKey, table: Table, keys: Sequence[Key]
) -> list[Key]:
    """Return those of ``keys`` that a row of ``child`` refers to, compared as a DELETE does it."""
    (name,) = row_key(table)
    same = " AND ".join(
        f"parent.{quote_name(theirs)} = child.{quote_name(ours)}"
        for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
    )
    return select(
        db,
        f"SELECT parent.{name} FROM main.{quote_name(table.name)} AS parent"
        f" WHERE parent.{name} IN ({', '.join('?' * len(keys))}) AND EXISTS"
        f" (SELECT 1 FROM main.{quote_name(child.name)} AS child WHERE {same})",
        [number for (number,) in keys],
    )
