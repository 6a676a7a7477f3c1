"""What the fixtures give a test: databases of its own, a migration to run, and assertions."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sqlite_utils import Database

from pytest_bbmigrate.checks.foreign_keys_hold import dangling_finding, mismatch_finding
from pytest_bbmigrate.checks.preserved import find_unpreserved, nameless
from pytest_bbmigrate.contract import Contract, ContractError, read_contract
from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.experiment import observe, snapshot_of
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.masking import mask_unnamed, safe_part_message
from pytest_bbmigrate.private import Known, own_rows_are_hidden, showing_values
from pytest_bbmigrate.processes.app_python import app_python, unreadable_here
from pytest_bbmigrate.report import describe_unpreserved, shown_finding
from pytest_bbmigrate.sqlite_files import (
    HEADER_STRING,
    call_hook,
    open_image,
    read_image,
    take_image,
)
from pytest_bbmigrate.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.judge import Judge
    from pytest_bbmigrate.judge.kept_judge import KeptJudge
    from pytest_bbmigrate.judge.shared import SharedJudge
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.verdict import Finding

MARK = re.compile(r"\s*(?:--|#)?\s*(?:bb\s*:)?\s*", re.IGNORECASE)  # of a contract line in a file
Snapshot = bytes
Subject = Snapshot | Database | sqlite3.Connection | Path


class Databases:
    """A test's own databases in memory, at any state of a project; all closed together."""

    def __init__(
        self, project: Project, judge: JudgeClient | SharedJudge | KeptJudge | Judge
    ) -> None:
        self.project = project
        self.judge = judge
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def open(self, image: Snapshot) -> Database:
        """Return a database with the content of ``image``, prepared as a migration's is.

        Raises: SettingsError when this process's SQLite cannot read it.
        """
        connection = open_image(image)
        self._open.callback(connection.close)
        self._refuse_unreadable(connection)
        with showing_values(everything=not self.project.hides_own):
            call_hook(self.project.environment.prepare_connection, connection)
        return Database(connection, recursive_triggers=False)

    def _refuse_unreadable(self, connection: sqlite3.Connection) -> None:
        """Make sure that this SQLite can read what that of the app's Python has made.

        Raises: SettingsError with the version of both.
        """
        program = self.project.settings.python
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.DatabaseError as error:
            python = None if program is None else app_python(program)
            raise SettingsError(
                f"bb_python = {program}: {error}{unreadable_here(python, str(error))}"
            ) from error

    def at(self, name: str) -> Database:
        """Return the database after the migration called ``name``, with data.

        Raises: LookupError naming the nearest names; StateUnreachable when one does not apply.
        """
        __tracebackhide__ = True
        if not isinstance(name, str):
            raise TypeError(f"the name of a migration is wanted, not {name!r}")
        try:
            position = self.project.catalogue.position(name)
        except LookupError as error:
            raise LookupError(*error.args) from None
        try:
            return self.open(self.judge.state(position + 1))
        except SettingsError as error:
            raise error.with_traceback(None) from None

    def head_image(self) -> Snapshot:
        """Return the image of the database after the last migration, with data."""
        return self.judge.state(len(self.project.catalogue.migrations))


class MigrationUnderTest:
    """One migration, run by a test: ``before`` is the database that it starts from, with data."""

    def __init__(self, databases: Databases, position: int) -> None:
        self.migration: Migration = databases.project.catalogue.migrations[position]
        self.before: Database = databases.open(databases.judge.state(position))
        self._databases = databases
        self._position = position
        self._after: Database | None = None

    @property
    def after(self) -> Database:
        """The database after ``up()``, or after ``down()`` once that was called.

        Raises: AssertionError when ``up()`` was not called.
        """
        __tracebackhide__ = True
        if self._after is None:
            raise AssertionError(f"call up() first: {self.migration.name} has not run")
        return self._after

    def up(self) -> Database:
        """Run the migration on a copy of ``before``, as it is now; return ``after``.

        Raises: AssertionError with the file, line and message of what failed.
        """
        __tracebackhide__ = True
        self._after = self._run("up", self.before)
        return self._after

    def down(self) -> Database:
        """Run the down part on a copy of ``after``, as it is now; return the new ``after``.

        Raises: AssertionError when it fails, there is none, or ``up()`` was not called.
        """
        __tracebackhide__ = True
        if self.migration.down is None:
            raise AssertionError(f"{self.migration.name} has no down part")
        self._after = self._run("down", self.after)
        return self._after

    def _run(self, side: str, database: Database) -> Database:
        __tracebackhide__ = True
        project, judge = self._databases.project, self._databases.judge
        ran, image = judge.run(self._position, side, take_snapshot(database))
        sys.stdout.write(visible(ran.printed))
        if ran.failure is not None:
            failure, message = ran.failure, ran.failure.message
            if project.hides_own:
                may_be_shown = Known(texts=project.catalogue.shown_texts)
                message = safe_part_message(
                    failure.path, failure.message, failure.error, may_be_shown
                )
            advice = advise_on_failure(failure).text if message == failure.message else ""
            location = f"{failure.path}:{failure.line}" if failure.line else str(failure.path)
            raise AssertionError(
                visible("\n".join(filter(None, [f"{location}: {message}", advice])))
            )
        return self._databases.open(image)


def take_snapshot(subject: Subject) -> Snapshot:
    """Return the content of a database at this moment, to compare later content with.

    Raises: AssertionError where a transaction is open: a snapshot would miss what it has done.
    """
    __tracebackhide__ = True
    if isinstance(subject, Path):
        return read_image(subject)
    if isinstance(subject, bytes):
        if subject and not subject.startswith(HEADER_STRING):
            raise TypeError("these bytes are no snapshot; take one with bb_snapshot(db)")
        return subject
    connection = subject.conn if isinstance(subject, Database) else subject
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError(
            f"a snapshot, a database, a connection or a Path is wanted, not {subject!r}"
        )
    if connection.in_transaction:
        raise AssertionError(
            "a transaction is open on this database, and what is not committed cannot be seen: "
            "commit() or rollback() first"
        )
    return take_image(connection)


def assert_preserved(
    before: Subject, after: Subject, *directives: str, schema: bool = True
) -> None:
    """Assert that ``after`` has all of ``before``: every row, value and part of the schema.

    Each is a snapshot, an open database or the path of one. No row may have been added either;
    tables, columns, indexes and constraints may. ``directives`` are contract lines that say what
    may differ, with or without their ``-- bb:``, as a failure prints them:
    ``"changes transactions.bb_category where bb_category = 'Dining Out'"``. With ``schema=False``
    rows and values alone are looked at.

    Raises: AssertionError naming rows and columns; ContractError for a directive not understood.
    """
    __tracebackhide__ = True
    try:
        contract = read_contract(
            tuple((n, f"bb: {MARK.sub('', line, count=1)}") for n, line in enumerate(directives, 1))
        )
    except ContractError as error:
        raise error.with_traceback(None) from None
    found = find_unpreserved(take_snapshot(before), take_snapshot(after), contract, schema=schema)
    _fail_with(found)


def assert_foreign_keys(database: Subject) -> None:
    """Assert that every reference leads to a row, and every foreign key to a table and key.

    Raises: AssertionError naming the rows that refer to nothing.
    """
    __tracebackhide__ = True
    # Against an empty database everything that dangles is new.
    empty = snapshot_of(b"")
    diff = observe(empty, snapshot_of(take_snapshot(database), empty), contract=Contract())
    migration = nameless(Contract())
    _fail_with(
        [
            *(dangling_finding(dangling, migration) for dangling in diff.dangling),
            *(mismatch_finding(mismatch, migration) for mismatch in diff.mismatches),
        ]
    )


def _fail_with(findings: Iterable[Finding]) -> None:
    __tracebackhide__ = True
    hides = own_rows_are_hidden()
    shown = [shown_finding(mask_unnamed(f) if hides else f) for f in findings]
    if shown:
        raise AssertionError(describe_unpreserved(shown))
