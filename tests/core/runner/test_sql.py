"""The runner on SQL parts: one transaction, one statement at a time."""

from __future__ import annotations

import _thread
import sqlite3
import threading
from contextlib import closing

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.explain.advice import Advice, advise, advise_on_failure
from pytest_bbmigrate.explain.syntax import plain_text
from pytest_bbmigrate.runner import RunEnvironment, ShapeConflict
from pytest_bbmigrate.runner.renames import RenamedNames, follow_renames, mention_renames
from pytest_bbmigrate.runner.transactions import Transactions, read_transactions
from pytest_bbmigrate.sql import split_statements
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.running import FILE, failure_of, image_of, rows, run_sql

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
    ],
)
@pytest.mark.parametrize("in_transaction", [True, False])
def test_a_sole_outer_begin_and_commit_are_honoured(sql: str, in_transaction: bool) -> None:  # noqa: FBT001 - a case
    run, after = run_sql(sql, in_transaction=in_transaction)

    assert run.failure is None
    assert rows(after, "SELECT name FROM sqlite_schema") == ["a"]


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("CREATE TABLE a (x);\nCOMMIT;\nBOOM", 2, "COMMIT is refused in a migration"),
        ("CREATE TABLE a (x);\nBEGIN;\nCOMMIT", 2, "BEGIN is refused in a migration"),
        ("BEGIN;\nSELECT 1;\nCOMMIT;\nBEGIN;\nCOMMIT", 1, "BEGIN is refused in a migration"),
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
    assert "-- bb: requires" in advise_on_failure(failure).text
    assert after == before


def test_ctrl_c_during_a_statement_ends_the_session() -> None:
    ctrl_c = threading.Timer(0.2, _thread.interrupt_main)
    ctrl_c.start()
    with pytest.raises(KeyboardInterrupt):
        run_sql(COUNTS_FOR_EVER, image_of(ACCOUNTS), environment=RunEnvironment(seconds=60))


def test_a_failure_half_way_outside_a_transaction_keeps_nothing() -> None:
    before = image_of(ACCOUNTS)

    run, after = run_sql("DELETE FROM accounts; BOOM", before, in_transaction=False)

    assert advise_on_failure(failure_of(run)).text.endswith("nothing of it is kept.")
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


# IF NOT EXISTS


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


# renames


@pytest.mark.parametrize(
    ("sql", "tables", "columns"),
    [
        ("ALTER TABLE accounts RENAME TO Books", (("accounts", "books"),), ()),
        (
            'ALTER TABLE main."accounts" RENAME TO [Old]; ALTER TABLE Old RENAME TO `new`',
            (("accounts", "new"),),
            (),
        ),
        ("ALTER TABLE 'accounts' RENAME TO 'books'", (("accounts", "books"),), ()),
        ("ALTER TABLE accounts RENAME TO a; ALTER TABLE a RENAME TO accounts", (), ()),
        ("ALTER TABLE accounts RENAME name TO title", (), ((("accounts", "name"), "title"),)),
        (
            (
                "ALTER TABLE accounts RENAME COLUMN name TO a;ALTER TABLE accounts RENAME TO books;"
                "ALTER TABLE books RENAME COLUMN a TO Title"
            ),
            (("accounts", "books"),),
            ((("accounts", "name"), "title"),),
        ),
        (
            "CREATE TABLE fresh (id); DROP TABLE accounts; ALTER TABLE fresh RENAME TO accounts",
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO old; CREATE TABLE accounts (id); DROP TABLE old",
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO old; DROP TABLE IF EXISTS main.old;CREATE TABLE old(a)",
            (),
            (),
        ),
        (
            (
                "ALTER TABLE accounts ADD COLUMN x; ALTER TABLE accounts RENAME x TO y;"
                "ALTER TABLE accounts RENAME name TO z; ALTER TABLE accounts DROP COLUMN z"
            ),
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO b; CREATE INDEX i ON b (id); DROP INDEX i",
            (("accounts", "b"),),
            (),
        ),
        ("SAVEPOINT s; ALTER TABLE accounts RENAME TO b; ROLLBACK TO s", (), ()),
        ("SAVEPOINT s; ALTER TABLE accounts RENAME name TO b; ROLLBACK TO s", (), ()),
        (
            (
                "ALTER TABLE accounts RENAME name TO x;ALTER TABLE accounts RENAME balance TO name;"
                "ALTER TABLE accounts RENAME x TO balance"
            ),
            (),
            ((("accounts", "balance"), "name"), (("accounts", "name"), "balance")),
        ),
    ],
)
def test_renames_are_followed_from_before_the_run_to_after_it(
    sql: str, tables: tuple[object, ...], columns: tuple[object, ...]
) -> None:
    run, _ = run_sql(sql, image_of(ACCOUNTS))

    assert run.failure is None
    assert run.renamed_tables == tables
    assert run.renamed_columns == columns


def test_text_that_only_sqlite_reads_renames_nothing() -> None:
    assert (
        follow_renames(["ALTER TABLE t RENAME TO u /* "], {"t": {"a"}}, {"u": {"a"}})
        == RenamedNames()
    )


def test_only_the_word_rename_makes_it_worth_while_to_follow() -> None:
    assert mention_renames(["SELECT 1", "alter table t rename to u"])
    assert not mention_renames(["SELECT renamed FROM t"])


# reading what a file says about its transaction


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", Transactions((), None, frozenset())),
        ("PRAGMA foreign_keys", Transactions((), None, frozenset())),
        ("PRAGMA user_version = 1", Transactions((), None, frozenset())),
        (
            "PRAGMA foreign_keys = off; SELECT 1",
            Transactions((), foreign_keys=False, switches=frozenset({0})),
        ),
        ("SELECT 1; PRAGMA foreign_keys = on", Transactions((), None, frozenset({1}))),
        ("PRAGMA foreign_keys = 2", Transactions((), foreign_keys=True, switches=frozenset({0}))),
        ("BEGIN; SELECT 1; COMMIT", Transactions((0, 2), None, frozenset())),
        ("SELECT 1; BEGIN; COMMIT", Transactions((), None, frozenset())),
        ("BEGIN; COMMIT; SELECT 1", Transactions((), None, frozenset())),
        ("COMMIT; BEGIN", Transactions((), None, frozenset())),
        ("BEGIN; ROLLBACK", Transactions((), None, frozenset())),
    ],
)
def test_transactions_are_read_from_the_statements(sql: str, expected: Transactions) -> None:
    assert read_transactions(split_statements(sql)) == expected


# advice


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
        ("UNIQUE constraint failed: t.a", "UPDATE t SET a = ''", "a second row the same a"),
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
        ("malformed JSON", "UPDATE t SET a = json_extract(b, '$.a')", "json_valid(COLUMN)"),
    ],
)
def test_a_message_is_read_with_the_statement_that_it_is_about(
    message: str, statement: str, remedy: str
) -> None:
    assert remedy in advise(message, statement).text


def test_what_does_not_read_has_no_plain_text() -> None:
    assert plain_text("SELECT 'never ends") == ""
    assert plain_text("select \"a\", 'b' -- c") == "SELECT Q , Q"
