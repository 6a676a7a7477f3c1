"""The definitions in a database, as a hash of each table, index, trigger and view."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.read.entries import read_entries
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.own_tables import OWN_TABLES

if TYPE_CHECKING:
    import sqlite3

DIGEST_SIZE = 16


def object_digests(db: sqlite3.Connection) -> dict[str, str]:
    """Return the hash of the definition of each object in ``main``, by 'kind name'.

    A kind is 'table', 'virtual table', 'index', 'trigger' or 'view'. SQLite's own objects and ours
    are left out, as are indexes that belong to a constraint: they are a part of their table.
    """
    digests = {}
    for kind, name, table, sql, root in read_entries(db):
        if fold_name(table) in OWN_TABLES or fold_name(name).startswith("sqlite_"):
            continue
        full_kind = "virtual table" if kind == "table" and not root else kind
        digest = blake2b(sql.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE)
        digests[f"{full_kind} {name}"] = digest.hexdigest()
    return digests
