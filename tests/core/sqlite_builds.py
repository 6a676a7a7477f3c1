"""What an SQLite may be built without, as marks of the tests that need it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.rows.pages import has_dbstat


def _views_have_rowids() -> bool:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript("CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t")
        try:
            db.execute("SELECT rowid FROM v")
        except sqlite3.OperationalError:
            return False
        return True


NEEDS_DBSTAT = pytest.mark.skipif(not has_dbstat(), reason="this SQLite has no dbstat")
NEEDS_ROWIDS_OF_VIEWS = pytest.mark.skipif(
    not _views_have_rowids(), reason="in this SQLite, views have no rowid"
)
