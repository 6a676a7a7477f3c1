"""The tables in which other tools record what they have run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3

LEDGERS = {
    "goose_db_version": "goose",
    "_sqlx_migrations": "sqlx",
    "__diesel_schema_migrations": "diesel",
    "_prisma_migrations": "prisma",
    "__drizzle_migrations": "drizzle",
    "d1_migrations": "d1",
    "flyway_schema_history": "flyway",
    "_yoyo_migration": "yoyo",
    "_sqlite_migrations": "sqlite-utils",
    "migration_version": "caribou",
}
# What these tools, and replicas, keep beside it: no migration makes these either.
COMPANIONS = frozenset(
    {
        "yoyo_lock",
        "_yoyo_log",
        "_yoyo_version",
        "d1_kv",
        "_cf_kv",
        "_cf_metadata",
        "_litestream_lock",
        "_litestream_seq",
        "android_metadata",
    }
)
# Three tools have a table of this name: Rails is none of the profiles.
SHARED = "schema_migrations"
SHARED_BY = {
    (("version", "varchar(128)"),): "dbmate",
    (("version", "uint64"), ("dirty", "bool")): "golang-migrate",
    (("version", "varchar"),): "Rails",
}


class Ledger(NamedTuple):
    """The ``table`` in which the tool called ``runner`` records what it has run."""

    runner: str
    table: str


def tables_of_tools(db: sqlite3.Connection) -> frozenset[str]:
    """Return, case-folded, the tables in ``db`` that other tools keep for themselves."""
    return COMPANIONS | {fold_name(ledger.table) for ledger in find_ledgers(db)}


def find_ledgers(db: sqlite3.Connection) -> tuple[Ledger, ...]:
    """Return the tables of other tools in ``db``."""
    found = []
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1"):
        name = fold_name(table)
        runner = LEDGERS.get(name, "")
        if name == SHARED:
            columns = db.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
            shape = tuple((fold_name(column), fold_name(kind)) for column, kind in columns)
            runner = SHARED_BY.get(shape, "")
        if runner:
            found.append(Ledger(runner, table))
    return tuple(found)
