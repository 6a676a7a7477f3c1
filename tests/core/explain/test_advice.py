"""What to do about a message of SQLite, of Python or of the runner."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.explain.advice import Advice, advise, advise_on_failure
from pytest_bbmigrate.explain.advice_by_runner import every_advice
from pytest_bbmigrate.explain.messages import MESSAGES
from pytest_bbmigrate.explain.newer_dates import MODIFIERS
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.explain.syntax import plain_text
from pytest_bbmigrate.runner import Failure, RunEnvironment
from pytest_bbmigrate.runner.model import RanAs
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, as_applied
from tests.core.running import PLAIN, failure_of, image_of, run_sql

if TYPE_CHECKING:
    from pytest_bbmigrate.runner import Run

DBMATE = RanAs("dbmate")

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
        ("ALTER TABLE t DROP INDEX i", "SQLite has DROP INDEX name, without the table"),
        ("ALTER TABLE t DROP KEY i", "SQLite has DROP INDEX name, without the table"),
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
        ("INSERT INTO t VALUES (1, DEFAULT)", "leave the column out"),
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
        ("CREATE TABLE sqlite_x (a)", "give it another"),
        ("CREATE TABLE x (a)\nCREATE TABLE y (a)", "is a ; missing"),
        ("UPDATE t SET a = 1\nINSERT OR IGNORE INTO t VALUES (1, 2)", "is a ; missing"),
        (f"CREATE TABLE x ({', '.join(f'c{n}' for n in range(2001))})", "2,000 columns"),
        (f"SELECT 1 FROM {', '.join(f't AS t{n}' for n in range(65))}", "64 tables"),
    ],
)
def test_what_sqlite_refuses_is_said_in_its_own_words(sql: str, remedy: str) -> None:
    advice = advise(message_of(sql), sql)

    assert remedy in advice.text
    assert advice.missing in ("", "SQLite 3.37", "SQLite 3.44")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("json_extract(e.value, '$.a')", "ask for its type first (x.type = 'object')"),
        ("json_extract(a, '$')", "there are rows whose text is no JSON"),
    ],
)
def test_of_elements_that_are_read_as_json_the_type_is_asked(value: str, told: str) -> None:
    sql = f"UPDATE t SET a = (SELECT {value} FROM json_each(t.a) AS e)"

    assert told in advise("malformed JSON", sql).text


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
                "concat() came with SQLite 3.44, this is 3.40.1: write a || b, with ifnull(a, '') "
                "for what may be NULL, or name the app's Python with bb_python where that has it"
            ),
        ),
    ],
)
def test_what_an_older_sqlite_lacks_is_told_with_the_way_to_another(
    message: str, sql: str, text: str
) -> None:
    assert advise(message, sql, version=(3, 40, 1)).text == text


def test_a_copy_that_vacuum_writes_is_told_as_that() -> None:
    advice = advise("ATTACH of x.db is refused in a migration", "VACUUM INTO 'x.db'")

    assert advice.text.startswith("VACUUM INTO writes a copy elsewhere")


@pytest.mark.parametrize("column", ["COLUMN a", "a", "COLUMN `a`"])
def test_a_column_that_only_libsql_alters_is_told_as_that(column: str) -> None:
    advice = advise(
        'near "ALTER": syntax error', f"ALTER TABLE t ALTER {column} TO a TEXT", version=(3, 40, 1)
    )

    assert advice.text.startswith("ALTER COLUMN .. TO is libSQL's alone, SQLite cannot change")


def test_what_a_newer_sqlite_can_do_is_not_said_to_be_impossible() -> None:
    sql = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)"
    advice = advise('near "CONSTRAINT": syntax error', sql, version=(3, 40, 1))

    assert "SQLite cannot" not in advice.text
    assert "this is 3.40.1: build a new table, copy the rows" in advice.text


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
        ("the query contains a null character", "char(0)"),
        ("too many levels of trigger recursion", "recursive_triggers"),
        ("ImportError: attempted relative import with no known parent package", "without a dot"),
        ("EOFError: EOF when reading a line", "nobody to ask"),
        ("what it leaves is no database that SQLite can read (malformed)", "rebuild the table"),
        ("UNIQUE constraint failed: transactions.kind", "hold duplicates of kind"),
        ("UNIQUE constraint failed: index 'by_lower_name'", "hold duplicates"),
        ("NOT NULL constraint failed: accounts.name", "rows with NULL in name"),
        ("CHECK constraint failed: amount <> 0", "mend them first"),
        ("FOREIGN KEY constraint failed", "children"),
        ('foreign key mismatch - "a" referencing "b"', "UNIQUE index"),
        ("error in view spending: no such table: main.t", "DROP spending first"),
        ("error in trigger tr after rename: no such column: x", "DROP tr first"),
        ("error in index by_day after drop column: no such column: day", "DROP INDEX by_day"),
        ('cannot drop PRIMARY KEY column: "id"', "build a new table"),
        ('cannot drop UNIQUE column: "name"', "build a new table"),
        ('cannot drop column "id": no other columns exist', "add another column first"),
        ("there is already a table named t", "give this one another"),
        ("there is already another table or index with this name: t", "give this one another"),
        ("Cannot add a NOT NULL column with default value NULL", "NOT NULL DEFAULT"),
        ("cannot add a STORED column", "VIRTUAL"),
        ("database table is locked", "fetch all"),
        ("Cannot add a column with non-constant default", "UPDATE the rows"),
        ("IntegrityError: UNIQUE constraint failed: t.a", "hold duplicates of a"),
        ("SystemExit: 1, after OperationalError: table t already exists", "IF NOT EXISTS"),
        ("IntegrityError: (sqlite3.IntegrityError) CHECK constraint failed: x", "mend them"),
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
            "duplicates of a, b: merge them first",
        ),
        (
            "UNIQUE constraint failed: t_new.a",
            "INSERT INTO t_new SELECT a FROM t",
            "get the same a, or one that the table has already: merge them on the way",
        ),
        ("UNIQUE constraint failed: t.a", "UPDATE t SET a = ''", "merge the two, or leave one"),
        ("UNIQUE constraint failed: t.a", "INSERT INTO t VALUES (1)", "a second row the same a"),
        ("NOT NULL constraint failed: t.a", "INSERT INTO t (b) VALUES (1)", "it leaves a out"),
        ("FOREIGN KEY constraint failed", "DELETE FROM t", "delete them first, or move them"),
        ("FOREIGN KEY constraint failed", "UPDATE t SET a = 1", "insert that row first"),
        ("FOREIGN KEY constraint failed", "INSERT OR REPLACE INTO t VALUES (1)", "children"),
        ("FOREIGN KEY constraint failed", "DROP TABLE t", "and say by bb_runs_as which tool"),
        (
            "NOT NULL constraint failed: t_new.a",
            "INSERT INTO t_new (a) SELECT a FROM t",
            "give them one on the way (coalesce(..))",
        ),
        ("NOT NULL constraint failed: t.a", "UPDATE t SET a = b", "sets a to NULL in some rows"),
        ("no such index: i", "DROP INDEX i", "DROP TABLE takes indexes and triggers along"),
        ("no such table: t", "SELECT * FROM t", "bb_base"),
        ('no such column: "key"', "ALTER TABLE t RENAME COLUMN key TO k", "renamed or dropped"),
        ('no such column: "key"', 'SELECT t."key" FROM t', "single quotes"),
        (
            "malformed JSON",
            "UPDATE t SET a = json_extract(b, '$.a')",
            "leave them out (json_valid(..))",
        ),
    ],
)
def test_a_message_is_read_with_the_statement_that_it_is_about(
    message: str, statement: str, remedy: str
) -> None:
    assert remedy in advise(message, statement).text


@pytest.mark.parametrize(
    "message",
    [
        "CHECK constraint failed: a > 0",
        "UNIQUE constraint failed: t.a",
        "NOT NULL constraint failed: t.a",
        "malformed JSON",
    ],
)
def test_a_requires_line_is_spoken_of_only_where_there_is_one(message: str) -> None:
    failure = Failure(Path("001_step.sql"), 1, "INSERT INTO t SELECT a FROM u", message)

    assert "; if real rows" in advise_on_failure(failure, has_line=True).text
    assert "real rows" not in advise_on_failure(failure).text


FAMILY = """
    CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE costs (id INTEGER PRIMARY KEY, trip_id REFERENCES trips (id));
    INSERT INTO trips VALUES (1, 'Lake'); INSERT INTO costs VALUES (1, 1);
"""
REBUILD = """{}
    CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO trips_new SELECT * FROM trips;
    DROP TABLE trips;
    ALTER TABLE trips_new RENAME TO trips;
{}"""
KEYS_OFF = "PRAGMA foreign_keys = OFF;"
KEYS_ON = "PRAGMA foreign_keys = ON;"
DEFERRED = ("PRAGMA defer_foreign_keys = ON;", "PRAGMA defer_foreign_keys = OFF;")


def rebuilt(
    runs_as: str,
    around: tuple[str, str] = ("", ""),
    *,
    contract: Contract = PLAIN,
    foreign_keys: bool | None = None,
    in_transaction: bool = True,
) -> Run:
    """Return what the rebuild of a parent with children came to, by the rules of a tool."""
    environment = RunEnvironment(
        profile=PROFILES.get(runs_as, UNDECIDED), foreign_keys=foreign_keys
    )
    return run_sql(
        REBUILD.format(*around),
        image_of(FAMILY),
        contract=contract,
        environment=environment,
        in_transaction=in_transaction,
    )[0]


@pytest.mark.parametrize("runs_as", ["drizzle", "d1", "sqlx"])
def test_where_the_pragma_does_nothing_the_way_out_is_one_that_works(runs_as: str) -> None:
    advice = advise_on_failure(failure_of(rebuilt(runs_as, (KEYS_OFF, KEYS_ON)))).text

    assert "PRAGMA foreign_keys does nothing" in advice
    assert "PRAGMA defer_foreign_keys = ON before a rebuild, and = OFF behind it" in advice
    assert "bb: foreign_keys off" not in advice
    assert rebuilt(runs_as, DEFERRED).failure is None


@pytest.mark.parametrize("runs_as", ["drizzle", "sqlx"])
def test_a_connection_that_has_them_off_is_said_in_the_settings(runs_as: str) -> None:
    advice = advise_on_failure(failure_of(rebuilt(runs_as))).text

    assert "say so by bb_foreign_keys = off in the settings" in advice
    assert rebuilt(runs_as, foreign_keys=False).failure is None


@pytest.mark.parametrize("runs_as", ["prisma", "sqlite3", "flyway"])
def test_where_the_pragma_takes_effect_it_is_the_way_out(runs_as: str) -> None:
    advice = advise_on_failure(failure_of(rebuilt(runs_as, foreign_keys=True))).text

    assert "PRAGMA foreign_keys takes effect in this file: have it begin with = OFF" in advice
    assert rebuilt(runs_as, (KEYS_OFF, KEYS_ON), foreign_keys=True).failure is None


@pytest.mark.parametrize("runs_as", ["dbmate", "goose", "golang-migrate", "diesel", "yoyo"])
def test_what_leaves_keys_to_its_user_is_to_be_told_or_to_run_in_no_transaction(
    runs_as: str,
) -> None:
    advice = advise_on_failure(failure_of(rebuilt(runs_as, foreign_keys=True))).text

    assert f"does nothing within the transaction of {runs_as}: turn them off where" in advice
    assert "say so by bb_foreign_keys = off" in advice
    assert rebuilt(runs_as, (KEYS_OFF, ""), foreign_keys=True).failure is not None
    outside = rebuilt(runs_as, (KEYS_OFF, ""), foreign_keys=True, in_transaction=False)
    assert outside.failure is None


@pytest.mark.parametrize("runs_as", ["bbmigrate", ""])
def test_our_own_rules_take_it_from_the_contract(runs_as: str) -> None:
    by_settings = rebuilt(runs_as, foreign_keys=True)
    by_contract = rebuilt(runs_as, contract=Contract(foreign_keys=True))
    by_file = rebuilt(runs_as, (KEYS_ON, ""))

    assert "; say -- bb: foreign_keys off while" in advise_on_failure(failure_of(by_settings)).text
    assert "take foreign_keys on out of" in advise_on_failure(failure_of(by_contract)).text
    assert "leave PRAGMA foreign_keys = ON out" in advise_on_failure(failure_of(by_file)).text
    assert rebuilt(runs_as, contract=Contract(foreign_keys=False), foreign_keys=True).succeeded


@pytest.mark.parametrize("runs_as", ["d1", "drizzle", "sqlx"])
def test_no_transaction_is_not_advised_where_nothing_says_it(runs_as: str) -> None:
    ran = RanAs(runs_as)

    advice = advise("cannot VACUUM from within a transaction", "VACUUM", ran=ran).text

    assert advice.startswith(f"{runs_as} has each file in a transaction")
    assert "no_transaction" not in advice
    assert (
        "in no transaction" in advise("cannot VACUUM from within a transaction", "", ran=DBMATE)[0]
    )


@pytest.mark.parametrize("runs_as", ["d1", "yoyo"])
def test_what_refuses_begin_is_called_by_its_name(runs_as: str) -> None:
    advice = advise("BEGIN is refused in a migration", "BEGIN", ran=RanAs(runs_as)).text

    assert advice.startswith(f"leave it out: {runs_as} has a transaction of its own")


@pytest.mark.parametrize(
    ("runs_as", "kept"),
    [
        ("bbmigrate", "nothing of it is kept."),
        ("prisma", "prisma leaves what was done before the failure."),
        ("sqlite3", "the sqlite3 shell leaves what was done before the failure."),
        ("dbmate", "dbmate leaves what was done before the failure."),
        ("", "a tool that runs it on the database itself leaves what was done before the failure."),
    ],
)
def test_what_is_left_of_a_failure_is_said_of_the_tool_that_runs_it(
    runs_as: str, kept: str
) -> None:
    environment = RunEnvironment(profile=PROFILES.get(runs_as, UNDECIDED))
    run, _ = run_sql("SELECT 1; BOOM", environment=environment, in_transaction=False)

    note = advise_on_failure(failure_of(run)).text.splitlines()[-1]

    assert note.startswith("It ran outside a transaction, ")
    assert "on a copy that is thrown away: " in note
    assert note.endswith(kept)


def test_of_what_we_apply_nothing_is_left_whatever_the_rules() -> None:
    environment = RunEnvironment(profile=as_applied(PROFILES["goose"]))
    run, _ = run_sql("SELECT 1; BOOM", environment=environment, in_transaction=False)

    assert advise_on_failure(failure_of(run)).text.endswith(": nothing of it is kept.")


TEMPLATE = re.compile(r"\b(TABLE|COLUMN|CONDITION|EXPR|EXPRESSION|NAME|NEW_NAME|REASON)\b")


def test_no_advice_has_a_template_of_a_line() -> None:
    texts = [*REASONS.values(), *every_advice(), *(advice for _, advice in MESSAGES)]
    lines = [" ".join(text.split()).partition("bb: ")[2] for text in texts]

    assert any(lines)
    assert [line for line in lines if TEMPLATE.search(line)] == []


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


def test_a_known_tool_is_not_told_to_be_another() -> None:
    said = advise("COMMIT is refused in a migration", "COMMIT", ran=RanAs("golang-migrate")).text

    assert "sqlite3" not in said


@pytest.mark.parametrize(
    ("statement", "version", "told"),
    [
        (
            "INSERT INTO t (a, at) VALUES (1, datetime('now')), (2, datetime('now', 'SUBSEC'))",
            (3, 40, 1),
            (
                "the modifier 'subsec', which makes the date NULL where SQLite does not know it, "
                "came with SQLite 3.42, this is 3.40.1: write strftime("
                "'%Y-%m-%d %H:%M:%f', 'now'), or name the app's Python "
                "with bb_python where that has it"
            ),
        ),
        (
            "INSERT INTO t (at) SELECT date(x, '+1 month', 'floor') FROM y",
            (3, 45, 3),
            "SQLite 3.46",
        ),
        ("UPDATE t SET at = datetime(x, 'auto')", (3, 37, 2), "'auto', which makes"),
        ("INSERT INTO t (at) VALUES (datetime('now', 'subsec'))", (3, 42, 0), "write a value"),
        (
            "INSERT INTO t (b, at) VALUES (datetime('now', 'subsec'), NULL)",
            (3, 40, 1),
            "write a value",
        ),
        ("INSERT INTO t (at) VALUES (nullif('auto', 'auto'))", (3, 37, 0), "write a value"),
    ],
)
def test_a_date_that_an_older_sqlite_makes_null_is_not_told_to_be_the_files_fault(
    statement: str, version: tuple[int, ...], told: str
) -> None:
    advice = advise("NOT NULL constraint failed: t.at", statement, version=version)

    assert told in advice.text
    assert bool(advice.missing) is (told != "write a value")


@pytest.mark.parametrize("word", MODIFIERS)
def test_an_sqlite_that_does_not_know_a_modifier_gives_null(word: str) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        ((made,),) = db.execute("SELECT date(2460000.5, ?)", [word])

    assert (made is None) is (sqlite3.sqlite_version_info < MODIFIERS[word].since)
