"""Run one part of one migration on a copy of a database, in memory or in a file."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pytest_bbmigrate.runner.model import KeysTurnedOn, RanAs, Run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

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
    move: bool = False,
) -> tuple[Run, C]:
    """Run ``part`` (the up or down part of ``migration``) on a copy of ``content``.

    Return the result and the content afterwards: of a file, a new one in the scratch folder. After
    a failure the content is the one before, even without a transaction, because the copy is thrown
    away. Whatever the migration raises is evidence, in ``Run.failure``.

    ``record`` is called with the connection and the number of statements that were run: last of
    all within the migration's own transaction, or, if it has none, in one of its own afterwards.
    With ``move`` a file is used up: it is moved instead of copied, and lost after a failure.

    Raises: DatabaseError when the real database file was written in spite of all.
    """
    run, after, _ = _run_part(migration, part, content, environment, record, move=move)
    return run, after


@contextmanager
def part_run(
    migration: Migration,
    part: Part,
    content: C,
    environment: RunEnvironment,
    *,
    move: bool = False,
) -> Iterator[tuple[Run, C, sqlite3.Connection | None]]:
    """Run as ``run_part``; yield what it returns, and a connection to the content afterwards.

    It is the one that ``part`` ran on, for the length of the block, where that can do for a new one
    (``is_as_new``): what is in memory then needs no copy to be read. Else it is None.

    Raises: as ``run_part``.
    """
    run, after, left = _run_part(migration, part, content, environment, move=move, stays_open=True)
    try:
        yield run, after, left
    finally:
        if left is not None:
            left.close()


def _run_part(
    migration: Migration,
    part: Part,
    content: C,
    environment: RunEnvironment,
    record: Record | None = None,
    *,
    move: bool,
    stays_open: bool = False,
) -> tuple[Run, C, sqlite3.Connection | None]:
    # Imported here: the child process of a script imports this package too, and needs none of this.
    from pytest_bbmigrate.runner.renames import RenamedNames, follow_renames, mention_renames
    from pytest_bbmigrate.sandbox.in_process import as_readable, columns_of
    from pytest_bbmigrate.sqlite_files import discard, private_copy

    started = time.perf_counter()
    columns_before = columns_of(content) if move else None  # ``content`` is gone afterwards
    copy = private_copy(content, environment.scratch, move=move)
    try:
        ran = run_by_kind(migration, part, copy, environment, record, stays_open=stays_open)
        result = as_readable(ran, part)
    except BaseException:
        discard(copy)
        raise
    after: Content = result.content
    if result.failure:
        discard(copy)
        after = content
    names = RenamedNames()
    if mention_renames(result.executed) and not result.failure:
        if columns_before is None:
            columns_before = columns_of(content)
        names = follow_renames(result.executed, columns_before, columns_of(after))
    run = Run(
        failure=result.failure
        and replace(result.failure, ran=ran_as(migration, part, environment)),
        statements=result.statements,
        seconds=time.perf_counter() - started,
        executed=result.executed,
        renamed_tables=names.tables,
        renamed_columns=names.columns,
        conflicts=result.conflicts,
        printed=result.printed,
        idle=result.idle,
        foreign_keys=result.foreign_keys,
    )
    return run, cast("C", after), result.left_open


def ran_as(migration: Migration, part: Part, environment: RunEnvironment) -> RanAs:
    """Return by whose rules ``part`` is run."""
    from pytest_bbmigrate.catalogue import ScriptPart, SqlPart
    from pytest_bbmigrate.runner.transactions import as_run_by, turns_on

    profile, in_transaction, keys = environment.profile, True, KeysTurnedOn.ELSE
    if isinstance(part, ScriptPart):
        return RanAs(profile.name, in_transaction=False, keys=KeysTurnedOn.PROGRAM)
    if isinstance(part, SqlPart):
        part = as_run_by(profile, part)
    in_transaction = part.in_transaction
    if environment.foreign_keys:
        keys = KeysTurnedOn.SETTINGS
    if isinstance(part, SqlPart) and turns_on(profile, part):
        keys = KeysTurnedOn.FILE
    if migration.contract.foreign_keys:
        keys = KeysTurnedOn.CONTRACT
    return RanAs(profile.name, in_transaction=in_transaction, keys=keys)


def run_by_kind(
    migration: Migration,
    part: Part,
    copy: Content,
    environment: RunEnvironment,
    record: Record | None,
    *,
    stays_open: bool,
) -> PartResult:
    """Run a script in a process of its own, and a Python part where it is to; return the result."""
    from pytest_bbmigrate.catalogue import PythonPart, ScriptPart

    if isinstance(part, ScriptPart):
        from pytest_bbmigrate.sandbox.script import run_script

        return run_script(part, copy, environment, record)
    if isinstance(part, PythonPart) and environment.parts is not None and os.name == "posix":
        from pytest_bbmigrate.sandbox.part import run_in_child

        return run_in_child(migration, part, copy, environment, record)
    from pytest_bbmigrate.sandbox.in_process import run_in_process

    return run_in_process(migration, part, copy, environment, record, stays_open=stays_open)
