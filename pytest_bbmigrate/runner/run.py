"""Run one part of one migration on a copy of a database, in memory or in a file."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pytest_bbmigrate.runner.model import Run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.runner.model import Outcome
    from pytest_bbmigrate.sqlite_files import Content

    Record = Callable[[sqlite3.Connection, int], None]

C = TypeVar("C", bound=bytes | Path)


@dataclass(frozen=True)
class Workplace:
    """Where migrations run: the name a script opens, the file it must never reach, the app's hook.

    ``database`` is the real database's path (it need not exist); ``root`` the folder that relative
    paths count from; ``prepare_connection`` is called with every connection that runs a migration.
    ``connection_hook`` is the same function's name, ``package.module:function``: a script runs in a
    process of its own, which calls it by that name.
    ``statement_seconds`` is how long one SQL statement may take, None for as long as it needs.
    ``scratch`` is the folder for copies of databases that are files. ``since`` is the time, in
    nanoseconds, after which no module of the project may have been written, None for any.
    """

    database: Path = Path("budget_buddy.db")
    root: Path = Path()
    prepare_connection: Callable[[sqlite3.Connection], object] | None = None
    connection_hook: str | None = None
    statement_seconds: float | None = None
    scratch: Path | None = None
    since: int | None = None

    @property
    def real(self) -> Path:
        """The real database's path, absolute and without symbolic links."""
        return Path(os.path.realpath(self.root / self.database))


def run_part(
    migration: Migration,
    part: Part,
    content: C,
    workplace: Workplace,
    *,
    record: Record | None = None,
    take: bool = False,
) -> tuple[Run, C]:
    """Run ``part`` (the up or down part of ``migration``) on a copy of ``content``.

    Return what it came to and the content afterwards, of a file a new one in the scratch folder.
    After a failure that is the content before, also where there was no transaction, for the copy is
    thrown away. Whatever the migration raises is evidence, in ``Run.failure``.

    ``record`` is called with the connection and how many statements were run, in the migration's
    own transaction, last of all; where it has none, in one of its own afterwards. With ``take``, a
    file is used up: there is no copy of it, and nothing left after a failure.

    Raises: DatabaseError when a Python part has touched the real database file all the same.
    """
    # Imported here, for the process that a script runs in imports this package and needs no more.
    from pytest_bbmigrate.runner.connected import columns_of
    from pytest_bbmigrate.runner.renames import Renamed, follow_renames, mention_renames
    from pytest_bbmigrate.sqlite_files import discard, private_copy

    started = time.perf_counter()
    earlier = columns_of(content) if take else None
    copy = private_copy(content, workplace.scratch, take=take)
    try:
        outcome = run_where_it_belongs(migration, part, copy, workplace, record)
    except BaseException:
        discard(copy)
        raise
    after: Content = outcome.content
    if outcome.failure:
        discard(copy)
        after = content
    names = Renamed()
    if mention_renames(outcome.executed) and not outcome.failure:
        before = columns_of(content) if earlier is None else earlier
        names = follow_renames(outcome.executed, before, columns_of(after))
    run = Run(
        failure=outcome.failure,
        statements=outcome.statements,
        seconds=time.perf_counter() - started,
        executed=outcome.executed,
        renamed_tables=names.tables,
        renamed_columns=names.columns,
        conflicts=outcome.conflicts,
        printed=outcome.printed,
        idle=outcome.idle,
    )
    return run, cast("C", after)


def run_where_it_belongs(
    migration: Migration, part: Part, copy: Content, workplace: Workplace, record: Record | None
) -> Outcome:
    """Run a script in a process of its own and every other part on a connection of ours."""
    from pytest_bbmigrate.catalogue import ScriptPart

    if isinstance(part, ScriptPart):
        from pytest_bbmigrate.runner.script import run_script

        return run_script(part, copy, workplace, record)
    from pytest_bbmigrate.runner.connected import run_connected

    return run_connected(migration, part, copy, workplace, record)
