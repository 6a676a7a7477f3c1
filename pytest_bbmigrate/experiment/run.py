"""The fixed experiment: before, up, down, up again; and from before up, write rows, down."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.full_text import broken_searches
from pytest_bbmigrate.experiment.model import Evidence, WrittenRows
from pytest_bbmigrate.experiment.observe import diff_against, diff_in, empty_diff, is_same
from pytest_bbmigrate.experiment.snapshot import Snapshot, snapshot_in
from pytest_bbmigrate.experiment.soundness import ask_invariants, check_integrity
from pytest_bbmigrate.experiment.writing import follow_written, tables_to_write, write_rows
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sqlite_files import attach_content, equal_contents, open_content

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment.model import DatabaseDiff, SeededState
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.seeding import Recipe
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
    """A migration's way up from a state: the runs, what they left, and what that is.

    ``after`` is ``before`` again when up did not apply, or did nothing; ``integrity`` is what
    SQLite finds wrong with it.
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
    """Return what running ``migration`` on the filled and on the empty state came to."""
    before = snapshot_of_state(state)
    up, image = run_part(migration, migration.up, before.image, setup.environment)
    if not up.succeeded:
        return UpResult(up, before, before)
    step = up_result_of(migration, up, before, image)
    if (empty := state.empty) is None:
        return step
    on_empty, empty = run_part(migration, migration.up, empty, setup.environment)
    return replace(step, up_on_empty=on_empty, empty=empty if on_empty.succeeded else None)


def up_result_of(migration: Migration, up: Run, before: Snapshot, image: Content) -> UpResult:
    """Return the step that ``up`` made from ``before`` to ``image``."""
    if equal_contents(before.image, image):
        return UpResult(up, before, before, empty_diff(before))
    with closing(open_content(image)) as db:
        after = snapshot_in(db, image, before)
        pair = attach_content(db, before.image)
        there = diff_in(pair, before, after, migration.contract, up)
        unsound = check_integrity(pair, before, after, there, up)
    return UpResult(
        up, before, after, there, unsound + broken_searches(before, after, there.renames)
    )


def gather_evidence(
    migration: Migration, state: SeededState, step: UpResult, setup: ExperimentSetup
) -> Evidence:
    """Return the evidence on ``migration``, which went up from ``state`` by ``step``."""
    evidence = Evidence(
        migration, state, step.up, step.up_on_empty, on_real_rows=setup.on_real_rows
    )
    if not step.up.succeeded:
        return evidence
    before, after = step.before, step.after
    evidence = replace(
        evidence,
        schema_after=after.schema,
        up_diff=step.up_diff,
        integrity=step.integrity,
        invariants=ask_invariants(before, after, setup.invariants),
    )
    irreversible = migration.contract.irreversible is not None
    if migration.down is None or irreversible or setup.skips_down:
        return evidence
    evidence, again = run_down_and_up(evidence, migration.down, before, after, setup)
    if setup.on_real_rows:
        return run_up_once_more(evidence, before, after, setup)
    return write_and_run_down(evidence, migration.down, before, after, again, setup)


def run_down_and_up(
    evidence: Evidence, down_part: Part, before: Snapshot, after: Snapshot, setup: ExperimentSetup
) -> tuple[Evidence, Snapshot | None]:
    """Add what the way back restored, and what going up again from there gave.

    Where both are proven to be what they should be, the snapshot after the second up is returned
    beside it.
    """
    migration = evidence.migration
    down, image = run_part(migration, down_part, after.image, setup.environment)
    if not down.succeeded:
        return replace(evidence, down=down), None
    returned, back = diff_against(before, image)
    unsearchable = broken_searches(before, returned, back.renames)
    # Nobody needs what the way back left any more: a file is used up, and never copied.
    again, image = run_part(
        migration, migration.up, image, setup.environment, move=setup.on_real_rows
    )
    evidence = replace(
        evidence, down=down, down_diff=back, integrity_after_down=unsearchable, second_up=again
    )
    if not again.succeeded:
        return evidence, None
    repeated, repeat = diff_against(after, image)
    proven = is_same(before, returned) and is_same(after, repeated)
    return replace(evidence, second_up_diff=repeat), repeated if proven else None


def write_and_run_down(
    evidence: Evidence,
    down_part: Part,
    before: Snapshot,
    after: Snapshot,
    again: Snapshot | None,
    setup: ExperimentSetup,
) -> Evidence:
    """Add what a second run of up gave otherwise, and what became of rows written after it.

    This run is the last of the experiment, so whatever the clock changed between the first up and
    the one after the way back has changed here as well. Where ``again`` is given, from what is the
    state before, with what is the state after, it is that second run.
    """
    migration = evidence.migration
    if evidence.up_diff is None or evidence.down is None:
        return evidence
    if again is not None:
        second, volatile = again, evidence.second_up_diff
    else:
        up, image = run_part(migration, migration.up, before.image, setup.environment)
        if not up.succeeded:
            return evidence
        second, volatile = diff_against(after, image)
    targets = tables_to_write(evidence, evidence.up_diff, second)
    written_image, counts, unwritten = write_rows(second, targets, setup.recipe)
    down, image = run_part(migration, down_part, written_image, setup.environment)
    written = None
    if down.succeeded:
        written = WrittenRows(
            counts,
            tuple(
                difference
                for name in counts
                for difference in follow_written(
                    evidence, evidence.up_diff, second, written_image, image, name
                )
            ),
            unwritten,
        )
    return replace(evidence, volatile=volatile, down_after_writing=down, written=written)


def run_up_once_more(
    evidence: Evidence, before: Snapshot, after: Snapshot, setup: ExperimentSetup
) -> Evidence:
    """Add what a second run of up from real rows gave otherwise, where going up again did.

    No rows are written here, for they would have to be invented: what the way back does to rows
    written since is judged on generated ones, of which there may be as many as are wanted.
    """
    repeat = evidence.second_up_diff
    if repeat is None or not any(table.differences for table in repeat.tables):
        return evidence
    migration = evidence.migration
    up, image = run_part(migration, migration.up, before.image, setup.environment)
    if not up.succeeded:
        return evidence
    _, volatile = diff_against(after, image)
    return replace(evidence, volatile=volatile)
