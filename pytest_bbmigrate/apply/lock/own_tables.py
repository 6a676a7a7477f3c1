"""Writing to our own tables, and to no other: what is written after the last look at the rows."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.own_tables import OWN_TABLES
from pytest_bbmigrate.sqlite_files.failures import primary_code
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITES = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)


def refuse_triggers(db: sqlite3.Connection) -> None:
    """Make sure that ``db`` has no trigger on a table of ours: it would run after all was judged.

    Raises: StepFailed.
    """
    sql = "SELECT name, lower(tbl_name) FROM main.sqlite_schema WHERE type = 'trigger'"
    for name, table in db.execute(sql).fetchall():
        if table in OWN_TABLES:
            raise StepFailed(
                f"the table {table} has a trigger, {visible_line(name)}, which would change rows "
                "when every check has looked at them: drop that, and run again"
            )


@contextmanager
def writing_ours(db: sqlite3.Connection) -> Iterator[None]:
    """Let ``db`` write to our own tables alone in the block, by no trigger or foreign key.

    Raises: StepFailed when it would write to another.
    """

    def authorise(
        action: int, table: str | None, _: str | None, __: str | None, by: str | None
    ) -> int:
        is_ours = table is not None and is_own(table)
        return (
            sqlite3.SQLITE_OK
            if action not in WRITES or (is_ours and by is None)
            else sqlite3.SQLITE_DENY
        )

    db.set_authorizer(authorise)
    try:
        yield
    except sqlite3.DatabaseError as error:
        if primary_code(error) != sqlite3.SQLITE_AUTH:
            raise
        raise StepFailed(
            "a trigger, or a foreign key, would change rows when the history is written, after "
            "every check has looked at them; nothing was published: drop that, and run again"
        ) from error
    finally:
        db.set_authorizer(None)


def is_own(table: str) -> bool:
    """Return whether ``table`` is ours, or SQLite's own."""
    return fold_name(table) in OWN_TABLES or fold_name(table).startswith("sqlite_")
