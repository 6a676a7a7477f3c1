"""What an app has made since a backup, beside rows: a restore that drops it says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.written_since import WrittenSince, written_since
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history.batches import objects_of, record_backup, record_contents, remove
from pytest_bbmigrate.history.identity import Identity, write_identity
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.schema import object_digests
from tests.core.backed_up import NEWEST, back_up, write

if TYPE_CHECKING:
    from pathlib import Path

APPLY = """
    CREATE VIEW names AS SELECT name FROM accounts;
    CREATE INDEX by_name ON accounts (name);
    CREATE TABLE funds (name TEXT UNIQUE);
    ALTER TABLE accounts ADD COLUMN kind TEXT;
    DROP VIEW old_view;
"""
APP = {
    "view totals": "CREATE VIEW totals AS SELECT count(*) FROM accounts",
    "trigger logs": (
        "CREATE TRIGGER logs AFTER INSERT ON accounts BEGIN SELECT raise(IGNORE); END"
    ),
    "index by_kind": "CREATE INDEX by_kind ON accounts (name DESC)",
    "virtual table search": "CREATE VIRTUAL TABLE search USING rtree(id, low, high)",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "budget_buddy.db"
    write(
        path,
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);"
        "INSERT INTO accounts (name) VALUES ('Everyday');"
        "CREATE VIEW old_view AS SELECT 1",
    )
    return path


def apply(database: Path, sql: str, *, tells: bool = True) -> None:
    """Change ``database`` as an apply does; ``tells`` is whether its history has the objects."""
    write(database, sql)
    with closing(sqlite3.connect(database)) as db, db:
        write_identity(db, Identity("an id"))
        record(db, Applied("001_step", "sum", "2026-01-02T08:00:00+00:00", 0.1, 1, 5))
        record_backup(db, 1, NEWEST)
        record_contents(db, 1, content_of(db), object_digests(db) if tells else None)


def lost(database: Path, backup: Path) -> dict[str, str]:
    return {found.table: found.how for found in written_since(database, backup)}


def test_right_after_an_apply_nothing_that_it_defined_is_lost(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY)

    assert written_since(database, backup) == ()


@pytest.mark.parametrize("name", APP)
def test_what_an_app_has_made_since_the_apply_is_named(database: Path, name: str) -> None:
    backup = back_up(database)
    apply(database, APPLY)
    write(database, APP[name])

    found = written_since(database, backup)

    assert WrittenSince(name, None, None, "made since the apply") in found
    shadows = {f"search_{part}" for part in ("node", "parent", "rowid")}
    assert {each.table for each in found} - shadows == {name}


def test_what_an_app_has_defined_otherwise_or_dropped_is_named(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY)
    write(
        database,
        "DROP VIEW names; CREATE VIEW names AS SELECT upper(name) FROM accounts;"
        "DROP INDEX by_name;",
    )

    assert lost(database, backup) == {
        "view names": "defined otherwise since the apply",
    }


def test_a_table_whose_rows_are_named_is_not_named_twice(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY)
    write(database, "CREATE TABLE notes (note TEXT); ALTER TABLE accounts ADD COLUMN colour TEXT")

    assert lost(database, backup) == {
        "accounts": "rows changed since the apply",
        "notes": "made since the apply",
    }


def test_a_table_that_was_rebuilt_with_the_same_rows_is_named(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY)
    write(
        database,
        "DROP TABLE funds; CREATE TABLE funds (name TEXT UNIQUE CHECK (name <> ''))",
    )

    assert lost(database, backup) == {"table funds": "defined otherwise since the apply"}


def test_after_a_backup_of_ones_own_every_object_counts(database: Path) -> None:
    own = back_up(database).rename(database.with_name("own.db"))
    apply(database, APPLY)

    assert lost(database, own) == {
        "accounts": "rows changed since the backup",
        "funds": "made since the backup",
        "index by_name": "made since the backup",
        "view names": "made since the backup",
        "view old_view": "dropped since the backup",
    }


def test_where_the_history_does_not_tell_every_object_but_tables_counts(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY, tells=False)

    when = "by the last apply or since: the history does not tell"
    assert lost(database, backup) == {
        "index by_name": f"made {when}",
        "view names": f"made {when}",
        "view old_view": f"dropped {when}",
    }


def test_a_database_of_views_alone_has_something_to_lose(tmp_path: Path, database: Path) -> None:
    backup = back_up(database)
    views = tmp_path / "views.db"
    write(views, "CREATE VIEW one AS SELECT 1")

    assert lost(views, backup)["view one"] == "made since the backup"


def test_objects_go_with_the_batch_that_they_were_recorded_for(database: Path) -> None:
    apply(database, APPLY)

    with closing(sqlite3.connect(database)) as db, db:
        there = objects_of(db, 1)
        remove(db, "001_step")

        assert there is not None
        assert set(there) == {"index by_name", "table accounts", "table funds", "view names"}
        assert objects_of(db, 1) is None


def test_a_history_whose_objects_do_not_read_is_told(database: Path) -> None:
    backup = back_up(database)
    apply(database, APPLY)
    write(database, "UPDATE _bb_migrations SET objects = '[1'")

    with pytest.raises(
        BBMigrateError, match="a value in its column objects is none that was written"
    ):
        written_since(database, backup)
