"""IF NOT EXISTS as the runner understands it: what is not there is made, another shape is told."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.model import ShapeConflict
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.running import FILE, failure_of, image_of, rows, run_sql

if TYPE_CHECKING:
    import sqlite3

ACCOUNTS = """
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL DEFAULT 0);
    INSERT INTO accounts (id, name) VALUES (1, 'Checking'), (2, 'Savings');
"""


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE accounts ADD COLUMN IF NOT EXISTS kind TEXT NOT NULL DEFAULT 'cash'",
        "alter table main.\"Accounts\" add if not exists [kind] TEXT NOT NULL DEFAULT 'cash'",
    ],
)
def test_add_column_if_not_exists_adds_what_is_not_there(sql: str) -> None:
    run, after = run_sql(sql, image_of(ACCOUNTS))

    assert run.failure is None
    assert run.conflicts == ()
    assert "EXISTS" not in run.executed[0].upper()
    assert rows(after, "SELECT kind FROM accounts") == ["cash", "cash"]


@pytest.mark.parametrize(
    "definition",
    ["name text NOT NULL", '"NAME" VARCHAR(40) NOT NULL', "balance REAL DEFAULT (0)"],
)
def test_add_column_if_not_exists_passes_over_the_same_column(definition: str) -> None:
    run, after = run_sql(
        f"ALTER TABLE accounts ADD COLUMN IF NOT EXISTS {definition}", before := image_of(ACCOUNTS)
    )

    assert run.failure is None
    assert run.conflicts == ()
    assert run.executed == ()
    assert rows(after, "SELECT * FROM accounts") == rows(before, "SELECT * FROM accounts")


@pytest.mark.parametrize(
    ("definition", "name", "wanted", "there"),
    [
        ("balance INTEGER DEFAULT 0", "balance", "INTEGER DEFAULT 0", "REAL DEFAULT 0"),
        ("name TEXT", "name", "TEXT", "TEXT NOT NULL"),
        ("name TEXT NOT NULL DEFAULT ''", "name", "TEXT NOT NULL DEFAULT ''", "TEXT NOT NULL"),
        ("balance", "balance", "no type", "REAL DEFAULT 0"),
        (
            "balance REAL AS (id * 2)",
            "balance",
            "balance REAL AS (id * 2) (must have at least one non-generated column)",
            "REAL DEFAULT 0",
        ),
    ],
)
def test_add_column_if_not_exists_tells_of_another_shape(
    definition: str, name: str, wanted: str, there: str
) -> None:
    run, _ = run_sql(
        f"SELECT 1;\nALTER TABLE accounts ADD COLUMN IF NOT EXISTS {definition}",
        image_of(ACCOUNTS),
    )

    assert run.failure is None
    assert run.conflicts == (ShapeConflict(FILE, 2, f"accounts.{name}", wanted, there),)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("ALTER TABLE nowhere ADD COLUMN IF NOT EXISTS a", "no such table: nowhere"),
        ("ALTER TABLE accounts ADD COLUMN IF NOT EXISTS", 'near "EXISTS": syntax error'),
        ("ALTER TABLE", "incomplete input"),
        ("ALTER TABLE accounts DROP COLUMN IF EXISTS name", 'near "EXISTS": syntax error'),
        ("CREATE TABLE IF NOT EXISTS", "incomplete input"),
    ],
)
def test_what_is_no_add_column_if_not_exists_is_left_to_sqlite(sql: str, message: str) -> None:
    run, _ = run_sql(sql, image_of(ACCOUNTS))

    assert failure_of(run).message == message


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE IF NOT EXISTS other (x)",
        (
            "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " balance REAL DEFAULT 0)"
        ),
        (
            'create table if not exists main."accounts" ("id" integer primary key,'
            ' "name" text not null, [balance] real default 0)'
        ),
        "CREATE INDEX IF NOT EXISTS by_name ON accounts (name)",
        'CREATE INDEX if not exists "by_name" on [accounts] ("name")',
        "CREATE VIEW IF NOT EXISTS v AS SELECT 1",
        "CREATE TEMP TABLE IF NOT EXISTS accounts (other)",
        "CREATE TABLE IF NOT EXISTS temp.accounts (other)",
        "CREATE TRIGGER IF NOT EXISTS accounts AFTER INSERT ON accounts BEGIN SELECT 1; END",
    ],
)
def test_create_if_not_exists_agrees_with_the_same_shape(sql: str) -> None:
    before = image_of(
        ACCOUNTS + "CREATE INDEX by_name ON accounts (name); CREATE VIEW v AS SELECT 1;"
    )

    run, _ = run_sql(sql, before)

    assert run.failure is None
    assert run.conflicts == ()


def test_a_table_of_the_same_structure_in_other_words_is_no_conflict() -> None:
    before = image_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE VIRTUAL TABLE found USING fts5 (text);"
        "CREATE VIEW v AS SELECT 1 AS one;"
        "CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT, p REFERENCES p);"
    )

    run, _ = run_sql(
        "CREATE TABLE IF NOT EXISTS c (id INTEGER PRIMARY KEY AUTOINCREMENT, p REFERENCES p (id))",
        before,
    )

    assert run.failure is None
    assert run.conflicts == ()


@pytest.mark.parametrize(
    ("sql", "name", "wanted", "there"),
    [
        (
            (
                "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                " balance INTEGER DEFAULT 0)"
            ),
            "accounts",
            "INTEGER",
            "REAL",
        ),
        (
            "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, name, name)",
            "accounts",
            "what SQLite refuses (duplicate column name: name)",
            "CREATE TABLE accounts",
        ),
        ("CREATE TABLE IF NOT EXISTS v (x)", "v", "a table", "a view: CREATE VIEW v AS SELECT 1"),
        (
            "CREATE INDEX IF NOT EXISTS by_name ON accounts (balance)",
            "by_name",
            "CREATE INDEX IF NOT EXISTS by_name ON accounts (balance)",
            "CREATE INDEX by_name ON accounts (name)",
        ),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS by_name ON accounts (name)",
            "by_name",
            "CREATE UNIQUE INDEX IF NOT EXISTS by_name ON accounts (name)",
            "CREATE INDEX by_name ON accounts (name)",
        ),
        (
            "CREATE VIEW IF NOT EXISTS V AS SELECT 2",
            "V",
            "CREATE VIEW IF NOT EXISTS V AS SELECT 2",
            "CREATE VIEW v AS SELECT 1",
        ),
        (
            "CREATE TRIGGER IF NOT EXISTS tr AFTER UPDATE ON accounts BEGIN SELECT 1; END",
            "tr",
            "CREATE TRIGGER IF NOT EXISTS tr AFTER UPDATE ON accounts BEGIN SELECT 1; END",
            "CREATE TRIGGER tr AFTER INSERT ON accounts BEGIN SELECT 1; END",
        ),
        (
            "CREATE VIRTUAL TABLE IF NOT EXISTS found USING fts5 (text, author)",
            "found",
            "CREATE VIRTUAL TABLE IF NOT EXISTS found USING fts5 (text, author)",
            "CREATE VIRTUAL TABLE found USING fts5 (text)",
        ),
    ],
)
def test_create_if_not_exists_tells_of_another_shape(
    sql: str, name: str, wanted: str, there: str
) -> None:
    before = image_of(
        ACCOUNTS
        + "CREATE INDEX by_name ON accounts (name); CREATE VIEW v AS SELECT 1;"
        + "CREATE TRIGGER tr AFTER INSERT ON accounts BEGIN SELECT 1; END;"
        + "CREATE VIRTUAL TABLE found USING fts5 (text);"
    )

    run, _ = run_sql(f"SELECT 1;\n{sql}", before)

    assert run.failure is None
    (conflict,) = run.conflicts
    assert (conflict.path, conflict.line, conflict.name) == (FILE, 2, name)
    assert wanted in conflict.wanted
    assert there in conflict.there


def test_a_table_with_functions_of_the_app_is_compared_with_them() -> None:
    def prepare(db: sqlite3.Connection) -> None:
        db.create_function("is_money", 1, lambda _: 1, deterministic=True)

    with closing(open_image(b"")) as db:
        prepare(db)
        db.execute("CREATE TABLE t (a INTEGER CHECK (is_money(a)))")
        before = db.serialize()

    run, _ = run_sql(
        "CREATE TABLE IF NOT EXISTS t (a INTEGER CHECK (is_money (a)), b)",
        before,
        environment=RunEnvironment(prepare_connection=prepare),
    )

    assert [conflict.name for conflict in run.conflicts] == ["t"]
