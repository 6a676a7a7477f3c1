"""Run the statements of an SQL part, one by one."""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import TYPE_CHECKING

from pytest_bbmigrate.private import error_name
from pytest_bbmigrate.runner.model import Failure

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import SqlPart
    from pytest_bbmigrate.runner.connection import RunConnection
    from pytest_bbmigrate.runner.transactions import Transactions
    from pytest_bbmigrate.sql import Statement


def run_statements(db: RunConnection, part: SqlPart, transactions: Transactions) -> Failure | None:
    """Run ``part`` on ``db``, to its end or the first statement that fails; return why it failed.

    In a transaction, what the runner has seen to is left out: an outer BEGIN and COMMIT, and every
    PRAGMA foreign_keys, which does nothing there (https://sqlite.org/pragma.html).
    """
    left_out: frozenset[int] = frozenset()
    if part.in_transaction:
        left_out = transactions.switches.union(transactions.outer)
    for position, statement in enumerate(part.statements):
        if position not in left_out:
            db.line = statement.line
            db.controls_transaction = position in transactions.outer
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
