"""How the chain goes on where a migration does not run on the generated rows.

The migration stays failed. But its other checks, and all later migrations, are judged: on rows that
meet what it asks for, else without those that it refuses, else from the empty database. That it
runs there is always seen by running it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.chain.fewer_rows import leave_out_refused
from pytest_bbmigrate.contract import ContractError, read_contract
from pytest_bbmigrate.experiment.filling import refill_state, state_with
from pytest_bbmigrate.experiment.model import Narrowed, Refused
from pytest_bbmigrate.experiment.run import run_up
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.explain.suggest_requires import suggested_requirements
from pytest_bbmigrate.runner.limits import is_of_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import ExperimentSetup, UpResult
    from pytest_bbmigrate.runner import Failure, Run

MOST_REQUIREMENTS = 20  # of one migration
NO_ROWS = "up runs on the empty database alone"


@dataclass(frozen=True)
class Ground:
    """What up runs from: a state, the setup by which its rows are made, and why it is not all."""

    state: SeededState
    setup: ExperimentSetup
    narrowed: Narrowed | None = None


class WentOn(NamedTuple):
    """The ``ground`` on which up runs after all, and what that gave."""

    ground: Ground
    result: UpResult


def without_rows(migration: Migration, ground: Ground) -> Ground:
    """Return ``ground`` without the rows of tables that ``migration`` requires to have none."""
    emptied = tuple(each for each in migration.contract.requires if each.allows_no_row)
    if not emptied:
        return ground
    requires = (*ground.setup.recipe.requires, *emptied)
    stricter = replace(ground.setup, recipe=replace(ground.setup.recipe, requires=requires))
    return Ground(refill_state(ground.state, stricter), stricter)


def what_is_lacking(failure: Failure) -> str:
    """Return what the set-up lacks that a part did not run without, '' where that is not why."""
    return advise_on_failure(failure).missing


def go_on(migration: Migration, ground: Ground, failed: UpResult) -> WentOn | None:
    """Return from where ``migration`` goes up, which has ``failed`` to on ``ground``.

    None where it does not run without rows either, or the set-up is at fault.
    """
    up = failed.up
    if up.failure is None or what_is_lacking(up.failure):
        return None
    if not is_of_limit(up.failure.message):
        required = go_on_as_required(migration, ground, failed)
        if required.result.up.succeeded:
            return required
        if fewer := go_on_with_fewer(migration, required):
            return fewer
    return go_on_from_empty(migration, ground, up)


def go_on_as_required(migration: Migration, ground: Ground, failed: UpResult) -> WentOn:
    """Return how far up comes on rows that meet the requirements which its failures suggest.

    Each is added only where up then does not fail as it did; else the next that it suggests is
    tried.
    """
    state, setup, contract = ground.state, ground.setup, migration.contract
    refused: list[Refused] = []
    result, up = failed, failed.up
    while up.failure is not None and len(refused) < MOST_REQUIREMENTS:
        suggested = suggested_requirements(up.failure, up.executed, state.schema, contract)
        found = first_that_helps(migration, state, setup, up, suggested)
        if found is None:
            break
        refused.append(Refused(up, found.text))
        contract = replace(contract, requires=(*contract.requires, *found.added))
        state, setup, result, up = found.state, found.setup, found.result, found.result.up
    if up.failure is not None:
        refused.append(Refused(up))
    narrowed = Narrowed(tuple(refused))
    return WentOn(replace(ground, state=state, setup=setup, narrowed=narrowed), result)


class Helped(NamedTuple):
    """A requirement as a ``text``, what was ``added`` by it, and how up then runs from where."""

    text: str
    added: tuple[Requirement, ...]
    state: SeededState
    setup: ExperimentSetup
    result: UpResult


def first_that_helps(
    migration: Migration,
    state: SeededState,
    setup: ExperimentSetup,
    up: Run,
    suggested: Sequence[str],
) -> Helped | None:
    """Return the first of the requirements ``suggested`` under which up fails no more as in ``up``.

    None where it fails so under each of them.
    """
    for text in suggested:
        added = requirements_in(text)
        if not added or up.failure is None:
            continue
        recipe = replace(setup.recipe, requires=(*setup.recipe.requires, *added))
        stricter = replace(setup, recipe=recipe)
        other = refill_state(state, stricter)
        tried = run_up(migration, other, stricter)
        if not is_same_failure(tried.up.failure, up.failure):
            return Helped(text, added, other, stricter, tried)
    return None


def requirements_in(text: str) -> tuple[Requirement, ...]:
    """Return what a contract reads behind ``requires``; () where it reads nothing."""
    try:
        return read_contract(((1, f"bb: requires {text}"),)).requires
    except ContractError:
        return ()


def is_same_failure(failure: Failure | None, before: Failure) -> bool:
    """Return whether up failed as it did ``before``."""
    return failure is not None and (failure.statement, failure.message, failure.line) == (
        before.statement,
        before.message,
        before.line,
    )


def go_on_with_fewer(migration: Migration, required: WentOn) -> WentOn | None:
    """Return from where up runs if the rows that it refuses are left out; None for nowhere."""
    ground, up = required.ground, required.result.up
    fewer = leave_out_refused(migration, ground.state, up, ground.setup)
    if fewer is None or ground.narrowed is None:
        return None
    result = run_up(migration, fewer.state, ground.setup)
    if not result.up.succeeded:
        return None
    narrowed = replace(ground.narrowed, left_out=fewer.left_out)
    return WentOn(replace(ground, state=fewer.state, narrowed=narrowed), result)


def go_on_from_empty(migration: Migration, ground: Ground, up: Run) -> WentOn | None:
    """Return that up runs from the empty database, None where it does not."""
    if ground.state.empty is None:
        return None
    state = state_with(ground.state, ground.state.empty, NO_ROWS)
    result = run_up(migration, state, ground.setup)
    if not result.up.succeeded:
        return None
    narrowed = Narrowed((Refused(up),), is_empty=True)
    return WentOn(replace(ground, state=state, narrowed=narrowed), result)
