"""Requirements of later migrations, enforced while rows are generated."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import listed, row_key
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sqlite_files.in_time import GivenUp, given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.seeding.filling.context import Context

PREFIX = "_bb_required"


@dataclass(frozen=True)
class Enforced:
    """The index or trigger, ready for DROP, that enforces a requirement on ``table``."""

    table: Table
    item: str


@contextmanager
def requirements_enforced(
    db: sqlite3.Connection, context: Context, tables: Iterable[Table]
) -> Iterator[list[Enforced]]:
    """Enforce the recipe's requirements on ``tables`` while the block runs; give what does so.

    SQLite itself does it, by a unique index and temporary triggers, which are dropped again. What
    does not compile here, takes too long, or what rows that are there do not meet, is not enforced;
    nor is that a row has children, which come later.
    """
    created: list[Enforced] = []
    try:
        pairs = [
            (table, requirement)
            for table in tables
            for requirement in context.requirements(table)
            if not context.asks_for_children(table, requirement)
        ]
        for number, (table, requirement) in enumerate(pairs):
            for kind, name, sql in _statements(db, table, requirement, f"{PREFIX}_{number}"):
                if _runs(db, sql):
                    created.append(Enforced(table, f"{kind} IF EXISTS {name}"))
        yield created
    finally:
        drop_enforced(db, created)


def drop_enforced(db: sqlite3.Connection, some: Iterable[Enforced]) -> None:
    """Enforce ``some`` of the requirements no longer."""
    for one in some:
        db.execute(f"DROP {one.item}")


def _statements(
    db: sqlite3.Connection, table: Table, requirement: Requirement, name: str
) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, name and CREATE statement of all that enforces ``requirement``."""
    target = quote_name(table.name)
    if requirement.unique:
        sql = f"CREATE UNIQUE INDEX main.{name} ON {target} ({listed(requirement.unique)})"
        yield "INDEX", f"main.{name}", sql
    expression = requirement.expression
    if expression is None or not _runs(db, f"SELECT ({expression}\n) FROM main.{target} LIMIT 0"):
        return
    if not _ends(db, f"SELECT ({expression}\n) FROM (SELECT 1) LEFT JOIN main.{target} LIMIT 1"):
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


def _ends(db: sqlite3.Connection, query: str) -> bool:
    """Return whether ``query`` does not take too long."""
    try:
        with given_up_in_time(db):
            db.execute(query).fetchone()
    except GivenUp:
        return False
    except (sqlite3.Error, sqlite3.Warning):
        return True
    return True


def _runs(db: sqlite3.Connection, sql: str) -> bool:
    """Run ``sql``; return whether SQLite accepted it."""
    try:
        db.execute(sql)
    except (sqlite3.Error, sqlite3.Warning):
        return False
    return True
