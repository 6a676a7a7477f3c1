"""Run an SQL or Python part in this process, on a private copy of the database."""

from __future__ import annotations

import io
import re
import sqlite3
from contextlib import ExitStack, closing, redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.private import error_name
from pytest_bbmigrate.runner.connection import RunConnection
from pytest_bbmigrate.runner.model import Failure, PartResult
from pytest_bbmigrate.runner.profiles import ControlRule, PragmaRule
from pytest_bbmigrate.runner.sql import run_statements
from pytest_bbmigrate.runner.transactions import as_left, as_run_by, read_transactions
from pytest_bbmigrate.sandbox.watch import assert_unwritten, guarded_files, refused_exit
from pytest_bbmigrate.sql import first_word, quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    app_connections,
    call_hook,
    open_content,
    open_private,
    written_content,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.catalogue import Migration, Part, PythonPart
    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.runner.model import Record, RunEnvironment
    from pytest_bbmigrate.runner.profiles import Profile
    from pytest_bbmigrate.sqlite_files import Content

OUTSIDE = "It ran outside a transaction, "  # how each of the following begins
NOTHING_KEPT = f"{OUTSIDE}on a copy that is thrown away: nothing of it is kept."
KEPT_ELSEWHERE = (
    f"{OUTSIDE}here on a copy that is thrown away: {{}} leaves what was done before the failure."
)
NOT_ALONE = "drizzle hands this statement to its driver together with the one before it"
PUT_BREAKPOINT = (
    "Of two statements at once better-sqlite3 runs none, and @libsql/client the first alone: "
    "write --> statement-breakpoint between them."
)
NO_STATEMENT = "drizzle hands text to its driver in which there is no statement"
PUT_STATEMENT = (
    "It is cut at --> statement-breakpoint, and what holds comments alone, or nothing, is refused: "
    "leave a breakpoint out, or write SELECT 1."
)
WRITES_SCHEMA = re.compile("writable_schema", re.IGNORECASE)
# First words of statements whose effect is all in the database.
LEAVES_NOTHING = frozenset(
    {"create", "alter", "drop", "insert", "replace", "update", "delete", "reindex"}
)
KEPT_OUTSIDE = (
    "SELECT 1 FROM sqlite_temp_master UNION ALL "
    "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND rootpage = 0 LIMIT 1"
)
ORDINARY_TABLES = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0"


def run_in_process(
    migration: Migration,
    part: SqlPart | PythonPart,
    copy: Content,
    environment: RunEnvironment,
    record: Record | None = None,
    *,
    stays_open: bool = False,
) -> PartResult:
    """Run ``part`` on the private ``copy``; return the result, with ``copy`` as content on failure.

    ``record`` is called as in ``run_part``. With ``stays_open`` the connection of an SQL part is
    left open where it ``is_as_new``.

    Raises: DatabaseError when the real database was written meanwhile.
    """
    contract = migration.contract
    if isinstance(part, SqlPart):
        shaped = as_run_by(environment.profile, part)
        return run_on_connection(
            shaped,
            copy,
            environment,
            lambda db: run_sql(db, contract, shaped, environment),
            record,
            stays_open=stays_open,
        )
    from pytest_bbmigrate.runner.python import run_python  # needs sqlite-utils

    printed = io.StringIO()

    def run(db: RunConnection) -> Failure | None:
        with (
            assert_unwritten(environment.real, part),
            guarded_files(environment.real),
            refused_exit(),
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):
            foreign_keys = keys_wanted(contract, environment)
            return run_python(db, part, foreign_keys=foreign_keys, explain=no_note)

    result = run_on_connection(part, copy, environment, run, record)
    return replace(result, printed=printed.getvalue())


def no_note(_: BaseException) -> str:
    """Return '': nothing is to be added to what was raised."""
    return ""


def run_on_connection(
    part: SqlPart | PythonPart,
    copy: Content,
    environment: RunEnvironment,
    run: Callable[[RunConnection], Failure | None],
    record: Record | None = None,
    *,
    stays_open: bool = False,
) -> PartResult:
    """Call ``run`` with a connection to the private ``copy``, and commit; return the result.

    Its content is ``copy`` after a failure. ``record`` and ``stays_open`` are as in
    ``run_in_process``.
    """
    with app_connections(None):  # the hook is called below, after our own settings
        db = cast("RunConnection", open_private(copy, factory=RunConnection))
    with ExitStack() as ending:
        ending.callback(db.end)
        db.text_factory = str  # the default of Python, which the hook may change
        db.ask(f"PRAGMA foreign_keys = {int(bool(environment.profile.foreign_keys))}")
        db.ask(f"PRAGMA recursive_triggers = {int(environment.profile.recursive_triggers)}")
        call_hook(environment.prepare_connection, db)
        if environment.prepare_connection:
            db.prepare_scratch = environment.prepare_connection
        if environment.seconds is not None:
            db.limit(environment.seconds)
        db.path = part.path
        db.helps_add_column = environment.profile.helps_add_column
        db.confined = environment.profile.confined
        failure = run(db) or commit(db, part, record)
        if failure and not part.in_transaction:
            failure = replace(failure, note=what_is_kept(environment.profile))
        result = PartResult(
            failure=failure,
            content=copy if failure else written_content(db, copy),
            executed=tuple(db.executed),
            statements=len(db.executed),
            conflicts=tuple(db.conflicts),
            idle=tuple(db.idle),
            foreign_keys=db.enforces,
        )
        if stays_open and not failure and is_as_new(db, part, result, environment):
            ending.pop_all()
            return replace(result, left_open=db.as_new())
        return result


def is_as_new(
    db: RunConnection, part: SqlPart | PythonPart, result: PartResult, environment: RunEnvironment
) -> bool:
    """Return whether ``db``, on which ``part`` has run, can do for a new connection of ours.

    What a statement leaves in its connection, and not in the database, it leaves by a PRAGMA, in
    what is of TEMP, or in the module of a virtual table: where there is none of these, and no
    function of the app's, a new connection to the same content would read the same. No migration
    runs on such a connection: each run has a new one.
    """
    return (
        isinstance(result.content, bytes)
        and part.in_transaction
        and environment.prepare_connection is None
        and all(first_word(sql) in LEAVES_NOTHING for sql in result.executed)
        and not db.ask(KEPT_OUTSIDE)
    )


def what_is_kept(profile: Profile) -> str:
    """Return what is left of a part that failed outside a transaction: here, and by its tool."""
    if profile.on_copy:
        return NOTHING_KEPT
    tools = {"": "a tool that runs it on the database itself", "sqlite3": "the sqlite3 shell"}
    return KEPT_ELSEWHERE.format(tools.get(profile.name, profile.name))


def run_sql(
    db: RunConnection, contract: Contract, part: SqlPart, environment: RunEnvironment
) -> Failure | None:
    """Begin a transaction as the contract and ``part`` ask for, and run its statements."""
    profile = environment.profile
    if profile.single_statements and (odd := part.not_single) is not None:
        message, note = (NOT_ALONE, PUT_BREAKPOINT) if odd.text else (NO_STATEMENT, PUT_STATEMENT)
        return Failure(part.path, odd.line, odd.text, message, note=note)
    transactions = read_transactions(part.statements)
    wanted = keys_wanted(contract, environment)
    declares = profile.pragma is PragmaRule.DECLARES
    is_around = profile.pragma is PragmaRule.NOTHING and part.in_transaction
    if is_around and profile.control is not ControlRule.REFUSED and transactions.inverted:
        transactions, declares = as_left(transactions), True
    if declares and contract.foreign_keys is None and transactions.foreign_keys is not None:
        wanted = transactions.foreign_keys
    db.begin(foreign_keys=wanted, atomic=part.in_transaction)
    return run_statements(db, part, transactions, profile)


def keys_wanted(contract: Contract, environment: RunEnvironment) -> bool | None:
    """Return whether foreign keys are to be enforced, as the contract says, else the settings.

    None is for what the profile begins with, or the app's hook has made of it.
    """
    if contract.foreign_keys is not None:
        return contract.foreign_keys
    return environment.foreign_keys


def commit(
    db: RunConnection, part: SqlPart | PythonPart, record: Record | None = None
) -> Failure | None:
    """Commit what was run on ``db`` and what ``record`` writes; return why that failed, or None."""
    message, statement, error = "", "COMMIT", ""
    if db.in_transaction and not part.in_transaction:
        message, statement = "the migration ended with its own transaction open", ""
        record = None
    if part.in_transaction and not db.in_transaction:
        message = "the migration has ended the transaction that its tool is to commit"
    try:
        db.finish(record)
    except sqlite3.Error as raised:
        message, error = str(raised), error_name(raised)
    if not message:
        return None
    return Failure(part.path, None, statement, message, error)


def as_readable(result: PartResult, part: Part) -> PartResult:
    """Return ``result``, failed where SQLite can no longer read what ``part`` has left.

    SQL does that by writing to the schema itself (https://sqlite.org/pragma.html,
    writable_schema), a script by writing to the file.
    """
    is_sql = isinstance(part, SqlPart)
    if result.failure or (is_sql and not any(map(WRITES_SCHEMA.search, result.executed))):
        return result
    try:
        with closing(open_content(result.content)) as db:
            for (table,) in db.execute(ORDINARY_TABLES).fetchall() if is_sql else ():
                db.execute(f"SELECT count(*) FROM main.{quote_name(table)}")
            db.execute("SELECT 1 FROM main.sqlite_schema")
    except sqlite3.DatabaseError as error:
        message = f"what it leaves is no database that SQLite can read ({error})"
        return replace(result, failure=Failure(part.path, None, "", message, error_name(error)))
    return result


def columns_of(content: Content) -> dict[str, set[str]]:
    """Return the columns of every table in ``content``, all names case-folded."""
    columns: dict[str, set[str]] = {}
    with closing(open_content(content)) as db:
        rows = db.execute(
            "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c "
            "WHERE t.type = 'table' AND t.rootpage > 0"  # reading a virtual table needs its module
        )
        for table, column in rows:
            columns.setdefault(fold_name(table), set()).add(fold_name(column))
    return columns
