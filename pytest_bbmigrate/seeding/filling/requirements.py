"""Keep rows to what later migrations require, as if it were a constraint already."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, row_key
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.context import Context

PREFIX = "_bb_required"


@contextmanager
def requirements_enforced(
    db: sqlite3.Connection, context: Context, tables: Iterable[Table]
) -> Iterator[None]:
    """Enforce the recipe's requirements on ``tables`` while the block runs.

    A unique index, dropped again, and temporary triggers do it, so that SQLite itself judges. What
    does not compile here, or what rows already there do not meet, is not enforced.
    """
    made: list[str] = []
    try:
        pairs = [(table, one) for table in tables for one in context.requirements(table)]
        for number, (table, requirement) in enumerate(pairs):
            for kind, name, sql in _statements(db, table, requirement, f"{PREFIX}_{number}"):
                if _took(db, sql):
                    made.append(f"{kind} IF EXISTS {name}")
        yield
    finally:
        for item in made:
            db.execute(f"DROP {item}")


def _statements(
    db: sqlite3.Connection, table: Table, requirement: Requirement, name: str
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and CREATE statement of what enforces ``requirement``."""
    target = quote_name(table.name)
    if requirement.unique:
        sql = f"CREATE UNIQUE INDEX main.{name} ON {target} ({listed(requirement.unique)})"
        yield "INDEX", f"main.{name}", sql
    expression = requirement.expression
    if expression is None or not _took(db, f"SELECT ({expression}\n) FROM main.{target} LIMIT 0"):
        return
    same = " AND ".join(f"{column} IS NEW.{column}" for column in row_key(table))
    message = f"requires {table.name}: {expression}".replace("'", "''")
    for event in ("INSERT", "UPDATE"):
        sql = (
            f"CREATE TEMP TRIGGER {name}_{event} AFTER {event} ON main.{target} WHEN EXISTS"
            f" (SELECT 1 FROM main.{target} WHERE {same} AND NOT ({expression}\n))"
            f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        yield "TRIGGER", f"temp.{name}_{event}", sql


def _took(db: sqlite3.Connection, sql: str) -> bool:
    """Return whether SQLite ran ``sql``."""
    try:
        db.execute(sql)
    except (sqlite3.Error, sqlite3.Warning):
        return False
    return True
