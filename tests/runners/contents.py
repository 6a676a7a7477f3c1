"""What a database holds but for the tables of tools, exactly, in a form that can be compared."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

OF_TOOLS = frozenset(
    {
        "schema_migrations",
        "_sqlx_migrations",
        "_prisma_migrations",
        "__drizzle_migrations",
        "d1_migrations",
        "_cf_metadata",
        "_cf_kv",
        "_yoyo_migration",
        "_yoyo_log",
        "_yoyo_version",
        "yoyo_lock",
        "_sqlite_migrations",
        "migration_version",
    }
)


def lines_of(content: Path | bytes) -> tuple[str, ...]:
    """Return a line for each object and each row, with its rowid or place in the key.

    A sequence counts where the table that it is of is there.
    """
    with closing(_opened(content)) as db:
        return tuple(sorted(_lines(db)))


def differences(real: Collection[str], ours: Collection[str]) -> tuple[str, ...]:
    """Return what only one of two has, as lines of a diff: ``-`` the tool's, ``+`` ours."""
    return (
        *(f"- {line}" for line in sorted(set(real) - set(ours))),
        *(f"+ {line}" for line in sorted(set(ours) - set(real))),
    )


def _opened(content: Path | bytes) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:" if isinstance(content, bytes) else content)
    if isinstance(content, bytes) and content:
        # An image says that it is in WAL mode, which a database in memory cannot be in.
        db.deserialize(content[:18] + b"\x01\x01" + content[20:])
    return db


def _lines(db: sqlite3.Connection) -> Iterator[str]:
    objects = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    tables = {name for kind, name, _, _ in objects if kind == "table"}
    for kind, name, table, sql in objects:
        if table.lower() in OF_TOOLS or name == "sqlite_sequence":
            continue
        yield f"{kind} {name}: {sql}"
        if kind == "table":
            yield from _rows(db, name)
    if "sqlite_sequence" in tables:
        for name, sequence in db.execute("SELECT name, seq FROM sqlite_sequence"):
            if name.lower() not in OF_TOOLS and name in tables:
                yield f"sequence {name}: {sequence}"


def _rows(db: sqlite3.Connection, table: str) -> Iterator[str]:
    quoted = '"' + table.replace('"', '""') + '"'
    columns = [row[1] for row in db.execute(f"PRAGMA table_xinfo({quoted})")]
    has_rowid = not any(row[1] == table and row[4] for row in db.execute("PRAGMA main.table_list"))
    shown = ", ".join('quote("{}")'.format(column.replace('"', '""')) for column in columns)
    first = "rowid" if has_rowid else "'-'"
    for row in db.execute(f"SELECT {first}, {shown} FROM {quoted}"):
        yield f"row {table} {row[0]}: {', '.join(row[1:])}"
