"""Run one part of one migration on a copy of a database, in memory or in a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pytest_bbmigrate.runner.model import Run

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.runner.model import PartResult, Record, RunEnvironment
    from pytest_bbmigrate.sqlite_files import Content

C = TypeVar("C", bound=bytes | Path)


def run_part(
    migration: Migration,
    part: Part,
    content: C,
    environment: RunEnvironment,
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
    from pytest_bbmigrate.runner.renames import RenamedNames, follow_renames, mention_renames
    from pytest_bbmigrate.sandbox.in_process import columns_of
    from pytest_bbmigrate.sqlite_files import discard, private_copy

    started = time.perf_counter()
    earlier = columns_of(content) if take else None
    copy = private_copy(content, environment.scratch, take=take)
    try:
        outcome = run_where_it_belongs(migration, part, copy, environment, record)
    except BaseException:
        discard(copy)
        raise
    after: Content = outcome.content
    if outcome.failure:
        discard(copy)
        after = content
    names = RenamedNames()
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
    migration: Migration,
    part: Part,
    copy: Content,
    environment: RunEnvironment,
    record: Record | None,
) -> PartResult:
    """Run a script in a process of its own and every other part on a connection of ours."""
    from pytest_bbmigrate.catalogue import ScriptPart

    if isinstance(part, ScriptPart):
        from pytest_bbmigrate.sandbox.script import run_script

        return run_script(part, copy, environment, record)
    from pytest_bbmigrate.sandbox.in_process import run_connected

    return run_connected(migration, part, copy, environment, record)
