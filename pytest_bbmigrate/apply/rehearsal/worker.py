"""In the process of a rehearsal: run each migration on copies, judge it, leave the last copy."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.fixed_text import describe_changed, refuse_changed
from pytest_bbmigrate.apply.model import Rehearsal
from pytest_bbmigrate.apply.rehearsal.content_ahead import reading_ahead
from pytest_bbmigrate.apply.rehearsal.journal_mode import requested_journal_mode
from pytest_bbmigrate.apply.rehearsal.run_down import roll_back, versions_of
from pytest_bbmigrate.apply.rehearsal.table_changes import ChangeLog
from pytest_bbmigrate.apply.rehearsal.working_copy import (
    COPIES,
    finish,
    forget_others,
    refuse_written,
)
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.experiment import Snapshot, snapshot_of, try_on_real_rows, unmet_requirements
from pytest_bbmigrate.experiment.run import ExperimentSetup
from pytest_bbmigrate.history.table import (
    Applied,
    record,
    utc_now,
)
from pytest_bbmigrate.masking import known_names, mask_verdict
from pytest_bbmigrate.private import (
    Known,
    is_showing_values,
    safe_message,
    safe_sqlite_message,
    showing_values,
)
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.connection_hook import load_connection_hook
from pytest_bbmigrate.runner.fixed_imports import FixedFinder, fixed
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, as_applied
from pytest_bbmigrate.sandbox import landlock
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.sqlite_files import app_connections
from pytest_bbmigrate.sqlite_files.failures import primary_code
from pytest_bbmigrate.verdict import CHECKS, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.experiment import Evidence, UnmetRequirement
    from pytest_bbmigrate.experiment.run import UpResult
    from pytest_bbmigrate.runner.model import Record

PARTS = "parts"
WANTS_ROOM = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
)


def attempt(
    order: RehearsalOrder,
    tell: Callable[[str], None],
    confine: Callable[[list[str]], object] = lambda _: None,
) -> Rehearsal | str:
    """Return what the rehearsal came to, or why there is none.

    ``confine`` is given the only folders that may be written to, before any code of the project's.
    """
    run = run_back if order.is_rollback else run_migrations
    finder = FixedFinder({}, order.since, [str(order.root), str(order.migrations)])
    try:
        with fixed(finder), showing_values(everything=order.shows_values):
            result = run(order, tell, confine)
    except BBMigrateError as error:
        refused = landlock.explain(error)
        return f"{error}; {refused}" if refused else str(error)
    except (OSError, sqlite3.Error) as error:
        with showing_values(everything=order.shows_values):
            why = safe_message(error)
        return f"{order.folder}: the copies could not be worked on ({why}); {way_out(error)}"
    if finder.young:
        return describe_changed([f"{path} was changed" for path in finder.young])
    return result


def way_out(error: OSError | sqlite3.Error) -> str:
    """Return what to do about copies that cannot be worked on."""
    if isinstance(error, OSError) or primary_code(error) in WANTS_ROOM:
        return (
            "see that there is room for four copies of the database on that disk, and that nothing "
            "else writes there"
        )
    return (
        "SQLite has refused to read or compare rows: is there a view, a generated column, an index "
        "or a CHECK whose expression some row does not meet, or a function that bb_connection is "
        "to register?"
    )


def run_migrations(
    order: RehearsalOrder,
    tell: Callable[[str], None],
    confine: Callable[[list[str]], object] = lambda _: None,
) -> Rehearsal:
    """Run and judge each migration, up to the first with a failure; leave the working copy.

    Raises: BBMigrateError, OSError, sqlite3.Error.
    """
    catalogue = read_fixed(order)
    migrations = wanted(order, catalogue)
    known = in_files(order, catalogue)
    environment = environment_of(order, catalogue, confine)
    setup = ExperimentSetup(
        Recipe(),
        environment,
        order.invariants,
        on_real_rows=True,
        skips_down=order.skip_down,
    )
    verdicts, printed, mode = list[Verdict](), [], ""
    with app_connections(environment.prepare_connection), reading_ahead() as ahead:
        snapshot = snapshot_of(order.before)
        change_log = ChangeLog(snapshot)
        for migration in migrations:
            tell(migration.name)
            known |= known_names([snapshot.schema])
            refuse_unmet(migration, unmet_requirements(migration, snapshot), known)
            evidence, after = try_on_real_rows(
                migration,
                snapshot,
                setup,
                recorder(order, migration),
                ahead.start if migration is migrations[-1] else lambda _: None,
            )
            found = [judge(check, evidence, strict=order.strict) for check in CHECKS]
            refuse_written(snapshot, after)
            known |= known_names([evidence.schema_after] if evidence.schema_after else [])
            verdicts += masked(order, found, known)
            if order.shows_values and (text := printed_by(evidence)):
                printed.append((migration.name, text))
            if any(verdict.outcome is Outcome.FAILED for verdict in found):
                return Rehearsal(tuple(verdicts), printed=tuple(printed))
            change_log.follow(evidence.up_diff, after.schema)
            snapshot = forget_others(order, after)
            mode = requested_journal_mode(migration.up, evidence.up.executed) or mode
        digest = finish(order, snapshot, ahead.of(snapshot))
        changes = change_log.changes(snapshot)
    return Rehearsal(tuple(verdicts), digest, changes, tuple(printed), journal_mode=mode)


def run_back(
    order: RehearsalOrder,
    tell: Callable[[str], None],
    confine: Callable[[list[str]], object] = lambda _: None,
) -> Rehearsal:
    """Take each migration back and judge that, up to the first failure; leave the working copy.

    Raises: BBMigrateError, OSError, sqlite3.Error.
    """
    catalogue = read_fixed(order)
    migrations = wanted(order, catalogue)
    environment = environment_of(order, catalogue, confine)
    with app_connections(environment.prepare_connection):
        start = snapshot_of(order.before)
        versions = dict(zip(order.applied, versions_of(order, catalogue, environment), strict=True))
        change_log = ChangeLog(start)

        def settle(step: UpResult) -> Snapshot:
            refuse_written(step.before, step.after)
            change_log.follow(step.up_diff, step.after.schema)
            return forget_others(order, step.after)

        taken = roll_back(migrations, versions, order, start, environment, tell, settle)
        schemas = [schema for each in versions.values() for schema in (each.applied, each.target)]
        known = in_files(order, catalogue) | known_names([start.schema, *schemas])
        taken = replace(taken, verdicts=tuple(masked(order, taken.verdicts, known)))
        if taken.snapshot is None:
            return taken.rehearsal()
        digest = finish(order, taken.snapshot)
        return replace(taken.rehearsal(), digest=digest, changes=change_log.changes(taken.snapshot))


def environment_of(
    order: RehearsalOrder, catalogue: Catalogue, confine: Callable[[list[str]], object]
) -> RunEnvironment:
    """Return where the migrations run; before the hook, all but the order's folder is closed.

    Raises: SettingsError when the app's hook cannot be loaded; OSError.
    """
    shared = landlock.shared_memory_without(str(order.database), str(order.root))
    confine([str(order.folder), *shared])
    with fixed(FixedFinder(catalogue.texts)):
        prepare = load_connection_hook(order.connection, order.root)
    copies, parts = order.folder / COPIES, order.folder / PARTS
    for folder in (copies, parts):
        folder.mkdir()
    return RunEnvironment(
        order.database,
        order.root,
        prepare,
        order.connection or None,
        seconds=order.seconds,
        memory=order.memory,
        scratch=copies,
        since=order.since,
        parts=parts,
        profile=as_applied(PROFILES.get(order.runs_as, UNDECIDED)),
        foreign_keys=order.foreign_keys,
    )


def read_fixed(order: RehearsalOrder) -> Catalogue:
    """Return the migrations as they are read now, which is what will run.

    Raises: CatalogueError; StepFailed when they are not, to the byte, what was checked.
    """
    catalogue = read_catalogue(order.migrations, order.importing, order.rules)
    if order.fixed is not None:
        refuse_changed(order.fixed, order.fixed.read_again(catalogue.texts))
    return catalogue


def wanted(order: RehearsalOrder, catalogue: Catalogue) -> tuple[Migration, ...]:
    """Return the migrations of ``catalogue`` to run, in their order.

    Raises: StepFailed when one is gone, or is not what it was when it was checked.
    """
    there = {migration.name: migration for migration in catalogue.migrations}
    for name, checksum in zip(
        order.names, order.checksums or [None] * len(order.names), strict=True
    ):
        if name not in there:
            raise StepFailed(f"{order.migrations}: {name} is gone since its checks ran; run again")
        if checksum not in (None, there[name].checksum):
            raise StepFailed(f"{there[name].path}: it was edited since its checks ran; run again")
    return tuple(there[name] for name in order.names)


def in_files(order: RehearsalOrder, catalogue: Catalogue) -> Known:
    """Return what stands in the user's files, which may be shown."""
    invariants = (text for both in order.invariants for text in both)
    return Known(texts=(*catalogue.shown_texts, *invariants))


def masked(order: RehearsalOrder, verdicts: Iterable[Verdict], known: Known) -> Iterable[Verdict]:
    """Return ``verdicts`` without values, unless they are wanted: nobody else is to have them."""
    if order.shows_values:
        return verdicts
    return [mask_verdict(verdict, known) for verdict in verdicts]


def refuse_unmet(migration: Migration, unmet: Iterator[UnmetRequirement], known: Known) -> None:
    """Make sure that the rows that are there meet what the contract requires of them.

    Raises: StepFailed with how many do not.
    """
    for one in unmet:
        required = one.requirement
        where = f"{migration.path}:{required.line}"
        text = required.expression or f"unique ({', '.join(required.unique)})"
        if one.error:
            why = (
                one.error
                if is_showing_values()
                else safe_sqlite_message(one.error, known, one.kind)
            )
            raise StepFailed(
                f"{where}: `requires {required.table}: {text}` cannot be asked of the database as "
                f"it is then ({why}); correct the line"
            )
        raise StepFailed(
            f"{where}: {one.rows:,} of {one.total:,} rows of {required.table} do not meet what "
            f"{migration.name} requires of them ({text}); correct them, in the app or by a "
            "migration that comes first, and run again"
        )


def recorder(order: RehearsalOrder, migration: Migration) -> Record:
    """Return what writes the history row of ``migration``, which begins now."""
    began = time.monotonic()

    def write(db: sqlite3.Connection, statements: int) -> None:
        seconds = time.monotonic() - began
        applied = Applied(
            migration.name, migration.checksum, utc_now(), seconds, order.batch, statements
        )
        record(db, applied)

    return write


def printed_by(evidence: Evidence) -> str:
    """Return what the migration wrote, in up and in down."""
    return evidence.up.printed + (evidence.down.printed if evidence.down else "")
