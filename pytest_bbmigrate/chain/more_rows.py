"""Have rows enough after a migration that deletes many: more are there before it, in a run apart.

So all that is left has gone through the migration, and later ones meet no row that it would have
deleted or changed. What it is judged on are the rows that the state before it has.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.experiment.filling import ENOUGH, join_state, state_with
from pytest_bbmigrate.experiment.snapshot import snapshot_of
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.seeding.filling.fill import fill_tables
from pytest_bbmigrate.seeding.filling.references import fill_order
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image, take_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment.model import SeededState
    from pytest_bbmigrate.experiment.run import ExperimentSetup, UpResult
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.seeding.model import Recipe

MOST_TIMES = 8  # as many rows as a table is to have, before the migration
SPARE = 1.5  # times the rows that should do: of those that are added fewer may be left


@dataclass(frozen=True)
class Thinned:
    """A ``table`` (folded name before) of which a migration left few rows, and a goal for it.

    With ``goal`` rows before it so many should be left that the table has what it is to have;
    ``name`` is what it is called afterwards.
    """

    table: str
    name: str
    goal: int


def after_more_rows(
    migration: Migration, state: SeededState, result: UpResult, setup: ExperimentSetup
) -> Snapshot:
    """Return what ``migration`` leaves where more rows are there before; ``result.after`` mostly.

    That is where it leaves enough of them, or no more of more.
    """
    after, recipe = result.after, setup.recipe
    thinned = thinned_by(state, result, recipe)
    if not thinned:
        return after
    fuller = with_more_rows(state, after.schema, thinned, recipe)
    run, image = run_part(migration, migration.up, fuller.image, setup.environment)
    if not run.succeeded:
        return after
    snapshot = snapshot_of(image)
    gained = any(snapshot.row_counts[each.name] > after.row_counts[each.name] for each in thinned)
    return snapshot if gained else after


def thinned_by(state: SeededState, result: UpResult, recipe: Recipe) -> tuple[Thinned, ...]:
    """Return the tables of which up has deleted rows and left few, but not none.

    One that is empty is filled anew. Tables of which the user gave rows stay as they are.
    """
    after, old_names = result.after, {new: old for old, new in result.up.renamed_tables}
    found = []
    for table in after.schema.tables:
        name = fold_name(table.name)
        old = name if name in state.row_counts else old_names.get(name, name)
        before, left = state.row_counts.get(old, 0), after.row_counts[name]
        is_thin = 0 < left < min(before, ENOUGH * recipe.rows)
        if is_thin and table.virtual is None and old not in recipe.own_rows:
            lacking = SPARE * (recipe.rows - left) * before / left
            goal = before + min(ceil(lacking), MOST_TIMES * recipe.rows)
            found.append(Thinned(old, name, goal))
    return tuple(found)


def with_more_rows(
    state: SeededState, after: Schema, thinned: tuple[Thinned, ...], recipe: Recipe
) -> SeededState:
    """Return ``state`` with as many rows in the tables ``thinned`` as are the goal there.

    The rows that are added differ in what is unique ``after`` the migration.
    """
    schema = state.schema
    goals = {each.table: each.goal for each in thinned}
    uniques = uniques_after(schema, after, {each.table: each.name for each in thinned})
    richer = replace(recipe, requires=(*recipe.requires, *uniques))
    with closing(open_image(state.image)) as db:
        for table, _ in fill_order(schema, goals.keys()):
            wanted = replace(richer, rows=goals[fold_name(table.name)])
            fill_tables(db, schema, (table.name,), wanted)
        image = take_image(db)
    return join_state(state_with(state, image, ""), recipe)


def uniques_after(
    schema: Schema, after: Schema, names: Mapping[str, str]
) -> tuple[Requirement, ...]:
    """Return the keys of tables ``after`` as requirements on the same columns before.

    ``names`` are the tables (folded), each with its name afterwards.
    """
    found = []
    for old, new in names.items():
        before, later = schema.table(old), after.table(new)
        if before is not None and later is not None:
            found += [
                Requirement(old, key, None, 0)
                for key in later.unique_keys
                if all(before.column(name) is not None for name in key)
            ]
    return tuple(found)
