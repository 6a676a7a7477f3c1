"""Where a part of a migration runs, and what running it came to."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner.profiles import UNDECIDED, Profile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from pytest_bbmigrate.sqlite_files import Content

    Record = Callable[[sqlite3.Connection, int], None]


@dataclass(frozen=True)
class RunEnvironment:
    """Where migrations run: the name a script opens, the file it must never reach, the app's hook.

    ``database`` is the real database's path (it need not exist); ``root`` the folder that relative
    paths count from; ``prepare_connection`` is called with every connection that runs a migration.
    ``connection_hook`` is the same function's name, ``package.module:function``: a script runs in a
    process of its own, which calls it by that name.
    ``seconds`` is how long one run of one part may take, None for as long as it needs; ``memory``
    is how many bytes the processes of a Python part or script may hold, None for any number.
    ``scratch`` is the folder for copies of databases that are files. ``since`` is the time, in
    nanoseconds, after which no module of the project may have been written, None for any.
    ``parts`` is the folder in which each Python part has a process of its own; None has it run in
    this process. ``profile`` is by whose rules files run; ``foreign_keys`` is what the settings say
    of them, None for nothing.
    """

    database: Path = Path("budget_buddy.db")
    root: Path = Path()
    prepare_connection: Callable[[sqlite3.Connection], object] | None = None
    connection_hook: str | None = None
    seconds: float | None = None
    memory: int | None = None
    scratch: Path | None = None
    since: int | None = None
    parts: Path | None = None
    profile: Profile = UNDECIDED
    foreign_keys: bool | None = None

    @property
    def real(self) -> Path:
        """The real database's path, absolute and without symbolic links."""
        return Path(os.path.realpath(self.root / self.database))


class KeysTurnedOn(Enum):
    """What has turned foreign keys on for one part, as far as anything has."""

    CONTRACT = "contract"
    FILE = "file"  # a PRAGMA in it
    SETTINGS = "settings"
    PROGRAM = "program"  # a script opens the database by itself
    ELSE = "else"  # the tool's own connection, or the app's hook, or nothing


@dataclass(frozen=True)
class RanAs:
    """By whose rules a part ran: the name of a ``profile``, '' for an unknown one.

    ``in_transaction`` is whether the runner had it in a transaction, ``keys`` what has turned
    foreign keys on.
    """

    profile: str = ""
    in_transaction: bool = True
    keys: KeysTurnedOn = KeysTurnedOn.ELSE


@dataclass(frozen=True)
class Failure:
    """Why a part did not run to its end.

    ``line`` counts from 1 in ``path``, None when not known; ``statement`` is the SQL at fault or
    ''; ``message`` is what SQLite or Python said; ``error`` is SQLite's own name for the kind of
    error, '' for another one's; ``note`` is what the message does not tell, and ``lacks`` is
    what the part needs and this system has not ('Linux or macOS'); '' for nothing. ``ran`` is by
    whose rules it ran.
    """

    path: Path
    line: int | None
    statement: str
    message: str
    error: str = ""
    note: str = field(default="", kw_only=True)
    lacks: str = field(default="", kw_only=True)
    ran: RanAs = field(default=RanAs(), kw_only=True, compare=False)


@dataclass(frozen=True)
class ShapeConflict:
    """A ``CREATE .. IF NOT EXISTS`` or ``ADD COLUMN IF NOT EXISTS`` that met another shape."""

    path: Path
    line: int | None
    name: str
    wanted: str
    there: str


@dataclass(frozen=True)
class Run:
    """One part, run once. ``executed`` is the SQL that SQLite was given, in order.

    ``renamed_tables`` and ``renamed_columns`` follow ALTER TABLE .. RENAME, name before the run
    to name after it, case-folded; columns are keyed by (table before, column before).
    ``printed`` is what a Python part wrote to its standard output and error; ``idle`` are the
    UPDATEs and DELETEs, and whatever begins with WITH, that wrote no row (of a script's nothing is
    known). ``foreign_keys`` is whether they were enforced when it began, False for a script.
    """

    failure: Failure | None
    statements: int
    seconds: float
    executed: tuple[str, ...] = ()
    renamed_tables: tuple[tuple[str, str], ...] = ()
    renamed_columns: tuple[tuple[tuple[str, str], str], ...] = ()
    conflicts: tuple[ShapeConflict, ...] = ()
    printed: str = ""
    idle: tuple[str, ...] = ()
    foreign_keys: bool = False

    @cached_property
    def shapes(self) -> tuple[str, ...]:
        """What was executed, with zeros for the values of INSERTs of literals alone.

        One of several such with the same words in front, of which a dump has a hundred thousand: to
        be asked for all that does not depend on their values.
        """
        from pytest_bbmigrate.sql.plain_rows import shapes_of  # which pytest's own process lacks

        return tuple(shapes_of(self.executed))

    @cached_property
    def met_no_row(self) -> frozenset[str]:
        """The statements that wrote no row, as often as they were executed."""
        executed = Counter(self.executed) if self.idle else Counter[str]()
        idle = Counter(self.idle)
        return frozenset(sql for sql, times in idle.items() if times >= executed[sql])

    @property
    def succeeded(self) -> bool:
        """Whether the part ran to its end."""
        return self.failure is None


@dataclass(frozen=True)
class PartResult:
    """What one way of running a part (on a connection, or as a program) hands back.

    ``content`` is the one afterwards; after a failure the one before. ``left_open`` is a connection
    to it, for whoever asked for that to close.
    """

    failure: Failure | None
    content: Content
    executed: tuple[str, ...]
    statements: int
    conflicts: tuple[ShapeConflict, ...] = ()
    printed: str = ""
    idle: tuple[str, ...] = ()
    foreign_keys: bool = False
    left_open: sqlite3.Connection | None = None
