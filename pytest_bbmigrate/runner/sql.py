"""Run the statements of an SQL part, one by one."""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import TYPE_CHECKING

from pytest_bbmigrate.private import error_name
from pytest_bbmigrate.runner.model import Failure
from pytest_bbmigrate.runner.transactions import left_to_runner, reaching_sqlite

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import SqlPart
    from pytest_bbmigrate.runner.connection import RunConnection
    from pytest_bbmigrate.runner.profiles import Profile
    from pytest_bbmigrate.runner.transactions import Transactions
    from pytest_bbmigrate.sql import Statement


def run_statements(
    db: RunConnection, part: SqlPart, transactions: Transactions, profile: Profile
) -> Failure | None:
    """Run ``part`` on ``db`` by the rules of ``profile``; return why it failed.

    It runs to its end, or the first statement that fails, without what the runner has seen to.
    """
    left_out = left_to_runner(profile, part, transactions)
    may_control = reaching_sqlite(profile, part, transactions)
    for position, statement in enumerate(part.statements):
        if position not in left_out:
            db.line = statement.line
            db.controls_transaction = position in may_control
            if failure := run_statement(db, part, statement):
                return failure
    return None


def run_statement(db: RunConnection, part: SqlPart, statement: Statement) -> Failure | None:
    """Run one statement to its last row, and return why it failed."""
    error = ""
    try:
        deque(db.execute(statement.text), maxlen=0)
    except sqlite3.Error as raised:
        message, error = str(raised), error_name(raised)
        if db.fault not in ("", message):
            message = f"{message}; {db.fault}"
    else:
        message = db.fault
    if not message:
        return None
    return Failure(part.path, statement.line, statement.text, message, error)
