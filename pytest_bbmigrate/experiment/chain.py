"""The chain of states: the database after the first N migrations, filled with data."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.errors import BBMigrateError, SeedingError
from pytest_bbmigrate.experiment.filling import fill_state
from pytest_bbmigrate.experiment.own_rows import filled, own_after, own_of_base
from pytest_bbmigrate.experiment.requirements import condition_errors
from pytest_bbmigrate.experiment.run import ExperimentSetup, gather_evidence, run_up
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.experiment.soundness import silent_invariants
from pytest_bbmigrate.experiment.step_cache import CachedUpResult, keep_step
from pytest_bbmigrate.private import muted, showing_values
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import app_connections, keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.experiment.model import Evidence, SeededState
    from pytest_bbmigrate.experiment.run import UpResult
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.seeding import Recipe

    Literal = tuple[str | None, str | int | float]


class StateUnreachable(BBMigrateError):
    """Raised when an earlier migration does not apply; ``migration`` is its name."""

    def __init__(self, migration: str) -> None:
        self.migration = migration
        super().__init__(f"{migration} does not apply, so nothing after it can be tried")


class ExpectedValue(NamedTuple):
    """A value that the migration at ``position`` expects in a column, as (column, value).

    ``last_writer`` is the position of the last other migration that writes it, -1 for none.
    """

    position: int
    literal: Literal
    last_writer: int


class Chain:
    """The states of one catalogue, made when first asked for and kept as pages they share.

    Where one of the ``unjudged`` migrations does not run on generated rows, the state after it is
    made from the empty database: its rows were somebody's own when it ran.
    With ``tells`` false some rows are the user's own: what is raised is told as far as it is known.
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
        tells: bool = True,
    ) -> None:
        self.catalogue = catalogue
        self.unjudged = unjudged
        self.recipe = recipe
        self.environment = environment
        self._base = base
        self._invariants = invariants
        self.tells = tells
        self._sought = read_sought(catalogue.migrations)
        self._states: list[SeededState] = []
        self._steps: dict[int, CachedUpResult] = {}
        self._evidence: dict[int, Evidence] = {}
        keep_freed_memory()

    def state(self, position: int) -> SeededState:
        """Return the state after the first ``position`` migrations.

        Raises: StateUnreachable when one of these does not apply.
        """
        with self.at_work():
            while len(self._states) <= position:
                self._states.append(self._next_state())
        return self._states[position]

    def evidence(self, position: int) -> Evidence:
        """Return the evidence on the migration at ``position`` (0 the first), gathered once.

        Raises: StateUnreachable when an earlier migration does not apply.
        """
        if position not in self._evidence:
            migration = self.catalogue.migrations[position]
            state, setup = self.state(position), self._setup(position)
            with self.at_work():
                step = self._step(position)
                self._evidence[position] = gather_evidence(migration, state, step, setup)
            self._forget(position)
        return self._evidence[position]

    def condition_errors(self, position: int) -> tuple[tuple[int, str, str], ...]:
        """Return the conditions in the contract at ``position`` that the state before it refuses.

        Each as (line, the condition's text, what SQLite said).
        """
        state, migration = self.state(position), self.catalogue.migrations[position]
        with self.at_work():
            return condition_errors(state, migration.contract)

    def refuse_idle_rows(self) -> None:
        """Make sure that every table the user's own rows are for is there at some version.

        Raises: SeedingError for one that never is; StateUnreachable.
        """
        versions = range(len(self.catalogue.migrations) + 1)
        for table, rows in self.recipe.own_rows.items():
            if not any(fold_name(table) in self.state(at).schema.table_names for at in versions):
                path = getattr(rows, "path", Path(table))
                raise SeedingError(path, f"no version of the database has a table {table}")

    def silent_invariants(self) -> tuple[tuple[str, str], ...]:
        """Return the invariants that can run at no version: (name, what SQLite said at head).

        Raises: StateUnreachable when a migration does not apply.
        """
        states = [self.state(at) for at in range(len(self.catalogue.migrations), -1, -1)]
        with self.at_work():
            return silent_invariants(states, self._invariants)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have the app's hook called in the block, and nothing heard of what rows may hold."""
        hook = self.environment.prepare_connection
        with app_connections(hook), showing_values(everything=self.tells), muted():
            yield

    def _setup(self, position: int) -> ExperimentSetup:
        """Return what an experiment on the migration at ``position`` is made with."""
        recipe = replace(
            self.recipe,
            expected_literals=self._sought_from(position),
            assigned_literals=tuple(
                one for m in self.catalogue.migrations[position:] for one in m.assigned_literals
            ),
            requires=self._requirements(position),
        )
        return ExperimentSetup(recipe, self.environment, self._invariants)

    def _sought_from(self, position: int) -> tuple[Literal, ...]:
        """Return what migrations from ``position`` on expect in rows that none of them puts there.

        A key that one migration looks for and another writes is left for that one to write.
        """
        return tuple(s.literal for s in self._sought if s.last_writer < position <= s.position)

    def _requirements(self, position: int) -> tuple[Requirement, ...]:
        """Return what the migrations from ``position`` on require of the rows by then."""
        later = self.catalogue.migrations[position:]
        return tuple(required for m in later for required in m.contract.requires)

    def _step(self, position: int) -> UpResult:
        """Run the migration at ``position`` up from its state, once."""
        state = self.state(position)
        if position in self._steps:
            return self._steps[position].taken_up(state)
        step = run_up(self.catalogue.migrations[position], state, self._setup(position))
        self._steps[position] = keep_step(step, state)
        return step

    def _forget(self, position: int) -> None:
        """Let go of a step once both the next state and the evidence are made."""
        if position + 1 < len(self._states):
            self._steps.pop(position, None)

    def _next_state(self) -> SeededState:
        """Make the state after the last one there is."""
        position = len(self._states)
        if position == 0:
            known: dict[str, frozenset[str]] = {}
            bare = snapshot_of(self._base)
            state = fill_state(0, bare, self._base, None, known, self._setup(0))
            own = own_of_base(self._base, bare.schema, self.recipe.own_rows)
            return replace(state, own=own)
        step = self._step(position - 1)
        previous = self._states[-1]
        if not step.up.succeeded:
            return self._from_empty(position, previous)
        known = names_now(previous.schema, step.up)
        setup = self._setup(position)
        state = fill_state(position, step.after, step.empty, previous, known, setup)
        if position - 1 in self._evidence:
            self._steps.pop(position - 1, None)
        return self._with_own(state, previous, step.up)

    def _with_own(self, state: SeededState, previous: SeededState, up: Run) -> SeededState:
        """Return ``state``, to which ``up`` has led, with what of it may be the user's own."""
        migration = self.catalogue.migrations[state.position - 1]
        own = own_after(previous.own, migration, up, previous.schema, state.schema)
        return replace(state, own=filled(own, state.schema, self.recipe.own_rows))

    def _from_empty(self, position: int, previous: SeededState) -> SeededState:
        """Make a state from the one before without its rows, filled anew.

        Raises: StateUnreachable when the migration between them is to be judged, or does not apply
            there either.
        """
        migration, empty = self.catalogue.migrations[position - 1], previous.empty
        if migration.name not in self.unjudged or empty is None:
            raise StateUnreachable(migration.name)
        up, image = run_part(migration, migration.up, empty, self.environment)
        if not up.succeeded:
            raise StateUnreachable(migration.name)
        bare = snapshot_of(image)
        state = fill_state(position, bare, image, previous, {}, self._setup(position))
        return self._with_own(state, previous, up)


def read_sought(migrations: Sequence[Migration]) -> tuple[ExpectedValue, ...]:
    """Return what the conditions of ``migrations`` ask of rows, in order."""
    writers: dict[Literal, set[int]] = {}
    for number, migration in enumerate(migrations):
        for literal in set(migration.literals).difference(migration.expected_literals):
            writers.setdefault(literal, set()).add(number)
    return tuple(
        ExpectedValue(number, literal, max(others - {number}, default=-1))
        for number, migration in enumerate(migrations)
        for literal in migration.expected_literals
        for others in [writers.get(literal, set()) | writers.get((None, literal[1]), set())]
    )


def names_now(schema: Schema, up: Run) -> dict[str, frozenset[str]]:
    """Return every table of ``schema`` with its columns, by the (folded) names they have after up.

    Those that up took away are among them.
    """
    tables, columns = dict(up.renamed_tables), dict(up.renamed_columns)
    return {
        tables.get(table, table): frozenset(
            columns.get((table, name), name) for name in there.column_names
        )
        if columns
        else there.column_names
        for there in schema.tables
        for table in [fold_name(there.name)]
    }
