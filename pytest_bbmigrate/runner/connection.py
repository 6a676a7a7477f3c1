"""The connection a migration runs on: whatever it does, it stays in the runner's transaction."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.runner.authorized import REFUSED, is_beyond_d1
from pytest_bbmigrate.runner.dialect import adapt
from pytest_bbmigrate.runner.limits import overdue
from pytest_bbmigrate.runner.model import ShapeConflict
from pytest_bbmigrate.runner.tracebacks import calling_line, describe, note_statement, statement_of
from pytest_bbmigrate.runner.transactions import read_transactions
from pytest_bbmigrate.sql import UnreadableSql, first_word, split_statements
from pytest_bbmigrate.sqlite_files import configure_connection
from pytest_bbmigrate.sqlite_files.in_time import is_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_bbmigrate.runner.model import Record

ENDED = "this statement ended the whole transaction"
ROLLED_BACK = "the migration rolled back"

MAY_MEET_ROWS = frozenset({"update", "delete", "with"})
STEPS = 100_000  # of SQLite's virtual machine, from one look at the clock to the next


class RunCursor(sqlite3.Cursor):
    """A cursor whose statements are adapted, written down and kept in the transaction."""

    def execute(self, sql: str, *args: Any) -> RunCursor:
        """As in the base class, but that ``ADD COLUMN IF NOT EXISTS`` does what it means."""
        return self._run(super().execute, sql, args)

    def executemany(self, sql: str, *args: Any) -> RunCursor:
        """As in the base class."""
        return self._run(super().executemany, sql, args)

    def executescript(self, sql: str) -> RunCursor:
        """Execute statement by statement, without the COMMIT of the base class.

        A sole BEGIN and COMMIT around the whole are left out.
        """
        db = self._connection
        try:
            statements = split_statements(sql)
        except UnreadableSql as error:
            raise sqlite3.OperationalError(str(error)) from error
        left_out = () if db.controls_transaction else read_transactions(statements).outer
        for position, statement in enumerate(statements):
            if position not in left_out:
                self.execute(statement.text).fetchall()
        return self

    def _run(
        self, method: Callable[..., sqlite3.Cursor], sql: str, args: tuple[Any, ...]
    ) -> RunCursor:
        db = self._connection
        if not db.watched:
            method(sql, *args)
            return self
        adapted = adapt(db.ask, db.prepare_scratch, sql, helps=db.helps_add_column)
        if adapted.sql:
            changes = db.total_changes
            try:
                db.before(adapted.sql)
                method(adapted.sql, *args)
            except sqlite3.Error as error:
                if db.was_interrupted(error):
                    raise KeyboardInterrupt from error
                note_statement(error, sql)
                db.refuse_overdue(error, sql)
                db.look_at_transaction(sql)
                if db.refusal:
                    raise sqlite3.OperationalError(db.refusal) from error
                raise
            db.executed.append(adapted.sql)
            # There is no rowcount for what begins with WITH.
            if db.total_changes == changes and first_word(adapted.sql) in MAY_MEET_ROWS:
                db.idle.append(adapted.sql)
            db.look_at_transaction(sql)
        if adapted.misfit:
            db.note_misfit(*adapted.misfit)
        return self

    @property
    def _connection(self) -> RunConnection:
        db: RunConnection = self.connection  # type: ignore[assignment]  # the one that makes it
        return db


class RunConnection(sqlite3.Connection):
    """A connection on which ``commit()``, ``close()`` and ``with`` do nothing.

    Once it is begun, ``executed`` is the SQL it executed, ``conflicts`` what an IF NOT EXISTS met
    of another shape; ``fault`` says how the migration left the transaction, '' if it did not, and
    ``fault_line`` and ``fault_statement`` where.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.path = Path()
        self.line: int | None = None  # of the SQL statement at hand; None in Python code
        self.prepare_scratch: Callable[[sqlite3.Connection], object] = no_preparation
        self.helps_add_column = True
        self.confined = False
        self.enforces = False  # whether foreign keys were enforced when it was begun
        self.watched = False
        self.controls_transaction = False  # whether the migration may begin and end one
        self.executed: list[str] = []
        self.idle: list[str] = []  # of these, what wrote no row though it might have
        self.conflicts: list[ShapeConflict] = []
        self.refusal = ""  # what the authorizer last refused
        self.fault = ""
        self.fault_line: int | None = None
        self.fault_statement = ""
        self._atomic = True
        self._is_ours = False  # the migration's run is over, and nothing of it is left here
        self._vacuums = False
        self._seconds: float | None = None  # that the migration may take
        self._deadline = 0.0  # its end, by the monotonic clock

    def begin(self, *, foreign_keys: bool | None, atomic: bool) -> None:
        """Begin to watch, in a transaction if ``atomic``, with foreign keys enforced or not.

        None leaves them as they are.
        """
        if foreign_keys is not None:
            self.ask(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        ((enforced,),) = self.ask("PRAGMA foreign_keys")
        self.enforces = bool(enforced)
        if atomic:
            self.ask("BEGIN IMMEDIATE")
        self._atomic = atomic
        super().set_authorizer(self._authorize)
        self.watched = True

    def limit(self, seconds: float) -> None:
        """Interrupt the statement that runs when ``seconds`` from now are over.

        A loop may count as far as a value goes, and SQLite itself never gives up
        (https://sqlite.org/c3ref/progress_handler.html).
        """
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        super().set_progress_handler(lambda: int(self.watched and self._is_overdue()), STEPS)

    def _is_overdue(self) -> bool:
        """Return whether the migration takes longer than it may."""
        return self._seconds is not None and time.monotonic() > self._deadline

    def refuse_overdue(self, error: sqlite3.Error, sql: str) -> None:
        """Raise sqlite3.OperationalError when ``sql`` was interrupted for taking too long."""
        if is_interrupt(error) and self._is_overdue():
            self.note_fault(overdue(self._seconds), sql)  # the transaction is over as well
            raise sqlite3.OperationalError(self.fault) from error

    def was_interrupted(self, error: sqlite3.Error) -> bool:
        """Return whether ``error`` is all that is left of a Ctrl-C during a statement.

        Python raises KeyboardInterrupt in the progress handler, and sqlite3 makes this of it.
        """
        return self._seconds is not None and is_interrupt(error) and not self._is_overdue()

    def finish(self, record: Record | None = None) -> None:
        """Stop watching, have ``record`` write what it wants to, and commit.

        Raises: sqlite3.Error when SQLite refuses to (a deferred foreign key is violated).
        """
        self.watched = False
        super().set_authorizer(None)
        self.row_factory, self.text_factory = None, str
        if record is not None:
            if not self.in_transaction:
                self.ask("BEGIN IMMEDIATE")
            record(self, len(self.executed))
        if self.in_transaction:
            self.ask("COMMIT")

    def as_new(self) -> sqlite3.Connection:
        """Return the connection, which is finished, set up as any other of ours, and to be closed.

        From here on nothing that it does differs from the base class.
        """
        self.controls_transaction = self._is_ours = True
        super().set_progress_handler(None, 0)
        self.ask("PRAGMA recursive_triggers = 0")
        return configure_connection(self)

    def end(self) -> None:
        """Close the connection, and lose what is not committed."""
        super().close()

    def ask(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement of the runner's own and return its rows as tuples."""
        return sqlite3.Cursor(self).execute(sql, parameters).fetchall()

    def before(self, sql: str) -> None:
        """Note that ``sql`` is about to be executed."""
        self.refusal = ""
        self._vacuums = not self._atomic and first_word(sql) == "vacuum"

    def look_at_transaction(self, sql: str) -> None:
        """Note it when the transaction is over after ``sql``.

        No authorizer sees ON CONFLICT ROLLBACK and RAISE(ROLLBACK) doing that
        (https://sqlite.org/lang_conflict.html).
        """
        if not self._atomic or self.in_transaction:
            return
        if self.controls_transaction:
            self._atomic = False  # from here on the migration is by itself, as it wants to be
        else:
            self.note_fault(ENDED, sql)

    def note_fault(self, message: str, sql: str = "") -> None:
        """Note how the migration left the transaction; the first time counts."""
        if not self.fault:
            self.fault, self.fault_statement = message, sql
            self.fault_line = self.current_line()

    def note_misfit(self, name: str, wanted: str, there: str) -> None:
        """Note that an IF NOT EXISTS met something of another shape."""
        line = self.current_line()
        self.conflicts.append(ShapeConflict(self.path, line, name, wanted, there))

    def current_line(self) -> int | None:
        """Return the line of the migration's file that is being executed."""
        if self.line is not None:
            return self.line
        return calling_line(str(self.path), sys._getframe())  # noqa: SLF001 - the way to callers

    def cursor(self, factory: Any = RunCursor) -> Any:
        """As in the base class."""
        return super().cursor(factory)

    def execute(self, sql: str, *args: Any) -> Any:
        """As in the base class, with a cursor of our own, which that would pass over."""
        return self.cursor().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        """As in the base class."""
        return self.cursor().executemany(sql, *args)

    def executescript(self, sql: str) -> Any:
        """As in the base class."""
        return self.cursor().executescript(sql)

    def commit(self) -> None:
        """Do nothing: the runner commits at the end."""
        if self.controls_transaction:
            super().commit()

    def rollback(self) -> None:
        """Mark the migration as failed: what it did is thrown away at its end."""
        if self.controls_transaction:
            super().rollback()
        else:
            error = sys.exc_info()[1]
            if error is None:
                self.note_fault(ROLLED_BACK)
            else:
                self.note_fault(f"{ROLLED_BACK}, after {describe(error)}", statement_of(error))

    def close(self) -> None:
        """Do nothing: the runner needs the connection still."""
        if self._is_ours:
            super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        """Do nothing, or after an exception what ``rollback()`` does."""
        if self.controls_transaction:
            return super().__exit__(kind, error, trace)
        if error is not None:
            self.rollback()
        return False

    @property
    def isolation_level(self) -> None:
        """None, whatever is put here: Python itself begins no transaction."""
        return None

    @isolation_level.setter
    def isolation_level(self, _: object) -> None:
        """Do nothing: in the base class this commits."""

    def set_authorizer(self, authorizer: Any) -> None:
        """Refuse another authorizer in the place of the runner's.

        Raises: sqlite3.NotSupportedError.
        """
        if self._is_ours:
            super().set_authorizer(authorizer)
            return
        raise sqlite3.NotSupportedError("a migration cannot set an authorizer of its own")

    def backup(self, *_: Any, **__: Any) -> None:
        """Refuse to copy the database, which would wait for the transaction's end for ever.

        Raises: sqlite3.NotSupportedError.
        """
        raise sqlite3.NotSupportedError("a migration cannot make a backup while it runs")

    def _authorize(self, action: int, name: str | None, value: str | None, *_: str | None) -> int:
        if self.confined and is_beyond_d1(action, name, value):
            return sqlite3.SQLITE_DENY
        if action not in REFUSED or (self._vacuums and name in ("", "BEGIN")):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_TRANSACTION and self.controls_transaction:
            return sqlite3.SQLITE_OK
        self.refusal = REFUSED[action].format(name or "a database")
        return sqlite3.SQLITE_DENY


def no_preparation(_: sqlite3.Connection) -> None:
    """Do nothing with a connection."""
