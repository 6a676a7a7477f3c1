"""The connection that a part of SQL has run on, for reading what it left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import part_run
from pytest_bbmigrate.sqlite_files import open_content

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);"


def ran(folder: Path, text: str, environment: RunEnvironment) -> bool:
    """Return whether ``text`` leaves a connection, which then says what a new one says."""
    (folder / "001_step.sql").write_text(text)
    (migration,) = read_catalogue(folder).migrations
    with part_run(migration, migration.up, b"", environment) as (run, content, db):
        assert run.succeeded
        if db is None:
            return False
        with closing(open_content(content)) as new:
            for asked in ("foreign_keys", "recursive_triggers", "legacy_alter_table"):
                sql = f"PRAGMA {asked}"
                assert db.execute(sql).fetchall() == new.execute(sql).fetchall()
            assert list(db.iterdump()) == list(new.iterdump())
            assert db.text_factory is new.text_factory
        db.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")
    return True


@pytest.mark.parametrize(
    "text",
    [
        f"{NOTES} INSERT INTO notes VALUES (1, 'a'), (2, CAST(x'ff' AS TEXT));",
        f"PRAGMA foreign_keys = ON; {NOTES} CREATE INDEX i ON notes (text); DROP INDEX i;",
        f"-- bb: foreign_keys on\n{NOTES}",
    ],
)
def test_what_plain_statements_leave_is_read_where_they_ran(tmp_path: Path, text: str) -> None:
    assert ran(tmp_path, text, RunEnvironment())


@pytest.mark.parametrize(
    "text",
    [
        f"{NOTES} PRAGMA case_sensitive_like = ON;",
        f"{NOTES} CREATE TEMP TABLE notes (other TEXT);",
        f"{NOTES} CREATE VIRTUAL TABLE found USING fts5 (text);",
        f"{NOTES} SELECT count(*) FROM notes;",
        f"-- bb: no_transaction\n{NOTES} VACUUM;",
    ],
)
def test_what_may_have_left_more_than_content_is_read_anew(tmp_path: Path, text: str) -> None:
    assert not ran(tmp_path, text, RunEnvironment())


def test_where_the_app_prepares_connections_a_new_one_is_read(tmp_path: Path) -> None:
    environment = replace(RunEnvironment(), prepare_connection=lambda _: None)

    assert not ran(tmp_path, NOTES, environment)


def test_nothing_is_left_open_of_a_part_that_failed_or_ran_on_a_file(tmp_path: Path) -> None:
    (tmp_path / "001_step.sql").write_text(f"{NOTES} SELECT * FROM nothing;")
    (migration,) = read_catalogue(tmp_path).migrations
    with part_run(migration, migration.up, b"", RunEnvironment()) as (run, _, db):
        assert not run.succeeded
        assert db is None
    (tmp_path / "001_step.sql").write_text(NOTES)
    (migration,) = read_catalogue(tmp_path).migrations
    file = tmp_path / "a.db"
    sqlite3.connect(file).close()
    environment = RunEnvironment(scratch=tmp_path)
    with part_run(migration, migration.up, file, environment) as (run, content, db):
        assert run.succeeded
        assert isinstance(content, Path)
        assert db is None
