"""What to do about a message of SQLite, of Python or of the runner."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.explain.advice import Advice, advise, advise_on_failure
from pytest_bbmigrate.explain.syntax import plain_text
from tests.core.running import failure_of, image_of, run_sql

ACCOUNTS = """
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL DEFAULT 0);
    INSERT INTO accounts (id, name) VALUES (1, 'Checking'), (2, 'Savings');
"""


def message_of(sql: str) -> str:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a, b)")
        with pytest.raises(sqlite3.Error) as caught:
            db.execute(sql)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("CREATE TABLE x (id INTEGER PRIMARY KEY AUTO_INCREMENT)", "INTEGER PRIMARY KEY"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS c", "PRAGMA table_info"),
        ("ALTER TABLE main.t ALTER COLUMN a TYPE TEXT", "transform"),
        ("CREATE TABLE x (kind ENUM('a', 'b'))", "CHECK (c IN"),
        ("CREATE TABLE x (at TEXT DEFAULT NOW())", "DEFAULT CURRENT_TIMESTAMP"),
        ("CREATE TABLE x (at TEXT DEFAULT lower('A'))", "DEFAULT (f(..))"),
        ("ALTER TABLE t ALTER COLUMN a TYPE INTEGER", "transform"),
        ("ALTER TABLE t MODIFY COLUMN a INTEGER", "transform"),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)", "CREATE UNIQUE INDEX"),
        ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t (b)", "transform"),
        ("ALTER TABLE t ADD INDEX i (a)", "CREATE INDEX"),
        ("ALTER TABLE t DROP COLUMN IF EXISTS a", "no IF EXISTS"),
        ("ALTER TABLE IF EXISTS t ADD COLUMN c", "no IF EXISTS"),
        ("ALTER TABLE t ADD COLUMN c INT, ADD COLUMN d INT", "one ALTER TABLE for each"),
        ("SELECT a::int FROM t", "CAST(x AS type)"),
        ("SELECT * FROM t WHERE a ILIKE 'x'", "write LIKE"),
        ("TRUNCATE TABLE t", "DELETE FROM"),
        ("INSERT INTO t VALUES (1, 2) ON DUPLICATE KEY UPDATE a = 1", "ON CONFLICT"),
        ("INSERT IGNORE INTO t VALUES (1, 2)", "INSERT OR IGNORE"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "DROP .. IF EXISTS"),
        ("CREATE TABLE x (a) ENGINE=InnoDB", "table options"),
        ("SELECT CURRENT_TIMESTAMP - INTERVAL '1 day'", "date(x"),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "leave it out"),
        ("DROP TABLE t CASCADE", "CASCADE"),
        ("CREATE TYPE mood AS ENUM ('sad')", "CHECK"),
        ("COMMENT ON TABLE t IS 'x'", "comment"),
        ("SHOW TABLES", "no such statement"),
        ("INSERT INTO t VALUES (1, DEFAULT)", "NULL"),
        ("CREATE TABLE x (a, b,)", "comma"),
        ("CREATE TABLE x (a", "bracket"),
        ("SELECT now()", "CURRENT_TIMESTAMP"),
        ("SELECT to_char(a, 'YYYY') FROM t", "strftime"),
        ("ALTER TABLE t ADD COLUMN c PRIMARY KEY", "CREATE UNIQUE INDEX"),
        ("CREATE TABLE t (a)", "IF NOT EXISTS"),
        ("ALTER TABLE t ADD COLUMN a", "in one place only"),
        ("INSERT INTO t VALUES (1)", "name the columns"),
        ("INSERT INTO t VALUES (?, 1)", "write the value itself"),
        ("CREATE TABLE x (a VARCHAR(10)) STRICT", "STRICT"),
        ("CREATE TABLE x (a TEXT PRIMARY KEY AUTOINCREMENT)", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    ],
)
def test_what_sqlite_refuses_is_said_in_its_own_words(sql: str, remedy: str) -> None:
    advice = advise(message_of(sql), sql)

    assert remedy in advice.text
    assert advice.missing in ("", "SQLite 3.37", "SQLite 3.44")


@pytest.mark.parametrize(
    ("sql", "version"),
    [
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "3.53"),
        ("ALTER TABLE t DROP CONSTRAINT c", "3.53"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "3.53"),
        ("ALTER TABLE t ALTER a DROP NOT NULL", "3.53"),
        ("SELECT 1_000", "3.46"),
        ("SELECT * FROM t RIGHT JOIN u", "3.39"),
        ("SELECT a IS NOT DISTINCT FROM b", "3.39"),
        ("SELECT a ->> 'x' FROM t", "3.38"),
        ("CREATE TABLE x (a TEXT) STRICT", "3.37"),
        ("INSERT INTO t VALUES (1, 2) RETURNING a", "3.35"),
        ("ALTER TABLE t DROP COLUMN a", "3.35"),
        ("UPDATE t SET a = u.a FROM u", "3.33"),
        ("CREATE TABLE x (a, b GENERATED ALWAYS AS (a))", "3.31"),
        ("SELECT a FROM t ORDER BY a NULLS LAST", "3.30"),
        ("VACUUM INTO 'x'", "3.27"),
        ("ALTER TABLE t RENAME COLUMN a TO c", "3.25"),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", "3.25"),
        ("INSERT INTO t VALUES (1, 2) ON CONFLICT (a) DO NOTHING", "3.24"),
    ],
)
def test_syntax_of_a_newer_sqlite_is_reported_as_that(sql: str, version: str) -> None:
    advice = advise('near "x": syntax error', sql, version=(3, 20, 1))

    assert advice.missing == f"SQLite {version}"
    assert advice.text.startswith(f"this syntax came with SQLite {version}, this is 3.20.1")


@pytest.mark.parametrize(
    ("message", "sql", "text"),
    [
        (
            "no such function: unhex",
            "SELECT unhex(a)",
            (
                "unhex() came with SQLite 3.41, this is 3.40.1: name the app's Python with "
                "bb_python where that has it"
            ),
        ),
        (
            "no such function: concat",
            "SELECT concat(a, b)",
            (
                "concat() came with SQLite 3.44, this is 3.40.1: write a || b, or name the app's "
                "Python with bb_python where that has it"
            ),
        ),
    ],
)
def test_what_an_older_sqlite_lacks_is_told_with_the_way_to_another(
    message: str, sql: str, text: str
) -> None:
    assert advise(message, sql, version=(3, 40, 1)).text == text


@pytest.mark.parametrize("column", ["COLUMN a", "a", "COLUMN `a`"])
def test_a_column_that_only_libsql_alters_is_told_as_that(column: str) -> None:
    advice = advise(
        'near "ALTER": syntax error', f"ALTER TABLE t ALTER {column} TO a TEXT", version=(3, 40, 1)
    )

    assert advice.text.startswith("ALTER COLUMN .. TO is libSQL's alone, SQLite cannot change")


def test_syntax_that_this_sqlite_has_is_not_called_missing() -> None:
    advice = advise(
        'near "RETURNIN": syntax error', "INSERT INTO t VALUES (1) RETURNING a", version=(3, 60)
    )

    assert advice == Advice("")


@pytest.mark.parametrize(
    ("message", "version", "expected"),
    [
        ("no such function: unhex", (3, 40, 1), "SQLite 3.41"),
        ("no such function: unhex", (3, 41, 0), "function unhex"),
        ("no such function: concat", (3, 40, 1), "SQLite 3.44"),
        ("no such function: NOW", (3, 40, 1), ""),
        ("no such collation sequence: swiss", (3, 40, 1), "collation swiss"),
        ("no such module: fts5", (3, 40, 1), "SQLite module fts5"),
        ("ModuleNotFoundError: No module named 'pandas'", (3, 40, 1), "module pandas"),
    ],
)
def test_what_the_set_up_lacks_is_named(
    message: str, version: tuple[int, ...], expected: str
) -> None:
    advice = advise(message, "SELECT f(1)", version=version)

    assert advice.missing == expected
    assert advice.text


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("UNIQUE constraint failed: transactions.kind", "requires unique transactions(kind)"),
        ("UNIQUE constraint failed: index 'by_lower_name'", "hold duplicates"),
        ("NOT NULL constraint failed: accounts.name", "requires accounts: name IS NOT NULL"),
        ("CHECK constraint failed: amount <> 0", "-- bb: requires"),
        ("FOREIGN KEY constraint failed", "children"),
        ('foreign key mismatch - "a" referencing "b"', "UNIQUE index"),
        ("error in view spending: no such table: main.t", "DROP spending first"),
        ("error in trigger tr after rename: no such column: x", "DROP tr first"),
        ("error in index by_day after drop column: no such column: day", "DROP INDEX by_day"),
        ('cannot drop column "id": PRIMARY KEY', "build a new table"),
        ("Cannot add a NOT NULL column with default value NULL", "NOT NULL DEFAULT"),
        ("cannot add a STORED column", "VIRTUAL"),
        ("database table is locked", "fetch all"),
        ("Cannot add a column with non-constant default", "UPDATE the rows"),
        ("IntegrityError: UNIQUE constraint failed: t.a", "requires unique t(a)"),
        ("SystemExit: 1, after OperationalError: table t already exists", "IF NOT EXISTS"),
        ("IntegrityError: (sqlite3.IntegrityError) CHECK constraint failed: x", "-- bb: requires"),
        ("the migration rolled back, after OperationalError: odd", "must raise"),
        ("nothing that anybody has seen before", ""),
        ("cannot start a transaction within a transaction", "leave BEGIN and COMMIT out"),
    ],
)
def test_messages_have_their_advice(message: str, remedy: str) -> None:
    assert remedy in advise(message, "").text


@pytest.mark.parametrize(
    ("message", "statement", "remedy"),
    [
        (
            "UNIQUE constraint failed: t.a, t.b",
            "CREATE UNIQUE INDEX i ON t (a, b)",
            "-- bb: requires unique t(a, b)",
        ),
        (
            "UNIQUE constraint failed: t_new.a",
            "INSERT INTO t_new SELECT a FROM t",
            "declare so of the table that they come from: -- bb: requires unique TABLE(COLUMN, ..)",
        ),
        ("UNIQUE constraint failed: t.a", "UPDATE t SET a = ''", "merge the two, or leave one"),
        ("UNIQUE constraint failed: t.a", "INSERT INTO t VALUES (1)", "a second row the same a"),
        (
            "NOT NULL constraint failed: t_new.a",
            "INSERT INTO t_new (a) SELECT a FROM t",
            "from: -- bb: requires TABLE: COLUMN IS NOT NULL",
        ),
        ("NOT NULL constraint failed: t.a", "UPDATE t SET a = b", "sets a to NULL in some rows"),
        ("no such index: i", "DROP INDEX i", "DROP TABLE takes indexes and triggers along"),
        ("no such table: t", "SELECT * FROM t", "bb_base"),
        ('no such column: "key"', "ALTER TABLE t RENAME COLUMN key TO k", "renamed or dropped"),
        ('no such column: "key"', 'SELECT t."key" FROM t', "single quotes"),
        (
            "malformed JSON",
            "UPDATE t SET a = json_extract(b, '$.a')",
            "json_valid(..) of their column",
        ),
    ],
)
def test_a_message_is_read_with_the_statement_that_it_is_about(
    message: str, statement: str, remedy: str
) -> None:
    assert remedy in advise(message, statement).text


def test_what_does_not_read_has_no_plain_text() -> None:
    assert plain_text("SELECT 'never ends") == ""
    assert plain_text("select \"a\", 'b' -- c") == "SELECT Q , Q"


@pytest.mark.parametrize(
    ("sql", "missing"),
    [
        ("UPDATE accounts SET name = normalize(name)", "function normalize"),
        ("CREATE INDEX i ON accounts (name COLLATE swiss)", "collation swiss"),
    ],
)
def test_a_missing_function_or_collation_names_the_setting(sql: str, missing: str) -> None:
    run, _ = run_sql(sql, image_of(ACCOUNTS))

    assert advise_on_failure(failure_of(run)).missing == missing
    assert 'bb_connection = "package.module:function"' in advise_on_failure(failure_of(run)).text
