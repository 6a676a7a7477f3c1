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
from pytest_bbmigrate.runner.limits import is_of_limit, is_of_sandbox
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import ExperimentSetup, UpResult
    from pytest_bbmigrate.runner import Failure, Run

MOST_REQUIREMENTS = 20  # of one migration
MOST_TOGETHER = 3  # of these, where up runs with all of them alone
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
    if not is_of_limit(up.failure.message) and not is_of_sandbox(up.failure.message):
        required = go_on_as_required(migration, ground, failed)
        if required.result.up.succeeded:
            return required
        if fewer := go_on_with_fewer(migration, required):
            return fewer
    return go_on_from_empty(migration, ground, up)


def go_on_as_required(migration: Migration, ground: Ground, failed: UpResult) -> WentOn:
    """Return how far up comes on rows that meet the requirements which its failures suggest.

    Each is added only where up then does not fail as it did, by itself or with the next ones.
    """
    refused: list[Refused] = []
    texts: list[str] = []
    reached = WentOn(ground, failed)
    while reached.result.up.failure is not None and len(texts) < MOST_REQUIREMENTS:
        further = further_with(migration, reached, texts)
        if further is None:
            break
        refused += [
            Refused(reached.result.up, reached.ground.state, text) for text in further.texts
        ]
        texts += further.texts
        reached = further.reached
    if reached.result.up.failure is not None:
        refused.append(Refused(reached.result.up, reached.ground.state))
    narrowed = Narrowed(tuple(refused))
    return WentOn(replace(reached.ground, narrowed=narrowed), reached.result)


class Further(NamedTuple):
    """What was ``reached`` on rows that meet the requirements ``texts`` as well."""

    texts: Sequence[str]
    reached: WentOn


def further_with(migration: Migration, reached: WentOn, known: Sequence[str]) -> Further | None:
    """Return how up comes further than where it was ``reached``, None where no line helps.

    Each line that the failure suggests is tried, then the first ones together: a key that is put
    together from two tables may need two. The requirements ``known`` are met already.
    """
    up = reached.result.up
    if up.failure is None:
        return None
    requires = (*migration.contract.requires, *requirements_of(known))
    contract = replace(migration.contract, requires=requires)
    schema = reached.ground.state.schema
    suggested = suggested_requirements(up.failure, up.executed, schema, contract)
    texts = [text for text in dict.fromkeys(suggested) if requirements_in(text)]
    together = range(2, min(len(texts), MOST_TOGETHER) + 1)
    for some in (*([text] for text in texts), *(texts[:count] for count in together)):
        tried = tried_with(migration, reached, some)
        if comes_further(tried, reached):
            return Further(some, tried)
    return None


def tried_with(migration: Migration, reached: WentOn, texts: Sequence[str]) -> WentOn:
    """Return what up does on the rows that it has ``reached``, as the ``texts`` require them."""
    ground = stricter_ground(reached.ground, requirements_of(texts))
    return WentOn(ground, run_up(migration, ground.state, ground.setup))


def comes_further(tried: WentOn, reached: WentOn) -> bool:
    """Return whether up did not fail as where it was ``reached``, nor met no row that could fail.

    That no row meets a requirement says nothing, but where it is that there is none.
    """
    before, now = reached.ground.state.row_counts, tried.ground.state.row_counts
    requires = tried.ground.setup.recipe.requires
    emptied = {name for name, count in now.items() if not count and before.get(name)}
    emptied -= {fold_name(each.table) for each in requires if each.allows_no_row}
    is_same = is_same_failure(tried.result.up.failure, reached.result.up.failure)
    return not is_same and not any(fold_name(each.table) in emptied for each in requires)


def stricter_ground(ground: Ground, added: tuple[Requirement, ...]) -> Ground:
    """Return ``ground`` with other rows in place of those that do not meet what is ``added``."""
    requires = (*ground.setup.recipe.requires, *added)
    setup = replace(ground.setup, recipe=replace(ground.setup.recipe, requires=requires))
    return replace(ground, state=refill_state(ground.state, setup), setup=setup)


def requirements_of(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """Return what a contract reads behind ``requires`` in each of ``texts``."""
    return tuple(each for text in texts for each in requirements_in(text))


def requirements_in(text: str) -> tuple[Requirement, ...]:
    """Return what a contract reads behind ``requires``; () where it reads nothing."""
    try:
        return read_contract(((1, f"bb: requires {text}"),)).requires
    except ContractError:
        return ()


def is_same_failure(failure: Failure | None, before: Failure | None) -> bool:
    """Return whether up failed as it did ``before``."""
    if failure is None or before is None:
        return False
    return (failure.statement, failure.message, failure.line) == (
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
    narrowed = replace(ground.narrowed, left_out=fewer.left_out, is_cut_short=fewer.is_cut_short)
    return WentOn(replace(ground, state=fewer.state, narrowed=narrowed), result)


def go_on_from_empty(migration: Migration, ground: Ground, up: Run) -> WentOn | None:
    """Return that up runs from the empty database, None where it does not."""
    if ground.state.empty is None:
        return None
    state = state_with(ground.state, ground.state.empty, NO_ROWS)
    result = run_up(migration, state, ground.setup)
    if not result.up.succeeded:
        return None
    narrowed = Narrowed((Refused(up, ground.state),), is_empty=True)
    return WentOn(replace(ground, state=state, narrowed=narrowed), result)
