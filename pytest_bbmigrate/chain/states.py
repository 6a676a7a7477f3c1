"""The chain of states: the database after the first N migrations, filled with data."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.chain.going_on import Ground, go_on, what_is_lacking, without_rows
from pytest_bbmigrate.chain.more_rows import after_more_rows
from pytest_bbmigrate.chain.next_second import wait_for_next_second
from pytest_bbmigrate.errors import SeedingError, StateUnreachable
from pytest_bbmigrate.experiment.filling import fill_state, join_state, thinned_tables
from pytest_bbmigrate.experiment.own_rows import own_after, own_of_base, with_own_rows
from pytest_bbmigrate.experiment.pages import MOST_BYTES_KEPT
from pytest_bbmigrate.experiment.requirements import condition_errors
from pytest_bbmigrate.experiment.run import ExperimentSetup, gather_evidence, run_up
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.experiment.soundness import silent_invariants
from pytest_bbmigrate.experiment.step_cache import CachedUpResult, cache_up_result
from pytest_bbmigrate.private import muted, showing_values
from pytest_bbmigrate.seeding.recipes import folder_recipe
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import app_connections, content_size, keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.experiment.model import Evidence, SeededState
    from pytest_bbmigrate.experiment.requirements import FailingCondition
    from pytest_bbmigrate.experiment.run import UpResult
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.seeding.model import Recipe


class Chain:
    """The states of one catalogue, each made when first asked for; they share pages in memory.

    Where a migration fails on generated rows, it goes on from fewer or from none of them, if it
    runs there; not without rows that are given. An ``unjudged`` migration has run on somebody's own
    rows.
    With ``shows_values`` false some rows are the user's own: errors are not shown word for word.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        recipe: Recipe,
        environment: RunEnvironment,
        *,
        base: bytes = b"",
        invariants: tuple[tuple[str, str], ...] = (),
        unjudged: frozenset[str] = frozenset(),
        shows_values: bool = True,
    ) -> None:
        self.catalogue = catalogue
        self.unjudged = unjudged
        self.recipe = recipe
        self.environment = environment
        self._base = base
        self._invariants = invariants
        self.shows_values = shows_values
        self._folder_recipe = folder_recipe(recipe, catalogue.migrations)
        self._states: dict[int, SeededState] = {}
        self._narrowed_from = len(catalogue.migrations)
        self._up_results: dict[int, CachedUpResult] = {}
        self._latest: tuple[int, UpResult] | None = None  # of these the last one, as it was
        self._grounds: dict[int, Ground] = {}
        self._evidence: dict[int, Evidence] = {}
        self._gathered: set[int] = set()
        self._base_has_rows = False
        keep_freed_memory()

    def state(self, position: int) -> SeededState:
        """Return the state after the first ``position`` migrations.

        Raises: StateUnreachable when one of these does not apply, not even without rows.
        """
        with self.at_work():
            first = position + 1
            while first and first - 1 not in self._states:
                first -= 1
            for each in range(first, position + 1):
                self._states[each] = self._make_state(each)
                self._forget(each - 1)
        return self._states[position]

    def resume(self, state: SeededState) -> None:
        """Go on from ``state``, which this folder's first migrations have led to before.

        The states before it are made when they are asked for.
        """
        self._states.setdefault(state.position, state)

    def is_whole(self, position: int) -> bool:
        """Return whether the first ``position`` migrations have run on all generated rows.

        To be asked once what follows from them was asked for.
        """
        return position <= self._narrowed_from

    def evidence(self, position: int) -> Evidence:
        """Return the evidence on the migration at ``position`` (0 the first), gathered once.

        Raises: StateUnreachable when an earlier migration does not apply.
        """
        if position not in self._evidence:
            migration = self.catalogue.migrations[position]
            self.state(position)  # or its error
            with self.at_work():
                result, ground = self._up_result(position), self._grounds[position]
                evidence = gather_evidence(migration, ground.state, result, ground.setup)
            self._evidence[position] = replace(evidence, narrowed=ground.narrowed)
            self._gathered.add(position)
            self._forget(position)
        return self._evidence[position]

    def prepare_apart(self, position: int, most_bytes: int) -> bool:
        """Make what the evidence on the migration at ``position`` is gathered from, once.

        Return whether to gather it in a fork of this process, which then drops what it keeps for
        it: not where that has been done here, or the database has more than ``most_bytes``.

        Raises: as ``evidence`` does.
        """
        state = self.state(position)
        if position in self._gathered or sum(map(len, state.pages)) > most_bytes:
            return False
        with self.at_work():
            self._up_result(position)
        return True

    def gathered_apart(self, position: int) -> None:
        """Drop what was kept for evidence that a fork of this process gathers."""
        self._gathered.add(position)
        self._forget(position)

    def condition_errors(self, position: int) -> tuple[FailingCondition, ...]:
        """Return the conditions of the contract at ``position`` that cannot run before it."""
        state, migration = self.state(position), self.catalogue.migrations[position]
        with self.at_work():
            return condition_errors(state, migration.contract)

    def refuse_unused_own_rows(self) -> None:
        """Check that each table with rows of the user's own exists at some version.

        Raises: SeedingError for one that never does; StateUnreachable.
        """
        versions = range(len(self.catalogue.migrations) + 1)
        for table, rows in self.recipe.own_rows.items():
            name = fold_name(table)
            if not any(name in self.state(version).schema.table_names for version in versions):
                path = getattr(rows, "path", Path(table))
                raise SeedingError(path, f"no version of the database has a table {table}")

    def silent_invariants(self) -> tuple[tuple[str, str], ...]:
        """Return the invariants that run at no version, as (name, SQLite's message at head).

        Raises: StateUnreachable when a migration does not apply.
        """
        last_first = reversed(range(len(self.catalogue.migrations) + 1))
        with self.at_work():
            return silent_invariants(map(self.state, last_first), self._invariants)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """In the block, call the app's hook, and hide output that may show values of rows."""
        hook = self.environment.prepare_connection
        with app_connections(hook), showing_values(everything=self.shows_values), muted():
            yield

    def _setup(self, position: int) -> ExperimentSetup:
        """Return the setup of an experiment on the migration at ``position``."""
        recipe = self._folder_recipe.at(position)
        return ExperimentSetup(recipe, self.environment, self._invariants)

    def _up_result(self, position: int) -> UpResult:
        """Return the result of running the migration at ``position`` up from its ground.

        It runs once, for the evidence and for the next state.
        """
        if self._latest is not None and self._latest[0] == position:
            return self._latest[1]
        if position in self._up_results:
            return self._up_results[position].with_images(self._grounds[position].state)
        migration = self.catalogue.migrations[position]
        ground = without_rows(migration, Ground(self.state(position), self._setup(position)))
        wait_for_next_second(migration, ground.state)
        result = run_up(migration, ground.state, ground.setup)
        if not result.up.succeeded and (went_on := go_on(migration, ground, result)):
            ground, result = went_on
        if ground.narrowed is not None or not result.up.succeeded:
            self._narrowed_from = min(self._narrowed_from, position)
        self._grounds[position] = ground
        self._up_results[position] = cache_up_result(result, ground.state)
        is_small = content_size(result.after.image) <= MOST_BYTES_KEPT
        self._latest = (position, result) if is_small else None
        return result

    def _forget(self, position: int) -> None:
        """Drop the result of up once both the next state and the evidence are made."""
        if position + 1 in self._states and position in self._gathered:
            self._up_results.pop(position, None)
            if self._latest is not None and self._latest[0] == position:
                self._latest = None
            self._grounds.pop(position, None)

    def _make_state(self, position: int) -> SeededState:
        """Make the state after the first ``position`` migrations, from the one before.

        Raises: StateUnreachable when the migration between them does not apply.
        """
        setup = self._setup(position)
        if position == 0:
            bare = snapshot_of(self._base)
            self._base_has_rows = any(bare.row_counts.values())
            state = fill_state(0, bare, self._base, None, {}, setup)
            own = own_of_base(self._base, bare.schema, self.recipe.own_rows)
            return join_state(replace(state, own=own), setup.recipe)
        result = self._up_result(position - 1)
        if result.up.failure is not None:
            name = self.catalogue.migrations[position - 1].name
            raise StateUnreachable(name, what_is_lacking(result.up.failure))
        ground = self._grounds[position - 1]
        previous = ground.state
        is_empty = ground.narrowed is not None and ground.narrowed.is_empty
        filled_names = {} if is_empty else names_after_up(previous.schema, result.up)
        before, renamed = self._states[position - 1], dict(result.up.renamed_tables)
        thinned = thinned_tables(before.row_counts, previous.row_counts)
        migration = self.catalogue.migrations[position - 1]
        refuses_given = not is_empty and bool(thinned & self.recipe.own_rows.keys())
        refuses = refuses_given or self._refuses_base(ground, result)
        if migration.name not in self.unjudged and refuses:
            raise StateUnreachable(migration.name)  # no others can stand for rows that are given
        after = result.after
        if not is_empty:
            after = after_more_rows(migration, previous, result, ground.setup)
        state = fill_state(
            position,
            after,
            result.empty,
            previous,
            filled_names,
            setup,
            thinned={renamed.get(name, name) for name in thinned},
        )
        return join_state(self._with_own(state, previous, result.up), setup.recipe)

    def _refuses_base(self, ground: Ground, result: UpResult) -> bool:
        """Return whether up, which ran on fewer rows, does not run on those of the base alone."""
        could = self._base_has_rows and ground.state.empty_pages is not None
        return could and ground.narrowed is not None and result.empty is None

    def _with_own(self, state: SeededState, previous: SeededState, up: Run) -> SeededState:
        """Return ``state``, which ``up`` led to, noting which rows may be the user's own."""
        migration = self.catalogue.migrations[state.position - 1]
        own = own_after(previous.own, migration, up, previous.schema, state.schema)
        return replace(state, own=with_own_rows(own, state.schema, self.recipe.own_rows))


def names_after_up(schema: Schema, up: Run) -> dict[str, frozenset[str]]:
    """Return the tables of ``schema`` with their columns, under their (folded) names after up.

    Tables and columns that up dropped are among them.
    """
    new_tables, new_columns = dict(up.renamed_tables), dict(up.renamed_columns)
    names: dict[str, frozenset[str]] = {}
    for table in schema.tables:
        old = fold_name(table.name)
        columns = table.column_names
        if new_columns:
            columns = frozenset(new_columns.get((old, column), column) for column in columns)
        names[new_tables.get(old, old)] = columns
    return names
