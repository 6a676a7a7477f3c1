"""The witness: a process that has run no migration reports what a rehearsal has left.

→ a message with a WitnessOrder on stdin: the backup, the working copy, the reported changes
← a message with a WitnessReport, or with a NotSeen that says why there is none, on stdout
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.model import TableChange
from pytest_bbmigrate.apply.rehearsal.compare_rows import RowsSeen, compare_tables
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.history.batches import contents_of
from pytest_bbmigrate.history.identity import Identity, read_identity
from pytest_bbmigrate.history.table import Applied, last_batch, read_history
from pytest_bbmigrate.processes.launch import isolated_command
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.rows import count_rows
from pytest_bbmigrate.schema import read_entries, read_schema
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.own_tables import OWN_TABLES
from pytest_bbmigrate.sqlite_files import digest_of, open_content

if TYPE_CHECKING:
    from pytest_bbmigrate.schema import Table


@dataclass(frozen=True)
class TableSeen:
    """A table, its columns, and how many rows it holds.

    That is None for a virtual table that only the app's connections can read.
    """

    name: str
    columns: tuple[str, ...]
    rows: int | None


@dataclass(frozen=True)
class FileSeen:
    """A database as it is: its history, which database it is, and its tables.

    ``attached`` are the indexes and triggers of our own tables in it, as (type, name, SQL);
    ``contents`` is how many rows each table held after the last batch, as the history has it.
    """

    history: tuple[Applied, ...]
    identity: Identity
    tables: tuple[TableSeen, ...]
    attached: tuple[tuple[str, str, str], ...]
    contents: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class WitnessOrder:
    """Which two databases to look at, and the changes that the rehearsal reports."""

    before: Path
    after: Path
    changes: tuple[TableChange, ...] = ()


@dataclass(frozen=True)
class WitnessReport:
    """The backup and the working copy, and what the file of the latter hashes to.

    ``rows`` has the tables whose rows are not all the same in both.
    """

    before: FileSeen
    after: FileSeen
    digest: str
    rows: tuple[RowsSeen, ...] = ()


@dataclass(frozen=True)
class NotSeen:
    """Why nothing can be said."""

    reason: str


KINDS: dict[str, type[WitnessReport | NotSeen]] = {"seen": WitnessReport, "not seen": NotSeen}


def witness(before: Path, after: Path, changes: tuple[TableChange, ...] = ()) -> WitnessReport:
    """Return what is in the backup ``before`` and the working copy ``after``.

    ``changes`` say which table and column has become which.

    Raises: StepFailed when these cannot be looked at.
    """
    order = encode_message("asked", WitnessOrder(before.absolute(), after.absolute(), changes))
    process = subprocess.run(  # noqa: S603 - our own program
        isolated_command(__name__, str(os.getpid())),
        input=order,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        check=False,
    )
    try:
        report = read_message(process.stdout, KINDS, {"Mapping": Mapping})
    except Unreadable as error:
        report = NotSeen(f"the process that looks at it ended with exit code {process.returncode}")
        raise StepFailed(_unseen(after, report)) from error
    if isinstance(report, NotSeen):
        raise StepFailed(_unseen(after, report))
    return report


def main(parent: str) -> int:
    """Say to ``parent`` on standard output what the two files hold that standard input names."""
    end_with_parent(int(parent))
    order = read_message(
        sys.stdin.buffer.read(), {"asked": WitnessOrder}, {"Path": Path, "TableChange": TableChange}
    )
    sys.stdout.buffer.write(answer(order.before, order.after, order.changes))
    return 0


def answer(before: Path, after: Path, changes: tuple[TableChange, ...] = ()) -> bytes:
    """Return the message that says what is in two files, or why it cannot be said."""
    try:
        sides = side_of(before), side_of(after)
        rows = compare_tables(before, after, changes)
        return encode_message("seen", WitnessReport(*sides, digest_of(after), rows))
    except (BBMigrateError, sqlite3.Error, OSError) as error:
        return encode_message("not seen", NotSeen(str(error)))


def side_of(path: Path) -> FileSeen:
    """Return what the database file ``path`` holds. Raises: BBMigrateError, sqlite3.Error."""
    with closing(open_content(path)) as db:
        history = read_history(db)
        entries = read_entries(db)
        attached = tuple(
            (kind, name, sql)
            for kind, name, table, sql, _ in entries
            if fold_name(table) in OWN_TABLES and kind != "table"
        )
        tables = tuple(
            TableSeen(table.name, tuple(column.name for column in table.columns), count(db, table))
            for table in read_schema(db, entries).tables
        )
        contents = contents_of(db, last_batch(history)).items() if history else ()
        rows = tuple((table, rows) for table, (rows, _) in contents)
        return FileSeen(history, read_identity(db), tables, attached, rows)


def count(db: sqlite3.Connection, table: Table) -> int | None:
    """Return how many rows a table holds; None for one that needs what only the app has."""
    try:
        return count_rows(db, table.name)
    except sqlite3.OperationalError:
        if table.virtual is None:
            raise
        return None


def _unseen(work: Path, not_seen: NotSeen) -> str:
    return f"{work.name}: what the rehearsal has left cannot be looked at ({not_seen.reason})"
