"""The runner on SQL parts: one transaction, one statement at a time."""

from __future__ import annotations

import _thread
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.runner import RunEnvironment
from tests.core.running import FILE, failure_of, image_of, rows, run_sql

if TYPE_CHECKING:
    import sqlite3

ACCOUNTS = """
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL DEFAULT 0);
    INSERT INTO accounts (id, name) VALUES (1, 'Checking'), (2, 'Savings');
"""
FAMILY = """
    CREATE TABLE institutions (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        institution_id INTEGER REFERENCES institutions (id) ON DELETE CASCADE
    );
    INSERT INTO institutions VALUES (1, 'First Bank');
    INSERT INTO accounts VALUES (1, 1);
"""


def test_the_statements_run_in_order_on_a_copy() -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql(
        "ALTER TABLE accounts ADD COLUMN kind TEXT;\nUPDATE accounts SET kind = lower(name);",
        before,
    )

    assert run.succeeded
    assert run.statements == 2
    assert run.executed == (
        "ALTER TABLE accounts ADD COLUMN kind TEXT",
        "UPDATE accounts SET kind = lower(name)",
    )
    assert rows(after, "SELECT kind FROM accounts") == ["checking", "savings"]
    assert before == image_of(ACCOUNTS)


def test_a_comment_only_part_leaves_an_empty_database_empty() -> None:
    for in_transaction in (True, False):
        run, after = run_sql("-- nothing to do\n", b"", in_transaction=in_transaction)

        assert run.succeeded
        assert rows(after, "SELECT count(*) FROM sqlite_schema") == [0]


def test_a_part_that_writes_nothing_outside_a_transaction_gives_the_empty_image() -> None:
    run, after = run_sql("SELECT 1", b"", in_transaction=False)

    assert run.succeeded
    assert after == b""


def test_a_failure_names_the_statement_and_its_line_and_undoes_all() -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql("CREATE TABLE a (x);\n\n\nINSERT INTO nowhere VALUES (1);", before)

    failure = failure_of(run)
    assert failure.path == FILE
    assert failure.line == 4
    assert failure.statement == "INSERT INTO nowhere VALUES (1)"
    assert failure.message == "no such table: nowhere"
    assert "bb_base" in advise_on_failure(failure).text
    assert advise_on_failure(failure).missing == ""
    assert after is before


def test_rows_of_a_select_are_read_to_the_last() -> None:
    run, _ = run_sql("SELECT abs(x) FROM (SELECT 1 AS x UNION ALL SELECT -9223372036854775808)")

    assert failure_of(run).message == "integer overflow"


def test_foreign_key_check_in_a_file_discards_what_it_finds() -> None:
    run, _ = run_sql(
        "INSERT INTO accounts VALUES (2, 99); PRAGMA foreign_key_check;", image_of(FAMILY)
    )

    assert run.succeeded


@pytest.mark.parametrize(
    ("contract", "sql", "children"),
    [
        (None, "DELETE FROM institutions", 1),
        (True, "DELETE FROM institutions", 0),
        (False, "PRAGMA foreign_keys = ON; DELETE FROM institutions", 1),
        (None, "PRAGMA foreign_keys = ON; DELETE FROM institutions", 0),
        (None, "PRAGMA main.foreign_keys('yes'); BEGIN; DELETE FROM institutions; COMMIT", 0),
        (None, "PRAGMA foreign_keys = 1; PRAGMA foreign_keys = 0; DELETE FROM institutions", 1),
        (None, "SELECT 1; PRAGMA foreign_keys = ON; DELETE FROM institutions", 1),
        (True, "PRAGMA foreign_keys = OFF; DELETE FROM institutions", 0),
    ],
)
def test_foreign_keys_are_as_the_contract_or_a_leading_pragma_says(
    contract: bool | None,  # noqa: FBT001 - a case
    sql: str,
    children: int,
) -> None:
    run, after = run_sql(sql, image_of(FAMILY), contract=Contract(foreign_keys=contract))

    assert run.succeeded
    assert rows(after, "SELECT count(*) FROM accounts") == [children]


def test_a_deferred_violation_fails_at_the_commit() -> None:
    before = image_of(
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);"
    )

    run, after = run_sql("INSERT INTO c VALUES (7)", before, contract=Contract(foreign_keys=True))

    failure = failure_of(run)
    assert (failure.line, failure.statement) == (None, "COMMIT")
    assert failure.message == "FOREIGN KEY constraint failed"
    assert after is before


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN; CREATE TABLE a (x); COMMIT",
        "BEGIN IMMEDIATE TRANSACTION; CREATE TABLE a (x); END TRANSACTION",
        "PRAGMA foreign_keys = OFF; BEGIN EXCLUSIVE; CREATE TABLE a (x); COMMIT; PRAGMA optimize",
        "-- first\nbegin /* now */ deferred; CREATE TABLE a (x); end -- last",
        "BEGIN; SAVEPOINT s; CREATE TABLE a (x); ROLLBACK TO s; CREATE TABLE a (x); COMMIT",
        "BEGIN; CREATE TABLE a (x); COMMIT; PRAGMA optimize; BEGIN; INSERT INTO a VALUES (1); END",
    ],
)
@pytest.mark.parametrize("in_transaction", [True, False])
def test_begins_and_commits_around_all_are_honoured(sql: str, in_transaction: bool) -> None:  # noqa: FBT001 - a case
    run, after = run_sql(sql, in_transaction=in_transaction)

    assert run.failure is None
    assert rows(after, "SELECT name FROM sqlite_schema") == ["a"]


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("CREATE TABLE a (x);\nCOMMIT;\nBOOM", 2, "COMMIT is refused in a migration"),
        ("CREATE TABLE a (x);\nBEGIN;\nCOMMIT", 2, "BEGIN is refused in a migration"),
        ("BEGIN;\nCOMMIT;\nSELECT 1;\nBEGIN;\nCOMMIT", 1, "BEGIN is refused in a migration"),
        ("BEGIN;\nSELECT 1;", 1, "BEGIN is refused in a migration"),
        ("SELECT 1;\nROLLBACK", 2, "ROLLBACK is refused in a migration"),
        ("ATTACH 'other.db' AS o", 1, "ATTACH of other.db is refused in a migration"),
        ("ATTACH 'x' || '.db' AS o", 1, "ATTACH of a database is refused in a migration"),
        ("DETACH main", 1, "DETACH of main is refused in a migration"),
    ],
)
@pytest.mark.parametrize("in_transaction", [True, False])
def test_what_would_leave_the_transaction_is_refused(
    sql: str,
    line: int,
    message: str,
    in_transaction: bool,  # noqa: FBT001 - a case
) -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql(sql, before, in_transaction=in_transaction)

    failure = failure_of(run)
    assert (failure.line, failure.message) == (line, message)
    assert "leave it out" in advise_on_failure(failure).text
    assert after is before


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("SELECT 1;\nINSERT OR ROLLBACK INTO accounts VALUES (1, 'x', 0)", "INSERT OR ROLLBACK"),
        ("SELECT 1;\nUPDATE accounts SET name = 'x' WHERE id = 1", "UPDATE accounts"),
    ],
)
def test_a_statement_that_ends_the_transaction_is_a_failure_that_says_so(
    sql: str, statement: str
) -> None:
    before = image_of(
        ACCOUNTS + "CREATE TRIGGER no BEFORE UPDATE ON accounts BEGIN"
        " SELECT RAISE(ROLLBACK, 'hands off'); END;"
    )

    run, after = run_sql(sql, before)

    failure = failure_of(run)
    assert failure.line == 2
    assert failure.statement.startswith(statement)
    assert failure.message.endswith("; this statement ended the whole transaction")
    assert "ROLLBACK" in advise_on_failure(failure).text
    assert after is before


def test_vacuum_runs_where_there_is_no_transaction() -> None:
    run, _ = run_sql("VACUUM; PRAGMA user_version = 3", image_of(ACCOUNTS), in_transaction=False)

    assert run.succeeded


def test_vacuum_in_a_transaction_names_the_directive() -> None:
    run, _ = run_sql("VACUUM", image_of(ACCOUNTS))

    assert failure_of(run).message == "cannot VACUUM from within a transaction"
    assert "-- bb: no_transaction" in advise_on_failure(failure_of(run)).text


def test_vacuum_into_a_file_is_refused_everywhere() -> None:
    run, _ = run_sql("VACUUM INTO 'copy.db'", image_of(ACCOUNTS), in_transaction=False)

    assert failure_of(run).message == "ATTACH of copy.db is refused in a migration"


COUNTS_FOR_EVER = """CREATE TABLE days (n);
WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count)
INSERT INTO days SELECT n FROM count WHERE n < 0;
"""


def test_a_statement_that_never_ends_is_given_up() -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql(COUNTS_FOR_EVER, before, environment=RunEnvironment(seconds=0.05))

    failure = failure_of(run)
    assert failure.line == 2
    assert failure.message == "took longer than bb_seconds = 0.05"
    assert "a requires line of the table says so" in advise_on_failure(failure).text
    assert after == before


def test_ctrl_c_during_a_statement_ends_the_session() -> None:
    ctrl_c = threading.Timer(0.2, _thread.interrupt_main)
    ctrl_c.start()
    with pytest.raises(KeyboardInterrupt):
        run_sql(COUNTS_FOR_EVER, image_of(ACCOUNTS), environment=RunEnvironment(seconds=60))


def test_a_failure_half_way_outside_a_transaction_keeps_nothing() -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql("DELETE FROM accounts; BOOM", before, in_transaction=False)

    assert "on a copy that is thrown away" in advise_on_failure(failure_of(run)).text
    assert after is before


def test_foreign_keys_switch_where_a_file_says_so_outside_a_transaction() -> None:
    sql = "SELECT 1; PRAGMA foreign_keys = ON; DELETE FROM institutions"

    _, after = run_sql(sql, image_of(FAMILY), in_transaction=False)

    assert rows(after, "SELECT count(*) FROM accounts") == [0]


def test_pragmas_of_a_connection_and_temporary_tables_do_not_outlive_a_run() -> None:
    _, after = run_sql(
        "PRAGMA legacy_alter_table = ON; PRAGMA defer_foreign_keys = ON;"
        "PRAGMA user_version = 7; CREATE TEMP TABLE t (x); CREATE TABLE kept (x);",
    )

    assert rows(after, "PRAGMA legacy_alter_table") == [0]
    assert rows(after, "PRAGMA user_version") == [7]
    assert rows(after, "SELECT name FROM sqlite_schema") == ["kept"]


def test_every_connection_is_prepared_before_it_begins() -> None:
    in_transaction = []

    def prepare(db: sqlite3.Connection) -> None:
        in_transaction.append(db.in_transaction)
        db.execute("PRAGMA foreign_keys = ON")
        db.create_function("normalize", 1, str.casefold, deterministic=True)
        db.create_collation("swiss", lambda one, other: (one > other) - (one < other))

    run, after = run_sql(
        "CREATE TABLE t (a TEXT COLLATE swiss);"
        "INSERT INTO t SELECT normalize(name) FROM accounts ORDER BY name COLLATE swiss",
        image_of(ACCOUNTS),
        environment=RunEnvironment(prepare_connection=prepare),
    )

    assert in_transaction == [False]
    assert run.executed[0].startswith("CREATE TABLE t")
    assert rows(after, "SELECT a FROM t NOT INDEXED") == ["checking", "savings"]
