"""The experiment on somebody's own rows, in a file that is never held in memory as a whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import SeededState
from pytest_bbmigrate.experiment.requirements import broken_condition, requirement_error
from pytest_bbmigrate.experiment.run import (
    UpResult,
    gather_evidence,
    goes_back,
    up_result_of,
)
from pytest_bbmigrate.private import error_name
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_content
from pytest_bbmigrate.sqlite_files.in_time import given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.experiment.model import Evidence
    from pytest_bbmigrate.experiment.run import ExperimentSetup
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.runner.model import Record
    from pytest_bbmigrate.sqlite_files import Content


@dataclass(frozen=True)
class UnmetRequirement:
    """A requirement that ``rows`` of a table's ``total`` rows do not meet.

    If it cannot be evaluated on this database, ``error`` is SQLite's message and ``kind`` is
    SQLite's name for that kind of error; else both are ''.
    """

    requirement: Requirement
    rows: int = 0
    total: int = 0
    error: str = ""
    kind: str = ""


def try_on_real_rows(
    migration: Migration,
    before: Snapshot,
    setup: ExperimentSetup,
    record: Record | None = None,
    while_judged: Callable[[Content], None] = lambda _: None,
) -> tuple[Evidence, Snapshot]:
    """Return the evidence on ``migration`` from the file ``before``, and the snapshot after up.

    The snapshot is ``before`` itself when up failed. ``record`` is passed to ``run_part``.
    ``while_judged`` is called with what up has left, if nothing else is run.
    The files are in the scratch folder; all of them are needed until the evidence is judged.
    """
    state = SeededState(0, (), None, before.schema, before.row_counts, (), before.layout)
    up, content = run_part(migration, migration.up, before.image, setup.environment, record=record)
    if up.succeeded and not goes_back(migration, setup):
        while_judged(content)
    result = (
        up_result_of(migration, up, before, content)
        if up.succeeded
        else UpResult(up, before, before)
    )
    return gather_evidence(migration, state, result, setup), result.after


def unmet_requirements(migration: Migration, before: Snapshot) -> Iterator[UnmetRequirement]:
    """Yield each of the contract's requirements that the rows before do not all meet."""
    if not migration.contract.requires:
        return
    with closing(open_content(before.image)) as db:
        for required in migration.contract.requires:
            table = before.schema.table(required.table)
            error = requirement_error(db, before.schema, required)
            if table is None or error:
                yield UnmetRequirement(required, error=error or f"no such table: {required.table}")
                continue
            broken = broken_condition(table, required)
            count = f"SELECT count(*) FROM {quote_name(table.name)} WHERE {broken}"
            try:
                with given_up_in_time(db):
                    ((rows,),) = db.execute(count)
            except sqlite3.Error as raised:  # from an expression, on some row
                yield UnmetRequirement(required, error=str(raised), kind=error_name(raised))
                continue
            if rows:
                yield UnmetRequirement(required, rows, before.row_counts[fold_name(table.name)])
