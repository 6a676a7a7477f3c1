"""Leave out the generated rows that a migration does not run on, and no others.

The tables that it touches are emptied, and their rows added in halves: what is refused is halved
again, until it is one row, which is left out with the rows that refer to it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.experiment.filling import state_with
from pytest_bbmigrate.experiment.own_rows import words_of
from pytest_bbmigrate.experiment.requirements import delete_all_orphans
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.seeding.filling.queries import delete_row, row_keys
from pytest_bbmigrate.seeding.filling.references import fill_order
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.plain_rows import shapes_of
from pytest_bbmigrate.sqlite_files import open_image, take_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import ExperimentSetup
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key

MOST_RUNS = 500  # of SQL, which takes about a millisecond
MOST_STARTED = 60  # of Python, each in a process of its own
MOST_DELETED = 400_000  # rows, in all runs together
NONE_FITS = "up runs on no row of it"

Row = tuple[int, "Key"]  # of which of the touched tables, and its key


class FewerRows(NamedTuple):
    """The ``state`` without some rows: ``left_out`` is how many, by table.

    Rows that refer to these are left out too, and not counted.
    """

    state: SeededState
    left_out: dict[str, int]


def leave_out_refused(
    migration: Migration, state: SeededState, up: Run, setup: ExperimentSetup
) -> FewerRows | None:
    """Return ``state`` without the rows on which ``migration`` does not go up.

    ``up`` is the run that failed on all of them. None where it does not run without any row of the
    tables that it touches either, or a trigger keeps rows from being left out.
    """
    search = Search(migration, state, touched_tables(migration, up, state.schema), setup)
    left_out = search.refused_rows()
    if left_out is None:
        return None
    image = search.image_without(left_out)
    if image is None:
        return None
    counts = Counter(search.tables[number].name for number, _ in left_out)
    return FewerRows(state_with(state, image, NONE_FITS), dict(sorted(counts.items())))


class Search:
    """The search for the rows of ``tables`` that a migration refuses, within a number of runs."""

    def __init__(
        self,
        migration: Migration,
        state: SeededState,
        tables: Sequence[Table],
        setup: ExperimentSetup,
    ) -> None:
        self.migration = migration
        self.schema = state.schema
        self.tables = tables
        self.environment = setup.environment
        self.image = state.image
        with closing(open_image(self.image)) as db:
            keys = [row_keys(db, table) for table in tables]
        self.rows = [(number, key) for number, found in enumerate(keys) for key in found]
        is_sql = isinstance(migration.up, SqlPart)
        most = min(MOST_RUNS, MOST_DELETED // (len(self.rows) + 1)) if is_sql else MOST_STARTED
        self.runs_left = max(most, MOST_STARTED)

    def refused_rows(self) -> set[Row] | None:
        """Return the rows that up does not run on, None where it runs without none of them."""
        left_out = set(self.rows)
        if not self.runs_without(left_out):
            return None
        waiting = [self.rows] if self.rows else []
        while waiting and self.runs_left:
            half = waiting.pop()
            added = left_out.difference(half)
            if self.runs_without(added):
                left_out = added
            elif len(half) > 1:
                middle = len(half) // 2
                waiting += [half[middle:], half[:middle]]
        return left_out

    def runs_without(self, rows: set[Row]) -> bool:
        """Return whether the migration goes up on all but ``rows``."""
        self.runs_left -= 1
        image = self.image_without(rows)
        if image is None:
            return False
        run, _ = run_part(self.migration, self.migration.up, image, self.environment)
        return run.succeeded

    def image_without(self, rows: set[Row]) -> bytes | None:
        """Return the database without ``rows``, None where it does not let go of them."""
        with closing(open_image(self.image)) as db:
            db.execute("BEGIN")
            try:
                for row in self.rows:
                    if row in rows:
                        delete_row(db, self.tables[row[0]], row[1])
                delete_all_orphans(db, self.schema)
            except sqlite3.DatabaseError:  # a trigger refuses, or finds its index out of step
                return None
            db.execute("COMMIT")
            return take_image(db)


def touched_tables(migration: Migration, up: Run, schema: Schema) -> tuple[Table, ...]:
    """Return the tables that ``migration`` may read or write, parents first.

    They are those that its statements name, and what views and triggers of these name. What a
    Python part would have gone on to do is not known: it may touch any table.
    """
    tables = {fold_name(table.name) for table in schema.tables if table.virtual is None}
    if isinstance(migration.up, SqlPart):
        statements = [statement.text for statement in migration.up.statements]
        named = {word for sql in shapes_of((*statements, *up.executed)) for word in words_of(sql)}
        size = -1
        while size != len(named):
            size = len(named)
            for view in schema.views:
                if fold_name(view.name) in named:
                    named.update(view.tokens)
            for trigger in schema.triggers:
                if fold_name(trigger.table) in named:
                    named.update(trigger.tokens)
        tables &= named
    return tuple(table for table, _ in fill_order(schema, tables))
