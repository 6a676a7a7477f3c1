"""Leave out the generated rows that a migration does not run on, and no others.

The tables that it touches are emptied, and their rows added in halves: what is refused is halved
again, until it is one row, which is left out with the rows that refer to it. A row comes after the
rows that it refers to, and where it can be together with one that refers to it. Where few rows are
left in a table, others are drawn for it, and those that the migration runs on stay.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.chain.row_units import connect
from pytest_bbmigrate.experiment.filling import short_tables, state_with, thinned_tables
from pytest_bbmigrate.experiment.own_rows import words_of
from pytest_bbmigrate.experiment.requirements import (
    delete_all_orphans,
    keep_requirements,
    orphans_there,
)
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.seeding.filling.fill import fill_tables
from pytest_bbmigrate.seeding.filling.queries import delete_rows, row_keys
from pytest_bbmigrate.seeding.filling.references import fill_order
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.plain_rows import shapes_of
from pytest_bbmigrate.sqlite_files import open_image, take_image

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.chain.row_units import Row, Unit
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import ExperimentSetup
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key

MOST_RUNS = 500  # of SQL, which takes about a millisecond
MOST_STARTED = 60  # of Python, each in a process of its own
MANY = 16  # rows refused one after another: each that is left is tried by itself
MOST_DELETED = 400_000  # rows, in all runs together
NONE_FITS = "up runs on no row of it"


class FewerRows(NamedTuple):
    """The ``state`` without some rows: ``left_out`` is how many, by table.

    Rows that refer to these are left out too, and not counted. ``is_cut_short`` is whether some of
    those counted were not tried, for want of runs.
    """

    state: SeededState
    left_out: dict[str, int]
    is_cut_short: bool = False


def leave_out_refused(
    migration: Migration, state: SeededState, up: Run, setup: ExperimentSetup
) -> FewerRows | None:
    """Return ``state`` without the rows on which ``migration`` does not go up.

    ``up`` is the run that failed on all of them. None where it does not run without any row of the
    tables that it touches either, or a trigger keeps rows from being left out.
    """
    tables = touched_tables(migration, up, state.schema)
    with closing(open_image(state.image)) as db:
        rows = [(number, key) for number, table in enumerate(tables) for key in row_keys(db, table)]
    search = Search(migration, state, tables, rows, setup)
    left_out = search.refused_rows() if search.runs_without(set(rows)) else None
    image = None if left_out is None else search.image_without(left_out)
    if image is None:
        return None
    counts = Counter(tables[number].name for number, _ in search.refused)
    fewer = state_with(state, image, NONE_FITS)
    fewer = with_others(migration, state, fewer, setup, search.runs_left)
    return FewerRows(fewer, dict(sorted(counts.items())), search.is_cut_short)


def with_others(
    migration: Migration,
    whole: SeededState,
    fewer: SeededState,
    setup: ExperimentSetup,
    runs: int,
) -> SeededState:
    """Return ``fewer`` with other rows in place of those that the ``whole`` state has more.

    Those are added on which ``migration`` goes up, in tables where few are left; ``runs`` may be
    made to find them.
    """
    schema, recipe = fewer.schema, setup.recipe
    thinned = thinned_tables(whole.row_counts, fewer.row_counts)
    names = set(map(fold_name, short_tables(schema, fewer.row_counts, recipe, thinned)))
    tables = tuple(table for table, _ in fill_order(schema, names))
    if not tables or runs < 1:
        return fewer
    with closing(open_image(fewer.image)) as db:
        there = [frozenset(row_keys(db, table)) for table in tables]
        fill_tables(db, schema, [table.name for table in tables], recipe)
        keep_requirements(db, schema, recipe.requires, recipe.own_rows)
        rows = [
            (number, key)
            for number, table in enumerate(tables)
            for key in row_keys(db, table)
            if key not in there[number]
        ]
        fuller = state_with(fewer, take_image(db), NONE_FITS)
    search = Search(migration, fuller, tables, rows, setup, runs)
    if not rows or search.runs_without(set()):
        return fuller if rows else fewer
    left_out = search.refused_rows()
    image = search.image_without(left_out) if len(left_out) < len(rows) else None
    return fewer if image is None else state_with(fewer, image, NONE_FITS)


class Search:
    """The search for those of ``rows`` that a migration refuses, within a number of runs.

    They are rows of ``tables``, of which parents come first; the others of ``state`` stay.
    ``refused`` are those found, or not looked at when there are no more runs.
    """

    def __init__(
        self,
        migration: Migration,
        state: SeededState,
        tables: Sequence[Table],
        rows: Sequence[Row],
        setup: ExperimentSetup,
        most_runs: int = MOST_RUNS,
    ) -> None:
        self.migration = migration
        self.schema = state.schema
        self.tables = tables
        self.environment = setup.environment
        self.image = state.image
        self.rows = rows
        self.refused: set[Row] = set()
        self.is_cut_short = False
        self.refused_in_turn = 0
        is_sql = isinstance(migration.up, SqlPart)
        most = min(MOST_RUNS, MOST_DELETED // (len(rows) + 1)) if is_sql else MOST_STARTED
        self.runs_left = min(max(most, MOST_STARTED), most_runs)
        self.tries_tables = is_sql and len(tables) > 1
        with closing(open_image(self.image)) as db:
            self.parents, self.units = connect(db, self.schema, tables, rows)
            self.orphans = orphans_there(db, self.schema)
        self.lost_from = [fold_name(table.name) for table in tables]

    def refused_rows(self) -> set[Row]:
        """Return the rows that up does not run on, with those that refer to them.

        It runs without any of them, and not with all.
        """
        left_out = set(self.rows)
        if self.tries_tables:
            self._add_tables(left_out)
        units = [[row for row in unit if row in left_out] for unit in self.units]
        orphans = self._add_in_halves(left_out, halves_of([unit for unit in units if unit]))
        while found := self._with_parents(orphans, left_out):
            orphans = orphans.difference(found) | self._add_in_halves(left_out, [[found]])
        for row in [row for row in self.rows if row in self.refused] if orphans else ():
            unit = [row, *self._children_of(row, orphans)]
            if unit[1:] and self.runs_left and self.runs_without(left_out.difference(unit)):
                left_out.difference_update(unit)
                orphans.difference_update(unit)
                self.refused.discard(row)
        return left_out

    def _add_tables(self, left_out: set[Row]) -> None:
        """Take out of ``left_out`` each table that up runs on all rows of, parents first."""
        of_table: dict[int, list[Row]] = {}
        for row in self.rows:
            of_table.setdefault(row[0], []).append(row)
        for rows in of_table.values():
            ready = self._with_parents(rows, left_out)
            is_whole = len(ready) == len(rows)
            if is_whole and self.runs_left and self.runs_without(left_out.difference(ready)):
                left_out.difference_update(ready)

    def _add_in_halves(self, left_out: set[Row], waiting: list[list[Unit]]) -> set[Row]:
        """Take out of ``left_out`` what up runs on of the halves that wait, the last one first.

        Return the rows that it was not tried on, for rows that they refer to are left out.
        """
        orphans: set[Row] = set()
        while waiting:
            half = [row for unit in waiting[-1] for row in unit]
            ready = self._with_parents(half, left_out)
            units = [[row for row in unit if row in ready] for unit in waiting.pop()]
            units = [unit for unit in units if unit]
            orphans.update(row for row in half if row not in ready)
            if not units:
                continue
            if not self.runs_left:
                self.refused.update(ready)
                self.is_cut_short = True
            elif len(ready) > 1 and self.refused_in_turn >= MANY:
                waiting += [[[row]] for row in reversed(ready)]
            elif self.runs_without(left_out.difference(ready)):
                left_out.difference_update(ready)
                self.refused_in_turn = 0
            elif len(ready) > 1:
                waiting += halves_of(units)
            else:
                self.refused.update(ready)
                self.refused_in_turn += 1
        return orphans

    def _with_parents(self, rows: Collection[Row], left_out: Collection[Row]) -> list[Row]:
        """Return those of ``rows`` whose parents are among them, or not ``left_out``."""
        found = set(rows)
        size = -1
        while size != len(found):
            size = len(found)
            found = {
                row
                for row in found
                if all(each in found or each not in left_out for each in self.parents.get(row, ()))
            }
        return [row for row in self.rows if row in found]

    def _children_of(self, row: Row, orphans: Collection[Row]) -> list[Row]:
        """Return those of the ``orphans`` that refer to ``row``, and to one another, alone."""
        return self._with_parents(orphans, {*self.refused, *orphans} - {row})

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
        lost: dict[int, list[Key]] = {}
        for row in self.rows:
            if row in rows:
                lost.setdefault(row[0], []).append(row[1])
        with closing(open_image(self.image)) as db:
            db.execute("BEGIN")
            try:
                for table, keys in lost.items():
                    delete_rows(db, self.tables[table], keys)
                delete_all_orphans(db, self.schema, self.lost_from, self.orphans)
            except sqlite3.DatabaseError:  # a trigger refuses, or finds its index out of step
                return None
            db.execute("COMMIT")
            return take_image(db)


def halves_of(units: Sequence[Unit]) -> list[list[Unit]]:
    """Return two halves of ``units``, or of the rows of the only one, the first half last."""
    if len(units) == 1:
        (rows,) = units
        middle = len(rows) // 2
        return [[half] for half in (rows[middle:], rows[:middle]) if half]
    middle = len(units) // 2
    return [[*units[middle:]], [*units[:middle]]]


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
