"""Adopt a database that was migrated by hand: find the version it is at, and record it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.own_tables import writing_ours
from pytest_bbmigrate.apply.schema_distance import (
    SchemaStep,
    compare_version,
    describe_distance,
    every_difference,
    names_in,
    names_mentioned,
)
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.identity import write_identity
from pytest_bbmigrate.history.table import Applied, make_history, read_history, record, utc_now
from pytest_bbmigrate.masking import known_names, safe_part_message
from pytest_bbmigrate.private import Known, is_showing_values
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.schema import Schema, read_schema
from pytest_bbmigrate.sqlite_files import (
    app_connections,
    configure_connection,
    open_content,
    uri_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.history.identity import Identity
    from pytest_bbmigrate.runner import Failure, RunEnvironment


@dataclass(frozen=True)
class ReplayedSchemas:
    """The schemas after 0, 1, 2 .. migrations, run on a database without rows.

    ``steps`` has what each migration changed; ``failure`` is why the next one did not run, None
    when all did.
    """

    schemas: tuple[Schema, ...]
    steps: tuple[SchemaStep, ...]
    failure: Failure | None = None


@dataclass(frozen=True)
class MatchingVersions:
    """The versions that have a database's schema, as numbers of migrations that have run.

    ``positions`` are those; several where the migrations between them change data alone;
    ``undecided`` names these, for whether they have run cannot be seen. ``unseen`` are all
    migrations that change data alone. Where there is none,
    ``nearest`` is the version most like it, and ``findings`` say what it has and lacks, in words.
    ``extras`` are objects that no migration mentions. ``stopped`` says which migration does not run
    on a database without rows, and why: later versions are not known; '' when all run.
    """

    positions: tuple[int, ...]
    nearest: int
    undecided: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    stopped: str = ""
    stopped_at: int | None = None
    unseen: frozenset[str] = frozenset()

    @property
    def decided(self) -> int | None:
        """The one version that the database can be at; None when there is none, or several."""
        if len(self.positions) != 1 or self.positions[0] == self.stopped_at:
            return None
        return self.positions[0]


def replay(catalogue: Catalogue, environment: RunEnvironment, start: bytes) -> ReplayedSchemas:
    """Run every migration on ``start``, an image without rows, and keep the schemas in between."""
    image = start
    schemas = [_schema_of(image, environment)]
    steps: list[SchemaStep] = []
    for migration in catalogue.migrations:
        run, image = run_part(migration, migration.up, image, environment)
        if run.failure is not None:
            return ReplayedSchemas(tuple(schemas), tuple(steps), run.failure)
        schemas.append(_schema_of(image, environment))
        effects = every_difference(schemas[-2], schemas[-1])
        steps.append(SchemaStep(migration.name, effects, names_in(run.executed)))
    return ReplayedSchemas(tuple(schemas), tuple(steps))


def recognise(
    schema: Schema,
    catalogue: Catalogue,
    environment: RunEnvironment,
    start: bytes,
    told: int | None = None,
) -> MatchingVersions:
    """Return which versions of ``catalogue`` have this ``schema``.

    The migrations are replayed on ``start``: an image of the base, or b''. For ``told`` see
    ``find_version``.
    """
    return find_version(schema, replay(catalogue, environment, start), catalogue, told)


def find_version(
    schema: Schema, replayed: ReplayedSchemas, catalogue: Catalogue, told: int | None = None
) -> MatchingVersions:
    """Return which of the versions ``replayed`` have this ``schema``.

    Where none has, it is held against the version that another tool has ``told``, or the nearest.
    """
    # What later migrations make is not known where the replay has stopped, so nothing is an extra.
    mentioned = None if replayed.failure else names_mentioned(replayed.schemas, replayed.steps)
    distances = [compare_version(version, schema, mentioned) for version in replayed.schemas]
    positions = tuple(
        position for position, distance in enumerate(distances) if not distance.differences
    )
    nearest = min(range(len(distances)), key=lambda position: distances[position].distance)
    if not positions and told is not None and told < len(distances):
        nearest = told
    closest = distances[nearest]
    names = [step.name for step in replayed.steps]
    stopped_at = len(replayed.steps) if replayed.failure else None
    shown = None
    if not is_showing_values():  # a default, say, may have been made of a value
        shown = known_names([schema, *replayed.schemas]) | Known(texts=catalogue.shown_texts)
    return MatchingVersions(
        positions,
        nearest,
        undecided=tuple(names[positions[0] : positions[-1]]) if positions else (),
        findings=describe_distance(closest.differences, nearest, replayed.steps, shown),
        extras=closest.extras,
        stopped=_stopped(catalogue, replayed, stopped_at),
        stopped_at=stopped_at,
        unseen=frozenset(step.name for step in replayed.steps if not step.effects),
    )


def adopt(
    work: Path, migrations: Sequence[Migration], batch: int, identity: Identity | None = None
) -> None:
    """Record in the working copy ``work`` that it has ``migrations``, in one transaction.

    ``identity`` says which database it is from then on.

    Without a migration an empty history is made, which says that it is at the first version.

    Raises: StepFailed when it has a history with one of them in it already.
    """
    now = utc_now()
    uri = uri_of(work, "mode=rw")
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        configure_connection(db).execute("BEGIN IMMEDIATE")
        recorded = {applied.name for applied in read_history(db)}
        if recorded and (not migrations or recorded & {each.name for each in migrations}):
            raise StepFailed(
                f"{work.name}: it has a history already; --bb-status shows it, and --bb-apply "
                "goes on from there"
            )
        with writing_ours(db):
            make_history(db)
            for migration in migrations:
                record(db, Applied(migration.name, migration.checksum, now, 0.0, batch, 0))
            if identity is not None:
                write_identity(db, identity)
        db.execute("COMMIT")


def version_name(position: int, catalogue: Catalogue) -> str:
    """Return a version's name: that of its last migration."""
    return catalogue.migrations[position - 1].name if position else "before the first migration"


def _schema_of(image: bytes, environment: RunEnvironment) -> Schema:
    with (
        app_connections(environment.prepare_connection),
        closing(open_content(image)) as db,
    ):
        return read_schema(db)


def _stopped(catalogue: Catalogue, replayed: ReplayedSchemas, position: int | None) -> str:
    if position is None or replayed.failure is None:
        return ""
    failure = replayed.failure
    message = failure.message
    if not is_showing_values():  # the base may have rows
        known = known_names(replayed.schemas) | Known(texts=catalogue.shown_texts)
        message = safe_part_message(failure.path, message, failure.error, known)
    where = f"{failure.path.name}:{failure.line}" if failure.line else failure.path.name
    return (
        f"{catalogue.migrations[position].name} does not run on a database without rows ({where}: "
        f"{message}), so what comes after it could not be compared; have it run on an "
        "empty database, too"
    )
