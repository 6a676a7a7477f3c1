"""Run one part of one migration on a database in memory."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner.model import Run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.runner.model import Outcome


@dataclass(frozen=True)
class Workplace:
    """Where migrations run: the name a script opens, the file it must never reach, the app's hook.

    ``database`` is the real database's path (it need not exist); ``root`` the folder that relative
    paths count from; ``prepare_connection`` is called with every connection that runs a migration.
    ``connection_hook`` is the same function's name, ``package.module:function``: a script runs in a
    process of its own, which calls it by that name.
    ``statement_seconds`` is how long one SQL statement may take, None for as long as it needs.
    """

    database: Path = Path("budget_buddy.db")
    root: Path = Path()
    prepare_connection: Callable[[sqlite3.Connection], object] | None = None
    connection_hook: str | None = None
    statement_seconds: float | None = None

    @property
    def real(self) -> Path:
        """The real database's path, absolute and without symbolic links."""
        return Path(os.path.realpath(self.root / self.database))


def run_part(
    migration: Migration, part: Part, image: bytes, workplace: Workplace
) -> tuple[Run, bytes]:
    """Run ``part`` (the up or down part of ``migration``) on a copy of ``image``.

    Return what it came to and the image afterwards; after a failure that is the image before, also
    where there was no transaction, for the copy is thrown away. Whatever the migration raises is
    evidence, in ``Run.failure``.

    Raises: DatabaseError when a Python part has touched the real database file all the same.
    """
    # Imported here, for the process that a script runs in imports this package and needs no more.
    from pytest_bbmigrate.runner.memory import columns_of
    from pytest_bbmigrate.runner.renames import Renamed, follow_renames, mention_renames

    started = time.perf_counter()
    outcome = run_where_it_belongs(migration, part, image, workplace)
    names = Renamed()
    if mention_renames(outcome.executed):
        names = follow_renames(outcome.executed, columns_of(image), columns_of(outcome.image))
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
    return run, outcome.image


def run_where_it_belongs(
    migration: Migration, part: Part, image: bytes, workplace: Workplace
) -> Outcome:
    """Run a script in a process of its own and every other part in memory."""
    from pytest_bbmigrate.catalogue import ScriptPart

    if isinstance(part, ScriptPart):
        from pytest_bbmigrate.runner.script import run_script

        return run_script(part, image, workplace)
    from pytest_bbmigrate.runner.memory import run_in_memory

    return run_in_memory(migration, part, image, workplace)
