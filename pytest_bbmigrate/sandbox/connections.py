"""Replace ``sqlite3.connect`` for a migration script: it opens the working copy, nothing else."""

from __future__ import annotations

import functools
import os
import re
import sqlite3
import sqlite3.dbapi2
import sys
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_bbmigrate.runner.tracebacks import calling_line, describe, note_statement
from pytest_bbmigrate.sandbox.files import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_bbmigrate.sandbox.paths import SandboxPaths
    from pytest_bbmigrate.sandbox.script_report import ScriptLog

FACTORY_POSITION = 5  # among the arguments of sqlite3.connect()
URI_POSITION = 7

BEFORE = r"(?:\s|--[^\n]*\n|/\*[^*]*\*+(?:[^*/][^*]*\*+)*/)*"  # blanks and comments
READS = re.compile(rf"{BEFORE}(?:SELECT|PRAGMA|BEGIN|EXPLAIN)\b", re.I)
COMMITS = re.compile(rf"{BEFORE}(?:COMMIT|END)\b", re.I)
ROLLS_BACK = re.compile(rf"{BEFORE}ROLLBACK(?:\s+TRANSACTION)?\s*;?\s*$", re.I)

ROLLED_BACK = "the script rolled its changes back"
NOT_COMMITTED = "the script closed the database without commit()"


@dataclass(frozen=True)
class ConnectionRules:
    """The rules for a script's connections.

    ``script`` is its path; ``prepare`` is called with every connection before the script gets it.
    """

    paths: SandboxPaths
    script_log: ScriptLog
    script: str
    prepare: Callable[[sqlite3.Connection], object] | None = None


class GuardedCursor(sqlite3.Cursor):
    """A cursor that records what is executed, and says why a statement was refused."""

    def execute(self, sql: str, *args: Any) -> GuardedCursor:
        """As in the base class."""
        return self._run(super().execute, sql, args)

    def executemany(self, sql: str, *args: Any) -> GuardedCursor:
        """As in the base class."""
        return self._run(super().executemany, sql, args)

    def executescript(self, sql: str) -> GuardedCursor:
        """As in the base class."""
        return self._run(super().executescript, sql, ())

    def _run(
        self, method: Callable[..., sqlite3.Cursor], sql: str, args: tuple[Any, ...]
    ) -> GuardedCursor:
        connection: GuardedConnection = self.connection  # type: ignore[assignment]  # it makes only these cursors
        connection.before(sql)
        try:
            method(sql, *args)
        except sqlite3.Error as error:
            note_statement(error, sql)
            if connection.refusal:
                raise sqlite3.OperationalError(connection.refusal) from error
            raise
        connection.done(sql)
        return self


class GuardedConnection(sqlite3.Connection):
    """A connection to the working copy, by whatever name of the real database it was opened."""

    rules: ClassVar[ConnectionRules]
    opened: ClassVar[weakref.WeakSet[GuardedConnection]] = weakref.WeakSet()

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        self.refusal = ""  # why the current statement was refused
        self.unsaved = False  # whether something was written since the last commit
        self.ready = False
        uri = kwargs.get("uri", len(args) >= URI_POSITION and args[URI_POSITION - 1])
        try:
            name = self.rules.paths.database_to_open(os.fsdecode(database), uri=bool(uri))
        except sqlite3.OperationalError as error:
            self.rules.script_log.refused.append(str(error))
            raise
        super().__init__(name, *args, **kwargs)
        if self.rules.prepare is not None:
            self.rules.prepare(self)
        super().set_authorizer(self._authorize)
        self.opened.add(self)
        self.ready = True

    def before(self, sql: str) -> None:
        """Prepare for executing ``sql``; record what a ROLLBACK is about to lose."""
        self.refusal = ""
        if ROLLS_BACK.match(sql):
            self.note_loss(ROLLED_BACK)

    def done(self, sql: str) -> None:
        """Record that ``sql`` was executed."""
        if not self.ready:
            return
        self.rules.script_log.executed.append(sql)
        if COMMITS.match(sql):
            self.rules.script_log.lost = ""
        self.unsaved = self.in_transaction and (self.unsaved or not READS.match(sql))

    def note_loss(self, how: str) -> None:
        """Record that what was written since the last commit, if anything, is lost now."""
        if not self.unsaved:
            return
        error = sys.exc_info()[1]
        self.rules.script_log.lost = f"{how}, after {describe(error)}" if error else how
        self.rules.script_log.line = calling_line(self.rules.script, sys._getframe())  # noqa: SLF001 - the only way to the caller
        self.unsaved = False

    def set_authorizer(self, *_: object) -> None:
        """Refuse to replace the authorizer that refuses other files.

        Raises: sqlite3.NotSupportedError.
        """
        raise sqlite3.NotSupportedError("a migration cannot set an authorizer of its own")

    def cursor(self, factory: Any = GuardedCursor) -> Any:
        """As in the base class."""
        return super().cursor(factory)

    def execute(self, sql: str, *args: Any) -> Any:
        """As in the base class, but by our own cursor, which the base class would not use."""
        return self.cursor().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        """As in the base class."""
        return self.cursor().executemany(sql, *args)

    def executescript(self, sql: str) -> Any:
        """As in the base class."""
        return self.cursor().executescript(sql)

    def commit(self) -> None:
        """As in the base class."""
        super().commit()
        self.unsaved = False
        self.rules.script_log.lost = ""

    def rollback(self) -> None:
        """As in the base class; a script that ends with it has failed."""
        self.note_loss(ROLLED_BACK)
        super().rollback()

    def close(self) -> None:
        """As in the base class; uncommitted changes are lost."""
        self.note_loss(NOT_COMMITTED)
        super().close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        """As in the base class: commit, or roll back after an exception."""
        if error is not None:
            self.note_loss(ROLLED_BACK)
        elif self.unsaved:
            self.unsaved = False
            self.rules.script_log.lost = ""
        return super().__exit__(kind, error, trace)

    def _authorize(self, action: int, name: str | None, *_: str | None) -> int:
        """Refuse ATTACH and VACUUM INTO of files that may not be opened."""
        if action != sqlite3.SQLITE_ATTACH:
            return sqlite3.SQLITE_OK
        if name is None:
            self.refusal = "ATTACH of a name that is not written out is refused in a migration"
        else:
            self.refusal = refusal_of(self.rules.paths, name)
        if not self.refusal:
            return sqlite3.SQLITE_OK
        self.rules.script_log.refused.append(self.refusal)
        return sqlite3.SQLITE_DENY


def refusal_of(paths: SandboxPaths, name: str) -> str:
    """Return why the database ``name`` (a path or URI) may not be opened as it is; '' if it may."""
    try:
        if paths.may_open(name):
            return ""
    except sqlite3.OperationalError as error:
        return str(error)
    return f"opening the real database {name} by the side is refused in a migration"


def guard_connections(rules: ConnectionRules) -> None:
    """Apply ``rules`` to every connection that this process makes from now on."""
    GuardedConnection.rules = rules
    connect = sqlite3.connect

    def guarded_connect(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= FACTORY_POSITION:
            kwargs.setdefault("factory", GuardedConnection)
        return connect(*args, **kwargs)

    for module in (sqlite3, sqlite3.dbapi2):
        vars(module).update(connect=guarded_connect, Connection=GuardedConnection)
    sys.addaudithook(functools.partial(refuse_others, rules))


def refuse_others(rules: ConnectionRules, event: str, args: tuple[Any, ...]) -> None:
    """Refuse an audit event that breaks the rules.

    Raises: sqlite3.OperationalError for a connection that bypasses GuardedConnection and opens what
        it may not; PermissionError for a program that is given the real database, since nothing
        would lead that to the copy.
    """
    if event in PROGRAMS and (path := rules.paths.find_real(texts_in(args))):
        message = (
            f"starting a program on {path} is refused: it would open the real database; to another "
            f"program a migration script calls it {rules.paths.copy.name}, without a folder"
        )
        rules.script_log.refused.append(message)
        raise PermissionError(message)
    if event == "sqlite3.connect" and (message := refusal_of(rules.paths, os.fsdecode(args[0]))):
        rules.script_log.refused.append(message)
        raise sqlite3.OperationalError(message)


def texts_in(args: tuple[Any, ...]) -> list[str]:
    """Return the texts in the arguments of an event that starts a program, but its environment."""
    words = [
        word for each in args for word in (each if isinstance(each, list | tuple) else (each,))
    ]
    return [os.fsdecode(word) for word in words if isinstance(word, str | bytes | os.PathLike)]


def note_unsaved() -> None:
    """Record, at the end of a script, what is lost because nobody has committed it."""
    for connection in GuardedConnection.opened:
        connection.note_loss("the script ended without commit()")
