"""The fixed experiment: before, up, down, up again; and from before up, write rows, down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.database import open_image
from pytest_bbmigrate.evidence.model import Evidence, Invariant, Written
from pytest_bbmigrate.evidence.observe import arrive, observe
from pytest_bbmigrate.evidence.search import broken_searches
from pytest_bbmigrate.evidence.stage import Stage, stage_of
from pytest_bbmigrate.evidence.writing import follow_written, tables_to_write, write_rows
from pytest_bbmigrate.runner import run_part
from pytest_bbmigrate.statements import quote_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.evidence.model import Passage, State
    from pytest_bbmigrate.runner import Run, Workplace
    from pytest_bbmigrate.seeding import Recipe


@dataclass(frozen=True)
class Setup:
    """What every experiment of a session shares."""

    recipe: Recipe
    workplace: Workplace
    invariants: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Step:
    """A migration's way up from a state: the runs, and what they left.

    ``after`` is ``before`` again when up did not apply.
    """

    up: Run
    before: Stage
    after: Stage
    up_on_empty: Run | None
    empty: bytes | None


def go_up(migration: Migration, state: State, setup: Setup) -> Step:
    """Return what running ``migration`` on the filled and on the empty state came to."""
    before = Stage(state.image, state.schema, state.row_counts)
    up, image = run_part(migration, migration.up, before.image, setup.workplace)
    after = stage_of(image, before) if up.succeeded else before
    empty = state.empty
    if empty is None or not up.succeeded:
        return Step(up, before, after, None, None)
    on_empty, empty = run_part(migration, migration.up, empty, setup.workplace)
    return Step(up, before, after, on_empty, empty if on_empty.succeeded else None)


def gather_evidence(migration: Migration, state: State, step: Step, setup: Setup) -> Evidence:
    """Return the evidence on ``migration``, which went up from ``state`` by ``step``."""
    evidence = Evidence(migration, state, step.up, step.up_on_empty)
    if not step.up.succeeded:
        return evidence
    before, after = step.before, step.after
    there = observe(before, after, contract=migration.contract, run=step.up)
    evidence = replace(
        evidence,
        schema_after=after.schema,
        there=there,
        integrity=check_integrity(after, there, step.up) + broken_searches(before, after),
        invariants=ask_invariants(before, after, setup.invariants),
    )
    if migration.down is None or migration.contract.irreversible is not None:
        return evidence
    evidence = go_back_and_up_again(evidence, migration.down, before, after, setup)
    return write_and_go_back(evidence, migration.down, before, after, setup)


def go_back_and_up_again(
    evidence: Evidence, down_part: Part, before: Stage, after: Stage, setup: Setup
) -> Evidence:
    """Add what the way back restored, and what going up again from there gave."""
    migration = evidence.migration
    down, image = run_part(migration, down_part, after.image, setup.workplace)
    if not down.succeeded:
        return replace(evidence, down=down)
    returned, back = arrive(before, image)
    again, image = run_part(migration, migration.up, returned.image, setup.workplace)
    repeat = None
    if again.succeeded:
        _, repeat = arrive(after, image)
    return replace(evidence, down=down, back=back, again=again, repeat=repeat)


def write_and_go_back(
    evidence: Evidence, down_part: Part, before: Stage, after: Stage, setup: Setup
) -> Evidence:
    """Add what a second run of up gave otherwise, and what became of rows written after it.

    This run is the last of the experiment, so whatever the clock changed between the first up and
    the one after the way back has changed here as well.
    """
    migration = evidence.migration
    up, image = run_part(migration, migration.up, before.image, setup.workplace)
    if not up.succeeded or evidence.there is None or evidence.down is None:
        return evidence
    second, volatile = arrive(after, image)
    targets = tables_to_write(evidence, evidence.there, second)
    written_image, counts, unwritten = write_rows(second, targets, setup.recipe)
    down, image = run_part(migration, down_part, written_image, setup.workplace)
    written = None
    if down.succeeded:
        written = Written(
            counts,
            tuple(
                difference
                for name in counts
                for difference in follow_written(
                    evidence, evidence.there, second, written_image, image, name
                )
            ),
            unwritten,
        )
    return replace(evidence, volatile=volatile, down_after_writing=down, written=written)


def check_integrity(after: Stage, there: Passage, up: Run) -> tuple[str, ...]:
    """Return what ``PRAGMA integrity_check`` says of the tables that up may have touched.

    A table whose every page is what it was needs no second look, unless the schema was written by
    hand.
    """
    by_hand = any("writable_schema" in sql.casefold() for sql in up.executed)
    names = [
        t.name for t in after.schema.tables if by_hand or t.name.casefold() not in there.untouched
    ]
    with closing(open_image(after.image)) as db:
        if by_hand:
            return tuple(row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok")
        return tuple(
            dict.fromkeys(
                row[0]
                for name in names
                for row in db.execute(f"PRAGMA integrity_check({quote_name(name)})")
                if row[0] != "ok"
            )
        )


def ask_invariants(
    before: Stage, after: Stage, queries: tuple[tuple[str, str], ...]
) -> tuple[Invariant, ...]:
    """Return what each of the user's queries gave before and after."""
    if not queries:
        return ()
    with closing(open_image(before.image)) as old, closing(open_image(after.image)) as new:
        return tuple(Invariant(name, ask(old, sql), ask(new, sql)) for name, sql in queries)


def silent_invariants(
    states: Sequence[State], queries: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the queries that run on none of ``states``, with what SQLite said on the first."""
    errors = dict[str, str]()
    waiting = dict(queries)
    for state in states:
        if not waiting:
            break
        with closing(open_image(state.image)) as db:
            for name, sql in list(waiting.items()):
                try:
                    db.execute(sql).fetchone()
                    del waiting[name]
                except sqlite3.Error as error:
                    errors.setdefault(name, str(error))
    return tuple((name, errors[name]) for name in waiting)


def ask(db: sqlite3.Connection, sql: str) -> str | None:
    """Return the rows of a query as text, None when it cannot run on this schema."""
    try:
        return repr(db.execute(sql).fetchall())
    except sqlite3.OperationalError:
        return None
