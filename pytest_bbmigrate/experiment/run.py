"""The fixed experiment: before, up, down, up again; and from before up, write rows, down."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.experiment.at_risk import tables_to_write
from pytest_bbmigrate.experiment.full_text import broken_searches
from pytest_bbmigrate.experiment.keys_on import lost_with_keys_on
from pytest_bbmigrate.experiment.model import Evidence
from pytest_bbmigrate.experiment.observe import diff_against, diff_in, empty_diff, is_proven_same
from pytest_bbmigrate.experiment.other_zone import run_in_other_zone
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_in
from pytest_bbmigrate.experiment.soundness import ask_invariants, check_integrity
from pytest_bbmigrate.experiment.writing import write_since
from pytest_bbmigrate.experiment.written_since import look_at_written
from pytest_bbmigrate.sandbox.run_part import part_run, run_part
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    equal_contents,
    open_content,
    open_image,
    read_content,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment.model import DatabaseDiff, SeededState
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.seeding.model import Recipe
    from pytest_bbmigrate.sqlite_files import Content


@dataclass(frozen=True)
class ExperimentSetup:
    """What every experiment of a session shares.

    With ``on_real_rows`` the database is a file with somebody's own rows: none are generated.
    """

    recipe: Recipe
    environment: RunEnvironment
    invariants: tuple[tuple[str, str], ...] = ()
    on_real_rows: bool = False
    skips_down: bool = False


@dataclass(frozen=True)
class UpResult:
    """What running a migration up from a state gave.

    ``after`` is the snapshot after up: ``before`` itself when up failed or changed nothing.
    ``integrity`` lists what SQLite finds wrong with ``after``. ``up_on_empty`` is the run on the
    empty state, and ``empty`` the database it left, None where it failed.
    """

    up: Run
    before: Snapshot
    after: Snapshot
    up_diff: DatabaseDiff | None = None
    integrity: tuple[str, ...] = ()
    up_on_empty: Run | None = None
    empty: Content | None = None


def snapshot_of_state(state: SeededState) -> Snapshot:
    """Return ``state`` as the first snapshot of an experiment."""
    return Snapshot(state.image, state.schema, state.row_counts, state.layout)


def run_up(migration: Migration, state: SeededState, setup: ExperimentSetup) -> UpResult:
    """Run ``migration`` up on the filled and on the empty state; return the result."""
    before = snapshot_of_state(state)
    with part_run(migration, migration.up, before.image, setup.environment) as (up, image, db):
        if not up.succeeded:
            return UpResult(up, before, before)
        result = up_result_of(migration, up, before, image, db)
    if (empty := state.empty) is None:
        return result
    on_empty, empty = run_part(migration, migration.up, empty, setup.environment)
    return replace(result, up_on_empty=on_empty, empty=empty if on_empty.succeeded else None)


def up_result_of(
    migration: Migration,
    up: Run,
    before: Snapshot,
    image: Content,
    there: sqlite3.Connection | None = None,
) -> UpResult:
    """Return the result of the run ``up``, which turned ``before`` into ``image``.

    Where a connection to ``image`` is ``there``, that is read.
    """
    if equal_contents(before.image, image) and not migration.contract.derives:
        return UpResult(up, before, before, empty_diff(before))
    with read_content(image, there) as db:
        after = snapshot_in(db, image, before)
        pair = attach_content(db, before.image)
        up_diff = diff_in(pair, before, after, migration.contract, up)
        damage = check_integrity(pair, before, after, up_diff, up)
    damage += broken_searches(before, after, up_diff.renames)
    return UpResult(up, before, after, up_diff, damage)


def gather_evidence(
    migration: Migration, state: SeededState, result: UpResult, setup: ExperimentSetup
) -> Evidence:
    """Run the rest of the experiment on ``migration``; return all of its evidence.

    ``result`` is what running it up from ``state`` gave.
    """
    evidence = Evidence(
        migration,
        state,
        result.up,
        result.up_on_empty,
        on_real_rows=setup.on_real_rows,
        profile=setup.environment.profile,
    )
    if not result.up.succeeded:
        return evidence
    before, after = result.before, result.after
    evidence = replace(
        evidence,
        schema_after=after.schema,
        up_diff=result.up_diff,
        integrity=result.integrity,
        invariants=ask_invariants(before, after, setup.invariants),
        grown_on_empty=frozenset(grown_on_empty(migration, state, result)),
        lost_with_keys_on=()
        if setup.on_real_rows
        else lost_with_keys_on(migration, result.up, before, after, setup.environment),
        other_zone=None
        if setup.on_real_rows
        else run_in_other_zone(migration, result.up, before, after, setup.environment),
    )
    if migration.down is None or not goes_back(migration, setup):
        return evidence
    with ExitStack() as held:
        evidence, again = run_down_and_up(evidence, migration.down, before, after, setup, held)
        if setup.on_real_rows:
            return run_up_once_more(evidence, before, after, setup)
        return write_and_run_down(evidence, migration.down, before, after, again, setup)


def goes_back(migration: Migration, setup: ExperimentSetup) -> bool:
    """Return whether the way back of ``migration`` is tried."""
    irreversible = migration.contract.irreversible is not None
    return migration.down is not None and not irreversible and not setup.skips_down


def grown_on_empty(migration: Migration, state: SeededState, result: UpResult) -> Iterator[str]:
    """Yield the tables (folded) declared ``inserts`` that up gave rows to in the empty database."""
    empty = state.empty if migration.contract.inserts and result.empty is not None else None
    if empty is None or result.empty is None or result.up_diff is None:
        return
    with closing(open_image(empty)) as before, closing(open_content(result.empty)) as after:
        for insert in migration.contract.inserts:
            name = fold_name(insert.table)
            new = result.up_diff.renames.tables.get(name, name)
            old_table, new_table = state.schema.table(name), result.after.schema.table(new)
            if old_table is None or new_table is None:
                continue
            if count_rows_of(after, new_table.name) > count_rows_of(before, old_table.name):
                yield name


def count_rows_of(db: sqlite3.Connection, table: str) -> int:
    """Return how many rows ``table`` holds."""
    (count,) = db.execute(f"SELECT count(*) FROM {quote_name(table)}").fetchone()
    return int(count)


@dataclass(frozen=True)
class UpAgain:
    """What up has led to once more: ``db`` is a connection to that, where there is one already."""

    after: Snapshot
    db: sqlite3.Connection | None


def run_down_and_up(
    evidence: Evidence,
    down_part: Part,
    before: Snapshot,
    after: Snapshot,
    setup: ExperimentSetup,
    held: ExitStack,
) -> tuple[Evidence, UpAgain | None]:
    """Run down, and up again from there; return the evidence with both results.

    What the second up led to is returned too, when down is proven to have led to the state before
    and up to the state after; else None. It is ``held`` open.
    """
    migration, environment = evidence.migration, setup.environment
    with part_run(migration, down_part, after.image, environment) as (down, image, db):
        if not down.succeeded:
            return replace(evidence, down=down), None
        after_down, down_diff = diff_against(before, image, db)
    damage = broken_searches(before, after_down, down_diff.renames)
    # Nothing else needs the database that down left: a file is moved, which saves a copy.
    second_up, image, db = held.enter_context(
        part_run(migration, migration.up, image, environment, move=setup.on_real_rows)
    )
    evidence = replace(
        evidence,
        down=down,
        down_diff=down_diff,
        integrity_after_down=damage,
        second_up=second_up,
    )
    if not second_up.succeeded:
        return evidence, None
    second_after, second_up_diff = diff_against(after, image, db)
    proven = is_proven_same(before, after_down, down_diff) and is_proven_same(
        after, second_after, second_up_diff
    )
    evidence = replace(evidence, second_up_diff=second_up_diff)
    return evidence, UpAgain(second_after, db) if proven else None


def write_and_run_down(
    evidence: Evidence,
    down_part: Part,
    before: Snapshot,
    after: Snapshot,
    again: UpAgain | None,
    setup: ExperimentSetup,
) -> Evidence:
    """Run up from the state before once more, write rows, run down; add what this shows.

    That is what up does differently each time (``volatile``), and what down does to written rows.
    If going up ``again`` ran from an identical state and led to an identical one, that is taken,
    and up is not run once more.
    """
    migration = evidence.migration
    if evidence.up_diff is None or evidence.down is None:
        return evidence
    if again is not None:
        evidence = replace(evidence, volatile=evidence.second_up_diff)
        return run_down_after(evidence, down_part, before, again, setup)
    # The last run of up: what the clock changed between the first two has changed here too.
    with part_run(migration, migration.up, before.image, setup.environment) as (up, image, db):
        if not up.succeeded:
            return evidence
        third_after, volatile = diff_against(after, image, db)
        evidence = replace(evidence, volatile=volatile)
        return run_down_after(evidence, down_part, before, UpAgain(third_after, db), setup)


def run_down_after(
    evidence: Evidence, down_part: Part, before: Snapshot, again: UpAgain, setup: ExperimentSetup
) -> Evidence:
    """Write rows, as an app would have after up ``again``, and run down; add what became of them.

    Nothing is done where there is nothing that down could harm: it would do again what it did.
    """
    migration, up_diff = evidence.migration, evidence.up_diff
    tables = () if up_diff is None else tables_to_write(evidence, up_diff, again.after)
    if not tables and isinstance(down_part, SqlPart):
        return evidence
    recipe, environment = setup.recipe, setup.environment
    writing = write_since(evidence, before, again.after, tables, recipe, there=again.db)
    with part_run(migration, down_part, writing.image, environment) as (down, image, db):
        if down.succeeded:
            written = look_at_written(evidence, writing, image, db)
            if writing.beyond is not None:
                beyond, _ = run_part(migration, down_part, writing.beyond, environment)
                refusal = beyond.failure.message if beyond.failure else ""
                written = replace(written, only_after=refusal)
            return replace(evidence, down_after_writing=down, written=written)
    # That it refuses what only the schema after up can say is no fault of the way back.
    writing = write_since(evidence, before, again.after, tables, recipe, as_before=True)
    without, image = run_part(migration, down_part, writing.image, environment)
    if not without.succeeded:
        return replace(evidence, down_after_writing=down)
    refused = down.failure.message if down.failure else ""
    written = replace(look_at_written(evidence, writing, image), only_after=refused)
    return replace(evidence, down_after_writing=without, written=written)


def run_up_once_more(
    evidence: Evidence, before: Snapshot, after: Snapshot, setup: ExperimentSetup
) -> Evidence:
    """Where going up again changed rows, run up from the real rows once more, for ``volatile``.

    No rows are written here, since they would have to be invented: what down does to written rows
    is judged on generated ones.
    """
    second_up_diff = evidence.second_up_diff
    if second_up_diff is None or not any(table.differences for table in second_up_diff.tables):
        return evidence
    migration = evidence.migration
    up, image = run_part(migration, migration.up, before.image, setup.environment)
    if not up.succeeded:
        return evidence
    _, volatile = diff_against(after, image)
    return replace(evidence, volatile=volatile)
