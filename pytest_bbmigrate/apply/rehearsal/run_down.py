"""Roll migrations back on copies of the real database, and judge each on the real rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import replay
from pytest_bbmigrate.apply.model import Rehearsal
from pytest_bbmigrate.apply.rehearsal.journal_mode import requested_journal_mode
from pytest_bbmigrate.checks.discards import Versions
from pytest_bbmigrate.checks.rollback import judge_rollback, look_back
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.batches import remove
from pytest_bbmigrate.masking import safe_part_message
from pytest_bbmigrate.private import Known, is_showing_values
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.verdict import Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.checks.discards import Discarded
    from pytest_bbmigrate.experiment import Snapshot
    from pytest_bbmigrate.experiment.run import UpResult
    from pytest_bbmigrate.runner import RunEnvironment
    from pytest_bbmigrate.verdict import Verdict


@dataclass(frozen=True)
class DownResult:
    """The result of a down part; ``snapshot`` is the database after it, None when it failed.

    ``journal_mode`` is the one that the down parts ask for, '' for none.
    """

    verdicts: tuple[Verdict, ...]
    printed: tuple[tuple[str, str], ...]
    discarded: tuple[Discarded, ...] = ()
    snapshot: Snapshot | None = None
    journal_mode: str = ""

    def rehearsal(self) -> Rehearsal:
        """Return it as a rehearsal that has left nothing to publish."""
        return Rehearsal(
            self.verdicts,
            printed=self.printed,
            discarded=self.discarded,
            journal_mode=self.journal_mode,
        )


def versions_of(
    order: RehearsalOrder, catalogue: Catalogue, environment: RunEnvironment
) -> list[Versions]:
    """Return the schema with and without each migration that the database has, in their order.

    Raises: StepFailed when one of them does not run on a database without rows.
    """
    by_name = {migration.name: migration for migration in catalogue.migrations}
    ordered = tuple(by_name[name] for name in order.applied if name in by_name)
    replayed = replay(replace(catalogue, migrations=ordered), environment, order.start)
    if replayed.failure is not None:
        failed = replayed.failure
        known = Known(texts=catalogue.shown_texts)
        why = failed.message  # the base has rows
        if not is_showing_values():
            why = safe_part_message(failed.path, failed.message, failed.error, known)
        raise StepFailed(
            f"{failed.path}: it does not run on a database without rows "
            f"({why}), so what later migrations have added is not known; "
            "--bb-restore restores a backup instead"
        )
    schemas = replayed.schemas
    return [Versions(schemas[index + 1], schemas[index]) for index in range(len(ordered))]


def roll_back(
    migrations: Sequence[Migration],
    versions: Mapping[str, Versions],
    order: RehearsalOrder,
    start: Snapshot,
    environment: RunEnvironment,
    report: Callable[[str], None],
    keep_snapshot: Callable[[UpResult], Snapshot],
) -> DownResult:
    """Run the down part of each migration, the first one first, up to a failure.

    ``versions`` are those of ``versions_of`` by name; ``keep_snapshot`` gets each step and returns
    the snapshot after it, which needs nothing of the snapshots before.
    """
    former = {new: old for old, new in order.renamed}
    verdicts: list[Verdict] = []
    printed: list[tuple[str, str]] = []
    discarded: list[Discarded] = []
    snapshot, mode = start, ""
    for migration in migrations:
        report(migration.name)
        recorded = former.get(migration.name, migration.name)

        def forget(db: sqlite3.Connection, _: int, name: str = recorded) -> None:
            remove(db, name)

        part = migration.down or migration.up
        run, after = run_part(migration, part, snapshot.image, environment, record=forget)
        step = look_back(migration, run, snapshot, after)
        judgement = judge_rollback(migration, step, versions[migration.name])
        verdicts.append(judgement.verdict)
        discarded += judgement.discarded
        if run.printed:
            printed.append((migration.name, run.printed))
        if judgement.verdict.outcome is Outcome.FAILED:
            return DownResult(tuple(verdicts), tuple(printed), tuple(discarded))
        snapshot = keep_snapshot(step)
        mode = requested_journal_mode(part, run.executed) or mode
    return DownResult(tuple(verdicts), tuple(printed), tuple(discarded), snapshot, mode)
